-- `apo-lua show RUN`: what a run was made with and what became of it.

local apo = require "apo"
local folder, format = require "apo.runs.folder", require "apo.runs.format"
local differences = require "apo.runs.differences"
local pad, visible = require "apo.terminal.pad", apo.system.visible

local function print_pair(name, value)
  if value == nil then return end
  print(("  %s %s"):format(pad.left(visible(name), 18), visible(tostring(value))))
end

-- The record with the best evaluation.
local function best(run)
  local found
  for _, record in ipairs(run.evaluations) do
    local value = record["eval/reward"]
    if type(value) == "number" and (not found or value > found["eval/reward"]) then
      found = record
    end
  end
  return found
end

local function print_outcome(run)
  print_pair("state", run.state)
  print_pair("steps", ("%d of %s"):format(run.step, run.total or "?"))
  print_pair("started", run.started ~= "" and run.started or nil)
  print_pair("time", format.duration(run.seconds))
  print_pair("reward", format.reward(run.reward))
  local found = best(run)
  if found then
    print_pair("eval/reward", ("%s, best %s at step %s"):format(
      format.reward(run.evaluation), format.reward(found["eval/reward"]), found.step))
  end
  if run.unreadable > 0 then
    print_pair("unreadable", ("%d lines of metrics.jsonl"):format(run.unreadable))
  end
end

local function print_settings(run)
  print "settings"
  for _, row in ipairs(differences({run}, true)) do print_pair(row[1], row[2]) end
end

local function print_metrics(run)
  local record = run.steps[#run.steps]
  if not record then return end
  print(("metrics of step %s"):format(record.step))
  for name, value in pairs(record) do
    if type(value) == "number" then
      print(("  %s %s"):format(pad.left(visible(name), 38), format.metric(value)))
    end
  end
end

local function print_events(run)
  if #run.events == 0 then return end
  print "events"
  for _, event in ipairs(run.events) do
    print(visible(("  step %-6s %s  %s"):format(event.step or "?", event.event or "?",
      folder.event_text(event):match "[^\n]*")))
  end
end

return function(dir)
  local run = folder.open(dir)
  print(visible(run.dir))
  print_outcome(run)
  print_pair("forked from", folder.parent(run))
  for _, name in ipairs{"script", "policy", "data", "parameters"} do
    print_pair(name, run.about[name])
  end
  print_settings(run)
  print_metrics(run)
  print_events(run)
end
