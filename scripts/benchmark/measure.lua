-- Runs of a row by all its engines, alternating: each engine once to warm up, then rounds in which each has its turn.
-- Rows whose processes do not fit into memory together, or that are timed from the start of the process, get a new
-- process for every run.
local apo = require "apo"
local Engine = require "engines"

-- A run in a process of its own, which ends: seconds from its start, or of the second run.
local function alone(about, row, place)
  local engine = Engine.start(about, row.spec, place)
  local seconds = engine:is_ready() and engine:run()
  if seconds and row.from_start then
    seconds = apo.system.clock() - engine.begun
  elseif seconds then
    seconds = engine:run()
  end
  engine:stop()
  return seconds, engine.memory
end

-- Seconds of one start of a program that does nothing.
local function start_up(about, _, place)
  local commands = {
    ours = "'%s' -e ''", torch = "'%s' -c 'import torch'", trl = "'%s' -c 'from trl import GRPOTrainer'",
  }
  local program = about.worker == "ours" and about.program or place.python
  local command, times = commands[about.worker]:format(program), about.worker == "ours" and 50 or 1
  local start = apo.system.clock()
  if not os.execute(("for i in $(seq %d); do %s 2>> '%s' || exit 1; done"):format(times, command, place.log)) then
    return nil
  end
  return (apo.system.clock() - start) / times
end

local function add(result, seconds, memory)
  if not seconds then
    result.failed = true
  else
    result.seconds[#result.seconds + 1] = seconds
    result.memory = memory and math.max(memory, result.memory or 0)
  end
end

local function with_new_processes(row, engines, place, between)
  local results, once = {}, row.start_up and start_up or alone
  for i in ipairs(engines) do results[i] = {seconds = {}} end
  for _ = 1, row.rounds do
    between()
    for i, about in ipairs(engines) do
      if not results[i].failed then add(results[i], once(about, row, place)) end
    end
  end
  return results
end

local least_seconds = 0.2                             -- that a measurement takes; short runs are repeated

local function with_kept_processes(row, engines, place, between)
  local results, processes = {}, {}
  for i, about in ipairs(engines) do processes[i] = Engine.start(about, row.spec, place) end
  for i, process in ipairs(processes) do results[i] = {seconds = {}, failed = not process:is_ready() or nil} end
  for i, process in ipairs(processes) do
    local seconds = not results[i].failed and process:run()
    results[i].failed = not seconds or nil
    results[i].times = seconds and math.ceil(least_seconds / seconds)
  end
  for _ = 1, row.rounds do
    between()
    for i, process in ipairs(processes) do
      if not results[i].failed then add(results[i], process:run(results[i].times), process.memory) end
    end
  end
  for i, process in ipairs(processes) do
    process:stop()
    results[i].memory = process.memory
  end
  return results
end

local function median(numbers)
  local sorted = table.move(numbers, 1, #numbers, 1, {})
  table.sort(sorted)
  return (sorted[(#sorted + 1) // 2] + sorted[#sorted // 2 + 1]) / 2, sorted[1], sorted[#sorted]
end

-- For each engine of a row: `seconds` of all runs, `median`, `least`, `most`, `memory`, or `failed`. `between` is
-- called before each round. The first run of a kept process is not counted.
return function(row, engines, place, between)
  local is_separate = row.from_start or row.start_up or row.one_at_a_time
  local results = (is_separate and with_new_processes or with_kept_processes)(row, engines, place, between)
  for _, result in ipairs(results) do
    if not result.failed then result.median, result.least, result.most = median(result.seconds) end
  end
  return results
end
