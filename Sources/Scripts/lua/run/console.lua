-- Terminal output of a run: one line per logged step, in as many fixed columns as fit, with
-- evaluations and warnings in between. The columns are metrics of metrics.jsonl.

local apo = require "apo"
local visible = apo.system.visible

local all_columns = {  -- heading, metric, width with a blank, format, factor; wide: not in 80
  {"step", "step", 6, "%d"},
  {"reward", "reward", 8, "%.3f"},
  {"v_star", "v_star", 8, "%.3f"},
  {"loss", "loss", 10, "%.3g"},
  {"kl", "kl", 8, "%.4f"},
  {"grad_norm", "grad_norm", 11, "%.3g"},
  {"length", "completions/mean_length", 7, "%.1f"},
  {"cut", "completions/clipped_ratio", 6, "%.0f%%", 100},
  {"lr", "learning_rate", 9, "%.1e", wide = true},
  {"gen s", "timing_s/gen", 8, "%.2f"},
  {"ref s", "timing_s/ref", 7, "%.2f", wide = true},
  {"upd s", "timing_s/update_actor", 8, "%.2f"},
}

-- The columns that a terminal has room for; a file has room for all.
local function columns_that_fit()
  local width, narrow = 0, {}
  for _, c in ipairs(all_columns) do
    width = width + c[3]
    if not c.wide then narrow[#narrow + 1] = c end
  end
  local is_narrow = apo.system.is_terminal("stdout") and apo.system.width() < width
  return is_narrow and narrow or all_columns
end

local function heading(columns)
  local cells = {}
  for i, c in ipairs(columns) do cells[i] = (" "):rep(c[3] - #c[1]) .. c[1] end
  return table.concat(cells)
end

-- A metric in a column: with fewer digits if they do not fit, always after a blank.
local function cell(column, value)
  local room = column[3] - 1
  if not value then return (" "):rep(room) .. "-" end
  value = value * (column[5] or 1)
  for _, format in ipairs{column[4], "%.3g", "%.2g", "%.0e"} do
    local text = format:format(value)
    if #text <= room or format == "%.0e" then
      return (" "):rep(math.max(1, room + 1 - #text)) .. text
    end
  end
end

local function line(columns, record)
  local cells = {}
  for i, c in ipairs(columns) do cells[i] = cell(c, record[c[2]]) end
  return table.concat(cells)
end

local function evaluation(record)
  local parts = {("%6d"):format(record.step), "evaluation"}
  for name, value in pairs(record) do
    if name:match("^eval/") and name ~= "eval/reward" then
      parts[#parts + 1] = ("%s %.3f"):format(visible(name:sub(6)), value)
    end
  end
  table.insert(parts, 3, ("reward %.3f"):format(record["eval/reward"]))
  return table.concat(parts, "  ", 1, math.min(#parts, 6))
end

local Console = {}
Console.__index = Console

function Console:say(text)
  if self.is_quiet then return end
  self.bar:clear()
  print(visible(text, true))
  io.stdout:flush()
end

-- Counts from what is done already.
function Console:begin(done) self.bar.done, self.bar.first = done, done end

-- Prints what must be shown even with `quiet`.
function Console:tell(text)
  if not self.is_quiet then return self:say(text) end
  io.stderr:write(text, "\n")
end

-- Shows a logged step.
function Console:step(record)
  if self.lines % 20 == 0 then self:say(heading(self.columns)) end
  self.lines = self.lines + 1
  self:say(line(self.columns, record))
end

function Console:warning(text) self:say("        warning: " .. text) end

function Console:evaluation(record) self:say(evaluation(record)) end

return function(options)
  options.title, options.unit = "training", "steps"
  local bar = apo.progress(options)
  return setmetatable({
    is_quiet = bar.is_quiet, bar = bar, columns = columns_that_fit(), lines = 0,
  }, Console)
end
