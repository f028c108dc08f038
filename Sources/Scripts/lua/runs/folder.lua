-- A run's folder as others read it, while it is written or long after: what is there is checked,
-- what is not is nil. Half of a last line is left out, a line that is none is counted.

local apo = require "apo"
local json, system, shown = apo.json, apo.system, apo.system.shown

local function is_run(dir) return system.exists(dir .. "/run.json") == "file" end

-- The objects in a file of JSON lines, from byte `from` on, and how many lines are none.
local function objects(path, from)
  local file = io.open(path, "rb")
  if not file then return {}, 0 end
  if from then
    file:seek("set", from)
    file:read "l"  -- the rest of a line
  end
  local list, wrong = {}, 0
  for line in file:lines "L" do
    local is_json, value = pcall(json.decode, line)
    if line:sub(-1) ~= "\n" then break end
    if is_json and type(value) == "table" and #value == 0 then list[#list + 1] = value
    else wrong = wrong + 1 end
  end
  file:close()
  return list, wrong
end

-- The objects in the last kilobytes of a file.
local function last_objects(path)
  local size, reach = system.size(path) or 0, 1 << 16
  local list = objects(path, size > reach and size - reach or nil)
  return list
end

local function is_step(record) return record["eval/reward"] == nil or record.reward ~= nil end

-- The last record that `wanted` takes.
local function last(list, wanted)
  for i = #list, 1, -1 do
    if wanted(list[i]) then return list[i] end
  end
end

-- The state of a run: running, done, stopped (by a signal, a limit of time or os.exit), failed (by
-- an error) or killed.
local function state(dir, total, step)
  if system.is_locked(dir .. "/.lock") then return "running" end
  local event = last(last_objects(dir .. "/events.jsonl"), function() return true end)
  if event and event.event == "stopped" then
    return event.kind == "error" and "failed" or "stopped"
  end
  return total and step >= total and "done" or "killed"
end

-- What run.json says; raises an error that says why when it is no run's.
local function read_about(dir)
  local path = dir .. "/run.json"
  if not is_run(dir) then
    error(shown(dir) .. ": is not the folder of a run; it has no run.json", 0)
  end
  local is_read, about = pcall(json.read, path)
  if not is_read then error((tostring(about):gsub("^%[apo%] [^:]+:%d+: ", "")), 0) end
  if type(about) ~= "table" or type(about.settings) ~= "table" then
    error(shown(path) .. ": field 'settings' must be an object", 0)
  end
  return about
end

-- What a list shows of a run, from the ends of its files.
local function summary(dir)
  local about = read_about(dir)
  local records = last_objects(dir .. "/metrics.jsonl")
  local newest = last(records, is_step) or {}
  local evaluation = last(records, function(record) return record["eval/reward"] end)
  local total = math.type(about.steps) == "integer" and about.steps or nil
  local step = math.type(newest.step) == "integer" and newest.step or 0
  return {
    dir = dir, name = dir:match "([^/]+)/*$" or dir, about = about, total = total, step = step,
    reward = tonumber(newest.reward), seconds = tonumber(newest.seconds),
    evaluation = evaluation and tonumber(evaluation["eval/reward"]),
    state = state(dir, total, step), started = tostring(about.started or ""),
    script = type(about.script) == "string" and about.script or nil,
  }
end

-- Everything: the summary with all step records, evaluations, events, and the count of lines that
-- cannot be read.
local function open(dir)
  local run = summary(dir)
  local records, wrong = objects(dir .. "/metrics.jsonl")
  run.steps, run.evaluations, run.unreadable = {}, {}, wrong
  for _, record in ipairs(records) do
    if record["eval/reward"] then run.evaluations[#run.evaluations + 1] = record end
    if is_step(record) then run.steps[#run.steps + 1] = record end
  end
  run.events = objects(dir .. "/events.jsonl")
  return run
end

-- The folders of runs below a folder, which may be one itself.
local function find(dir)
  if system.exists(dir) ~= "folder" then error(shown(dir) .. ": is not a folder", 0) end
  if is_run(dir) then return {dir} end
  local found = {}
  for _, name in ipairs(system.list(dir)) do
    local path = dir .. "/" .. name
    if is_run(path) then found[#found + 1] = path end
  end
  return found
end

return {open = open, summary = summary, find = find, objects = objects, is_step = is_step,
        is_run = is_run}
