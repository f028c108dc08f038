-- Terminal output of a run: one line per logged step, in as many fixed columns as fit, with
-- evaluations and warnings in between. The columns are metrics of metrics.jsonl: those that a
-- script names, or those of apo.train.

local apo = require "apo"
local pad = require "apo.terminal.pad"
local visible, excerpt = apo.system.visible, apo.system.excerpt

local usual_columns = {  -- heading, metric, width with a blank, format, factor; rank: see `fitting`
  {"step", "step", 6, "%d"},
  {"reward", "reward", 8, "%.3f", rank = 1},
  {"v_star", "v_star", 8, "%.3f", rank = 5},
  {"loss", "loss", 10, "%.3g", rank = 2},
  {"kl", "kl", 8, "%.4f", rank = 3},
  {"grad_norm", "grad_norm", 11, "%.3g", rank = 6},
  {"length", "completions/mean_length", 7, "%.1f", rank = 4},
  {"cut", "completions/clipped_ratio", 6, "%.0f%%", 100, rank = 7},
  {"lr", "learning_rate", 9, "%.1e", rank = 10},
  {"gen s", "timing_s/gen", 8, "%.2f", rank = 8},
  {"ref s", "timing_s/ref", 7, "%.2f", rank = 11},
  {"upd s", "timing_s/update_actor", 8, "%.2f", rank = 9},
}

-- The width that a terminal has for columns; a file has room for all.
local function room()
  return apo.system.is_terminal("stdout") and apo.system.width() or math.huge
end

-- The usual columns without those of the highest rank, until the others fit.
local function fitting()
  local columns, width = table.move(usual_columns, 1, #usual_columns, 1, {}), 0
  for _, c in ipairs(columns) do width = width + c[3] end
  while width > room() and #columns > 1 do
    local last = 2
    for i, c in ipairs(columns) do
      if i > 1 and c.rank > columns[last].rank then last = i end
    end
    width = width - table.remove(columns, last)[3]
  end
  return columns
end

-- Columns for the named metrics, as many as fit after the step.
local function columns_of(names)
  local columns, width = {usual_columns[1]}, usual_columns[1][3]
  for _, name in ipairs(names) do
    local heading = visible(name)
    local wide = math.max(10, apo.system.columns(heading) + 2)
    width = width + wide
    if width > room() then break end
    columns[#columns + 1] = {heading, name, wide, "%.4g"}
  end
  return columns
end

-- The names of what a record has beside the counters, the reward and the loss first.
local places = {step = 0, kind = 0, epoch = 0, seconds = 0, reward = 1, loss = 2}
local function names_of(record)
  local names = {}
  for name, value in pairs(record) do
    if type(value) == "number" and places[name] ~= 0 then names[#names + 1] = name end
  end
  table.sort(names, function(a, b)
    local first, second = places[a] or 3, places[b] or 3
    return first < second or first == second and a < b
  end)
  return names
end

local function heading(columns)
  local cells = {}
  for i, c in ipairs(columns) do cells[i] = pad.right(c[1], c[3]) end
  return table.concat(cells)
end

-- A metric in a column: with fewer digits if they do not fit, always after a blank.
local function cell(column, value)
  local room = column[3] - 1
  if type(value) ~= "number" then
    local text = value == nil and "-" or excerpt(visible(tostring(value)), room)
    return pad.right(text, room + 1)
  end
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

-- The line of an evaluation: the reward first, then other metrics.
local function evaluation(record)
  local parts = {("%6d"):format(record.step), "evaluation"}
  local function add(name)
    local value = record["eval/" .. name]
    if type(value) ~= "number" then return end
    parts[#parts + 1] = ("%s %.3f"):format(visible(name), value)
  end
  add "reward"
  for name in pairs(record) do
    if name:match "^eval/" and name ~= "eval/reward" then add(name:sub(6)) end
  end
  local text = table.concat(parts, "  ", 1, math.min(#parts, 6))
  return room() < math.huge and excerpt(text, room()) or text
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
  self.columns = self.columns or columns_of(names_of(record))
  if self.lines % 20 == 0 then self:say(heading(self.columns)) end
  self.lines = self.lines + 1
  self:say(line(self.columns, record))
end

function Console:warning(text) self:say("        warning: " .. text) end

function Console:evaluation(record) self:say(evaluation(record)) end

-- Counts a step; the bar shows the reward, or the first column after the step.
function Console:advance(record)
  local name = type(record.reward) == "number" and "reward"
    or self.columns and self.columns[2] and self.columns[2][2]
  local value = name and record[name]
  self.bar:advance(1, type(value) == "number" and ("%s %.3f"):format(name, value) or nil)
end

-- `columns` are names of metrics, "usual" for apo.train's, or nil for those of the first record.
return function(options)
  local columns = options.columns
  local bar = apo.progress{
    total = options.total, title = options.title, unit = "steps", quiet = options.quiet,
  }
  if type(columns) == "table" then columns = columns_of(columns)
  elseif columns then columns = fitting() end
  return setmetatable({is_quiet = bar.is_quiet, bar = bar, columns = columns, lines = 0}, Console)
end
