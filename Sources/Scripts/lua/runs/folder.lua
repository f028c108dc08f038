-- A run's folder as others read it, while it is written or long after: what is there is checked,
-- what is not is nil. Half of a last line is left out, a line that is none is counted.

local apo = require "apo"
local json, system, shown = apo.json, apo.system, apo.system.shown

local function is_run(dir) return system.exists(dir .. "/run.json") == "file" end

-- Calls `take` with each object in a file of JSON lines, from byte `from` on. Gives how many lines
-- are none, and where the last whole line ends.
local function each(path, from, take)
  local file = system.exists(path) == "file" and io.open(path, "rb")  -- a pipe would wait
  if not file then return 0, from end
  file:seek("set", from)
  local wrong = 0
  for line in file:lines "L" do
    if line:sub(-1) ~= "\n" then break end
    from = from + #line
    local is_json, value = pcall(json.decode, line)
    if is_json and type(value) == "table" and #value == 0 then take(value)
    else wrong = wrong + 1 end
  end
  file:close()
  return wrong, from
end

-- All objects of a file, and how many lines are none.
local function objects(path)
  local list = {}
  local wrong = each(path, 0, function(value) list[#list + 1] = value end)
  return list, wrong
end

-- The last object of a file that `wanted` takes: its end is read, and more where there is none.
local function last_object(path, wanted)
  local size, reach = system.size(path) or 0, 1 << 16
  while true do  -- from the middle of a line, which counts as none
    local found
    each(path, math.max(0, size - reach), function(value)
      if wanted(value) then found = value end
    end)
    if found or reach >= size then return found end
    reach = 8 * reach
  end
end

-- Records of older runs have no `kind`.
local function is_step(record)
  if record.kind then return record.kind ~= "eval" end
  return record["eval/reward"] == nil or record.reward ~= nil
end

local function is_evaluation(record)
  if record.kind then return record.kind == "eval" end
  return record["eval/reward"] ~= nil
end

-- The state of a run: running, done, stopped (by a signal, a limit of time, os.exit or attach),
-- failed (by an error) or killed.
local function state(dir, total, step)
  if system.is_locked(dir .. "/.lock") then return "running" end
  local event = last_object(dir .. "/events.jsonl", function() return true end) or {}
  if event.event == "ended" and (tonumber(event.step) or -1) >= step then return "done" end
  if event.event == "stopped" and (event.step or step) >= step then  -- it did not go on
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
  local metrics = dir .. "/metrics.jsonl"
  local newest = last_object(metrics, is_step) or {}
  local evaluation = last_object(metrics, is_evaluation)
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
    if is_evaluation(record) then run.evaluations[#run.evaluations + 1] = record end
    if is_step(record) then run.steps[#run.steps + 1] = record end
  end
  run.events = objects(dir .. "/events.jsonl")
  return run
end

-- The text of the script that made a run, nil where it is not kept.
local function script(dir)
  local path = dir .. "/script.lua"
  return system.exists(path) == "file" and system.read_file(path) or nil
end

-- Which checkpoint a run was forked from, as a text; nil for other runs.
local function parent(run)
  local of = run.about.parent
  if type(of) ~= "table" then return nil end
  return ("%s, step %s"):format(tostring(of.run):match "([^/]+)/*$" or "?", tostring(of.step))
end

-- What an event says.
local function event_text(event)
  return tostring(event.text or event.name or event.kind or "")
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

return {
  open = open, summary = summary, find = find, each = each, objects = objects, parent = parent,
  is_step = is_step, is_run = is_run, script = script, event_text = event_text,
}
