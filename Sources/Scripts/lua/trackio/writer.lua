-- Writes a run into a Trackio project: metrics as rows of a step, some completions as a table, the
-- settings as the run's configuration. Rows are collected for a second; where another program holds
-- the database they wait for the next time.

local apo = require "apo"
local store = require "apo.trackio.store"
local system, json = apo.system, apo.json

local Writer = {}
Writer.__index = Writer

local seconds_between, tables_each, rows_in_table, most_bytes = 1, 20, 8, 2000

-- A time as Python's isoformat gives it.
local function timestamp(time)
  local whole = time // 1 | 0
  return ("%s.%06d+00:00"):format(os.date("!%Y-%m-%dT%H:%M:%S", whole),
    math.min(999999, (time - whole) * 1e6 // 1 | 0))
end

-- Numbers as Trackio writes them: JSON has no others than finite ones.
local function number(value)
  if value ~= value then return "NaN" end
  if value - value ~= 0 then return value > 0 and "Infinity" or "-Infinity" end
  return value
end

local function encoded(value) return json.encode(value, {lossy = true}) end

-- Adds a row; of two with the same `kind` and step the first stays.
local function add(writer, kind, step, metrics, time)
  local waiting = writer.waiting
  waiting[#waiting + 1] = {
    timestamp(time), writer.id, writer.name, step, encoded(metrics),
    ("%s-%s-%d"):format(writer.id, kind, step),
  }
end

-- Writes what waits. Gives whether it is written.
local function write(writer)
  if #writer.waiting == 0 then return true end
  return writer.store:change(function(database)
    for _, row in ipairs(writer.waiting) do
      database:execute("INSERT OR IGNORE INTO metrics "
        .. "(timestamp, run_id, run_name, step, metrics, log_id) VALUES (?, ?, ?, ?, ?, ?)",
        table.unpack(row))
    end
  end)
end

-- Writes now and then; what another program holds up is tried again.
local function flush(writer)
  if system.clock() - writer.last_write < seconds_between then return end
  writer.last_write = system.clock()
  local ok, is_written = pcall(write, writer)
  if ok and is_written then writer.waiting = {}
  elseif not ok and not store.is_busy(is_written) then error(is_written, 0) end
end

-- A text, or something as JSON; of a long one the beginning.
local function text(value)
  if type(value) ~= "string" then value = value and encoded(value) or "" end
  value = system.visible(value, true)
  if #value <= most_bytes then return value end
  local last = utf8.offset(value, 0, most_bytes + 1) - 1
  return value:sub(1, last) .. ("… (%d bytes left out)"):format(#value - last)
end

-- The metrics of a step or of an evaluation.
function Writer:metrics(record, time)
  local step, metrics = math.tointeger(record.step), {}
  if not step then return end
  local is_evaluation = record.kind == "eval"
    or record.kind == nil and record["eval/reward"] ~= nil and record.reward == nil
  for name, value in pairs(record) do
    if type(value) == "number" then value = number(value)
    elseif type(value) == "string" then value = text(value)
    elseif type(value) ~= "boolean" then value = nil end
    if name ~= "step" and name ~= "kind" then metrics[system.visible(name)] = value end
  end
  add(self, is_evaluation and "eval" or "step", step, metrics, time)
  flush(self)
end

-- The completions of a step as a table, of a few steps.
function Writer:completions(step, samples, limit, time)
  if step < self.next_table then return end
  self.next_table = step + math.max(1, step // tables_each)
  local rows = {}
  for i = 1, math.min(rows_in_table, #samples, limit or #samples) do
    local s = samples[i]
    rows[i] = {
      prompt = text(s.row.prompt), completion = text(s.completion.text),
      reward = s.reward and number(s.reward), length = s.length,
      finish_reason = s.finish_reason and text(s.finish_reason),
    }
  end
  if #rows == 0 then return end
  add(self, "completions", step, {
    completions = {_type = "trackio.table", _value = rows},
  }, time)
  flush(self)
end

-- Trackio knows no state of a run; what waits is written.
function Writer:finish()
  store.patiently(function() return write(self) end)
  self.waiting = {}
  self.store.database:close()
end

-- Begins or continues the run `id` in a project. `step` is the last one that is kept.
local function open(project, run)
  local writer = setmetatable({
    store = store.open(project), id = run.id, name = system.visible(run.name), waiting = {},
    last_write = -math.huge, next_table = 0,
  }, Writer)
  local config = {}
  for _, pair in ipairs(run.settings) do
    local value = pair[2]
    config[system.visible(pair[1])] = type(value) == "number" and number(value)
      or type(value) == "string" and system.visible(value) or value
  end
  config._Created = timestamp(run.began)
  store.patiently(function()
    return writer.store:change(function(database)
      database:execute("DELETE FROM metrics WHERE run_id = ? AND step > ?", run.id, run.step)
      database:execute("INSERT OR REPLACE INTO configs (run_id, run_name, config, created_at) "
        .. "VALUES (?, ?, ?, ?)", run.id, writer.name, encoded(config), timestamp(run.began))
    end)
  end)
  return writer
end

return {open = open, timestamp = timestamp}
