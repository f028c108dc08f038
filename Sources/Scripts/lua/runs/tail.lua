-- `apo-lua tail RUN`: the last steps of a run, and those that follow for as long as it runs.

local apo = require "apo"
local folder = require "apo.runs.folder"
local console, format = require "apo.terminal.console", require "apo.runs.format"
local system = apo.system

local seconds_between = 0.5

-- Objects that were added to a file since byte `from`, and where the next begins.
local function news(path, from)
  if (system.size(path) or 0) < from then from = 0 end  -- the run was resumed from an earlier step
  local list = {}
  local _, place = folder.each(path, from, function(value) list[#list + 1] = value end)
  return list, place
end

local function show(screen, records)
  for _, record in ipairs(records) do
    local is_shown = pcall(function()
      if folder.is_step(record) then screen:step(record) else screen:evaluation(record) end
    end)
    if not is_shown then screen:say "  (a line that is no record)" end
  end
end

return function(dir)
  local path = dir .. "/metrics.jsonl"
  local run = folder.summary(dir)
  local screen = console{total = run.total or 1}
  local records, from = news(path, 0)
  show(screen, table.move(records, math.max(1, #records - 9), #records, 1, {}))
  while system.is_locked(dir .. "/.lock") do
    system.sleep(seconds_between)
    records, from = news(path, from)
    show(screen, records)
  end
  run = folder.summary(dir)
  print(("%s at step %d of %s%s"):format(run.state, run.step, run.total or "?",
    run.seconds and " after " .. format.duration(run.seconds) or ""))
end
