-- The result of apo.replay, as a table that prints itself.

local Report = {}
Report.__index = Report

local columns = {  -- heading, width, format, value
  {"step", 6, "%d", function(s) return s.step end},
  {"n", 5, "%d", function(s) return s.count end},
  {"loss", 11, "%.4g", function(s) return s.recorded.loss end},
  {"other", 11, "%.4g", function(s) return s.other.loss end},
  {"explained", 11, "%.4f", function(s) return s.recorded.explained_var end},
  {"other", 9, "%.4f", function(s) return s.other.explained_var end},
  {"|grad|", 11, "%.3g", function(s) return s.recorded.grad_norm end},
  {"other", 11, "%.3g", function(s) return s.other.grad_norm end},
  {"cosine", 9, "%.4f", function(s) return s.cosine end},
  {"drift", 9, "%.3g", function(s) return s.drift end},
}

local function right(text, width) return (" "):rep(width - #text) .. text end

local function line(step, first)
  local cells = {}
  for i, c in ipairs(columns) do
    local value = c[4](step)
    local text = i == 1 and first or value and c[3]:format(value) or "-"
    cells[i] = right(text, c[2])
  end
  return table.concat(cells)
end

function Report:__tostring()
  local cells, lines = {}, {}
  for i, c in ipairs(columns) do cells[i] = right(c[1], c[2]) end
  lines[1] = table.concat(cells)
  for _, step in ipairs(self.steps) do lines[#lines + 1] = line(step) end
  lines[#lines + 1] = line(self.mean, "mean")
  return table.concat(lines, "\n")
end

-- Mean of a figure over the steps that have it, weighted by their completions.
local function mean_of(steps, read)
  local sum, count = 0, 0
  for _, step in ipairs(steps) do
    local value = read(step)
    if value then sum, count = sum + value * step.count, count + step.count end
  end
  return count > 0 and sum / count or nil
end

local function mean(steps)
  local function side(name)
    local result = {}
    for _, figure in ipairs{"loss", "explained_var", "grad_norm"} do
      result[figure] = mean_of(steps, function(s) return s[name][figure] end)
    end
    return result
  end
  local count = 0
  for _, step in ipairs(steps) do count = count + step.count end
  return {
    count = count, drift = mean_of(steps, function(s) return s.drift end),
    cosine = mean_of(steps, function(s) return s.cosine end),
    recorded = side "recorded", other = side "other",
  }
end

return function(steps, checksum, is_initial)
  return setmetatable({
    steps = steps, mean = mean(steps), model = checksum, is_initial = is_initial,
  }, Report)
end
