-- Compares A*-PO, PPO, GRPO, REBEL and RLOO on three tasks: the time, samples and memory that each
-- needs to learn them, and its KL.
--
-- Every run is a separate process with one thread, as many at once as there are cores. First comes
-- a sweep over three learning rates for each algorithm, which selects the one with the highest
-- time-averaged accuracy; then three seeds with that rate. Results are kept, and runs that have one
-- are not repeated. At the end there are a table and plots.
--
--   apo-lua examples/compare.lua [FOLDER = runs/compare] [SPEED = 1] [TASK …]
--
-- This takes less than half an hour on two cores.
-- A SPEED of 10 gives each run a tenth of the time. Change the lists below, or add a task to
-- compare/tasks.lua.
local apo = require "apo"

local algorithms = {"astarpo", "ppo", "grpo", "rebel", "rloo"}
local task_names = #arg > 2 and table.move(arg, 3, #arg, 1, {})
  or {"addition", "countdown", "stories"}
local sweep_seed, seeds = 100, {1, 2, 3}

local work   = arg[1] or "runs/compare"
local speed  = tonumber(arg[2] or 1)
local shared = os.getenv("APO_SHARED") or "../shared"
local here   = arg[0]:match("^(.*/)") or ""
local tasks, report = dofile(here .. "compare/tasks.lua"), dofile(here .. "compare/report.lua")

local function quoted(text) return "'" .. tostring(text):gsub("'", "'\\''") .. "'" end

local function command(...)
  local words = {"APO_THREADS=1", quoted(arg[-1])}
  for _, word in ipairs{...} do words[#words + 1] = quoted(word) end
  return table.concat(words, " ")
end

-- Runs shell commands, as many at once as there are cores; each prints a line when it is done.
local function run_all(title, commands)
  if #commands == 0 then return end
  local list = work .. "/commands.txt"
  apo.system.write_file(list, table.concat(commands, "\n") .. "\n")
  local lanes = io.popen(("xargs -P %d -d '\\n' -n 1 sh -c < %s 2>&1"):format(apo.system.cores(),
    quoted(list)))
  local bar, said = apo.progress{title = title, total = #commands, unit = "runs"}, {}
  for line in lanes:lines() do
    said[#said + 1] = line
    if line:find("^%a+ +%a+ +lr ") then bar:advance(1, line) end
  end
  bar:finish()
  if not lanes:close() then error(title .. " failed:\n" .. table.concat(said, "\n"), 0) end
end

local function result_path(task, algorithm, lr, seed)
  return ("%s/%s/%s-%g-%d.json"):format(work, task, algorithm, lr, seed)
end

-- The command of a run, unless it already has a result.
local function add(commands, task, algorithm, lr, seed, seconds)
  local path = result_path(task, algorithm, lr, seed)
  if not apo.system.exists(path) then
    commands[#commands + 1] = command(here .. "compare/run.lua", task, algorithm, lr, seed,
      seconds / speed, path, work, shared)
  end
end

local function result(task, algorithm, lr, seed)
  return apo.json.decode(apo.system.read_file(result_path(task, algorithm, lr, seed)))
end

local function best_rate(task, algorithm)
  local best, best_lr = -1, nil
  for _, lr in ipairs(task.rates) do
    local mean = report.average(result(task.name, algorithm, lr, sweep_seed).points)
    if mean > best then best, best_lr = mean, lr end
  end
  return best_lr
end

-- A task with its model, which is made if necessary; nil if that is impossible.
local function prepare(name)
  if not tasks[name] then error(("there is no task '%s' in compare/tasks.lua"):format(name), 0) end
  apo.system.make_folder(work .. "/" .. name)
  if name == "countdown" and not apo.system.exists(work .. "/countdown/model/config.json") then
    local script = command(here .. "compare/pretrain.lua", work .. "/countdown",
      math.max(5, 800 // speed))
    assert(os.execute((script:gsub("^APO_THREADS=1 ", ""))), "pretraining failed")
  end
  local task = tasks[name]{examples = here, work = work, shared = shared}
  task.name = name
  if apo.system.exists(task.model .. "/config.json") then return task end
  print(("%s is left out: there is no %s (APO_SHARED names its folder)"):format(name, task.model))
end

local chosen, sweep, final = {}, {}, {}
for _, name in ipairs(task_names) do chosen[#chosen + 1] = prepare(name) end
for _, task in ipairs(chosen) do
  for _, algorithm in ipairs(algorithms) do
    for _, lr in ipairs(task.rates) do
      add(sweep, task.name, algorithm, lr, sweep_seed, task.seconds)
    end
  end
end
run_all("sweep", sweep)
for _, task in ipairs(chosen) do
  task.runs = {}
  for _, algorithm in ipairs(algorithms) do
    task.runs[algorithm] = {lr = best_rate(task, algorithm)}
    for _, seed in ipairs(seeds) do
      add(final, task.name, algorithm, task.runs[algorithm].lr, seed, task.seconds)
    end
  end
end
run_all("seeds", final)
for _, task in ipairs(chosen) do
  for _, algorithm in ipairs(algorithms) do
    local runs = task.runs[algorithm]
    for i, seed in ipairs(seeds) do runs[i] = result(task.name, algorithm, runs.lr, seed) end
  end
end
report.write(work, chosen, algorithms)
