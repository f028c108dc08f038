-- apo.settings and apo.sweep: which runs there are, what they are told, what comes of those that
-- fail, of sweeps that go on, and of any number of processes.
local spec = ...
local apo = require "apo"
local equal, raises, system = spec.equal, spec.raises, apo.system
local plan, outcome = require "apo.sweep.plan", require "apo.sweep.outcome"

-- apo.settings: values by the type of the default; what every script has is not in pairs.
local defaults = {lr = 3e-4, n = 2, name = "a", is_on = false, list = {1}, ["eval.n"] = 1}
local function settings(...)
  local before, seed = arg, apo.seed()
  arg = {[0] = "train.lua", ...}
  local ok, result = pcall(apo.settings, defaults)
  arg = before
  apo.seed(seed)
  return ok and result or error(result, 0)
end
local found = settings("models/x", "lr=1e-1", "n=0.5", "name=7", "is_on=true", "list=[2,\"a\"]",
  "eval.n=3", "seed=5", "dir=a=b c", "resume=true", "-x=1")
equal(found, {lr = 0.1, n = 0.5, name = "7", is_on = true, list = {2, "a"}, ["eval.n"] = 3})
equal({found.seed, found.dir, found.resume, found.other}, {5, "a=b c", true})
equal(settings(), defaults)
equal({settings().dir, settings().seed}, {})
for text, expected in pairs{
  ["lr=x"] = "'lr' must be a number, got 'x'", ["is_on=1"] = "'is_on' must be true or false",
  ["list=1"] = "'list' must be a list or an object of JSON", ["seed=1.5"] = "'seed' must be an integer",
  ["leraning_rate=1"] = "unknown setting 'leraning_rate'; known: eval.n, is_on, list, lr, n, name, "
    .. "seed, dir, resume",
} do raises(expected, settings, text) end
raises("a default must be a number, a string, a boolean or a table, got function", apo.settings,
  {f = print})
raises("'a b' must be a name", apo.settings, {["a b"] = 1})
do  -- the seed is the process's
  local before, old = arg, apo.seed()
  arg = {"seed=77"}
  apo.settings{}
  equal(apo.seed(), 77)
  arg = before
  apo.seed(old)
end

-- The arguments of a run give any setting back.
local strings = {"", " ", '"', '"quoted"', "a=b", "it's", "\xff\xfe", '"\xff', "1e5", "true", "日本", "\n"}
for _, value in ipairs(strings) do
  local runs = plan{settings = {{name = value}}, grid = {}, seeds = {1}}
  equal(settings(table.unpack(runs[1].arguments)).name, value)
end
for _, value in ipairs{1e-4, 0.1, 1 / 3, 5e-324, math.huge, -math.huge, -0.0, 2^63} do
  local runs = plan{settings = {{lr = value}}, grid = {}, seeds = {1}}
  equal(settings(table.unpack(runs[1].arguments)).lr, value)
end

-- Names of runs: settings × grid × seeds; all settings before the second seed.
local function names(o)
  local list = {}
  for i, run in ipairs(plan{settings = o.settings or {}, grid = o.grid or {}, seeds = o.seeds or {1}}) do
    list[i] = run.name
  end
  return list
end
equal(names{}, {"run-seed1"})
equal(names{settings = {{lr = 1e-4}, {beta = 0.5, lr = 3e-4}}, seeds = {1, 2}},
  {"lr=0.0001-seed1", "beta=0.5,lr=0.0003-seed1", "lr=0.0001-seed2", "beta=0.5,lr=0.0003-seed2"})
equal(names{settings = {low = {lr = 1}}, grid = {beta = {1, 2}}}, {"low,beta=1-seed1", "low,beta=2-seed1"})
equal(names{grid = {a = {1, 2}, b = {3, 4}}},
  {"a=1,b=3-seed1", "a=1,b=4-seed1", "a=2,b=3-seed1", "a=2,b=4-seed1"})
local odd = names{settings = {{path = "../x/é \n"}, {path = "../x/è \n"}, {path = ("long"):rep(100)}}}
for _, name in ipairs(odd) do
  assert(#name < 200 and name:find "^[%w%-+._=,~]+$" and name:sub(1, 1) ~= ".", name)
end
assert(odd[1] ~= odd[2])
for expected, o in pairs{
  ["option 'seeds' is empty"] = {seeds = {}}, ["has 2 twice"] = {seeds = {2, 1, 2}},
  ["two settings have the name 'lr=1'"] = {settings = {{lr = 1}, {lr = 1}}},
  ["'seed' cannot be set: use the option 'seeds'"] = {grid = {seed = {1}}},
  ["'dir' cannot be set"] = {settings = {{dir = "x"}}},
  ["option 'settings'[2] must be a table of settings, got number"] = {settings = {{}, 3}},
  ["'lr' must be a number, a string, a boolean or a table of these, got nan"] = {settings = {{lr = 0 / 0}}},
  ["'f' must be a number, a string, a boolean or a table of these, got function"] =
    {settings = {x = {f = print}}},
  ["'s' contains a NUL byte"] = {settings = {{s = "a\0"}}},
  ["option 'grid'.lr must be a list of values, got number"] = {grid = {lr = 1}},
  ["option 'grid'.lr must be a list of values, got an empty table"] = {grid = {lr = {}}},
  ["'lr' is both in the settings and in the grid"] = {settings = {{lr = 1}}, grid = {lr = {1}}},
  ["'l r' must be a name of letters"] = {grid = {["l r"] = {1}}},
} do raises(expected, names, o) end

equal(outcome.statistics{}, nil)
equal(outcome.statistics{3}, {n = 1, mean = 3})
equal(outcome.statistics{1, 2, 3, 4}, {n = 4, mean = 2.5, std = math.sqrt(5 / 3)})

-- A script whose metric depends on its settings and random numbers; in a folder that needs quotes.
local script = spec.folder .. "/it's a \"script\".lua"
local base = [[
  local apo = require "apo"
  local s = apo.settings{lr = 0.5, steps = 3, fails_at = 0, wait = 0}
  print("threads", apo.system.cores() and os.getenv "APO_THREADS")
  local run = apo.run{dir = s.dir, resume = s.resume, total = s.steps, settings = s, quiet = true}
  for step in run:steps() do
    if s.fails_at == step and not io.open(s.dir .. "/mended") then error "judge offline" end
    apo.system.sleep(s.wait)
    run:log{reward = s.lr + step, noise = math.random() + apo.rand(1):item()}
    if step == 2 then run:log_eval{reward = -s.lr * apo.seed()} end
  end
]]
spec.write(script, base)
local function sweep(changes)
  local o = {script = script, program = spec.program, quiet = true, dir = spec.folder .. "/a 'sweep'"}
  for name, value in pairs(changes) do o[name] = value end
  return apo.sweep(o)
end
local function metrics(dir)
  return (spec.read(dir .. "/metrics.jsonl"):gsub('"seconds":[^,}]*', ""))
end
local o = {grid = {lr = {0.25, 0.5}}, seeds = {1, 2, 3}, parallel = 3, threads = 2}
local result = sweep(o)
equal({result.failed, result.metric, #result.runs, #result.settings}, {0, "eval/reward", 6, 2})
equal(result.settings[2], {name = "lr=0.5", settings = {lr = 0.5}, final = {n = 3, mean = -1, std = 0.5},
                           best = {n = 3, mean = -1, std = 0.5}})
equal({result.runs[1].seed, result.runs[1].final, result.runs[1].settings}, {1, -0.25, {lr = 0.25}})
assert(spec.read(result.report):find("lr=0.5", 1, true))
assert(spec.read(result.runs[1].dir .. "/output.log"):find("threads\t2\n", 1, true))
local reward = sweep{grid = o.grid, seeds = o.seeds, metric = "reward", mode = "min"}
equal({reward.settings[1].final.mean, reward.settings[1].best.mean}, {3.25, 1.25})

-- The same bytes whatever runs at the same time; other seeds give others.
local one = sweep{grid = o.grid, seeds = o.seeds, dir = spec.folder .. "/one"}
for i, run in ipairs(one.runs) do equal(metrics(run.dir), metrics(result.runs[i].dir)) end
assert(metrics(one.runs[1].dir) ~= metrics(one.runs[3].dir))

-- Again: nothing is run a second time; a seed more is one run more of each setting.
local logs = {}
for i, run in ipairs(result.runs) do logs[i] = spec.read(run.dir .. "/output.log") end
o.seeds[4] = 9
local more = sweep(o)
equal({#more.runs, more.settings[1].final.n}, {8, 4})
for i, run in ipairs(result.runs) do equal(spec.read(run.dir .. "/output.log"), logs[i]) end

-- One that fails does not stop the others; it goes on from its checkpoint once it can.
local failing = {settings = {good = {}, bad = {fails_at = 3}}, seeds = {1, 2}, parallel = 2,
                 dir = spec.folder .. "/failing"}
local function said(body)
  local lines, before = {}, print
  print = function(text) lines[#lines + 1] = text end
  local ok, problem = pcall(body)
  print = before
  if not ok then error(problem, 0) end
  return table.concat(lines, "\n")
end
failing.quiet = os.getenv "APO_QUIET" ~= nil
local text = said(function() result = sweep(failing) end)
equal({result.failed, result.settings[1].name, result.settings[1].final}, {2, "bad"})
equal(result.runs[1].fault, "ended with status 1")
if not failing.quiet then
  assert(text:find("failed   bad-seed1  step 2/3", 1, true), text)
  assert(text:find("| [^\n]*: judge offline"), text)
  assert(text:find("2 of 4 runs failed", 1, true), text)
  assert(text:find("eval/reward%s+runs%s+final"), text)
  assert(text:find("good%s+2 of 2%s+%-0.75 ± 0.35"), text)
end
for seed = 1, 2 do spec.write(("%s/bad-seed%d/mended"):format(failing.dir, seed), "") end
failing.quiet = true
result = sweep(failing)
equal({result.failed, result.settings[1].final.n}, {0, 2})
local whole = sweep{settings = {bad = {fails_at = 0}}, seeds = {1, 2}, dir = spec.folder .. "/whole"}
for i = 1, 2 do
  local other = result.runs[2 * i - 1]
  equal(other.name, whole.runs[i].name)
  equal(metrics(other.dir), metrics(whole.runs[i].dir))
end

-- A script that keeps no run, takes another seed, does not know a setting, or is killed.
local function fault(text, settings)
  spec.write(script, text)
  local dir = ("%s/fault%d"):format(spec.folder, #text)
  return sweep{settings = {settings or {lr = 1}}, seeds = {4}, dir = dir}.runs[1].fault
end
equal(fault "", "left no run in its folder: pass `dir` of apo.settings to apo.train or apo.run")
equal(fault((base:gsub("settings = s,", "seed = 8,"))),
  "ran with seed 8: pass `seed` of apo.settings to apo.seed, apo.train or apo.run")
equal(fault(base, {lrr = 1}), "ended with status 1")
equal(fault(base .. "os.exit(3)"), "ended with status 3")
local pid = "io.open '/proc/self/stat':read 'n'"
equal(fault("os.execute('kill -9 ' .. " .. pid .. ") while true do end"),
  "was killed, perhaps because memory was short")
equal(fault((base:gsub("run:log{", "if step == 2 then return end %0"))), nil)  -- `return` ends a run
local bytes = base:gsub("wait = 0}", "wait = 0, name = ''}"):gsub("settings = s,", "")
equal(fault(bytes, {name = "\xff\n"}), nil)

-- What cannot be.
spec.write(script, base)
raises("no such script.lua: is not a file", sweep, {script = "no such script.lua"})
spec.write(spec.folder .. "/wrong.lua", "local = 1")
raises("wrong.lua:1: <name> expected near '='", sweep, {script = spec.folder .. "/wrong.lua"})
raises("is the folder of a run; choose another", sweep, {dir = whole.runs[1].dir})
raises("was started with other settings (fails_at=0)", sweep,
  {settings = {bad = {fails_at = 1}}, dir = spec.folder .. "/whole"})
spec.write(spec.folder .. "/other.lua", base)
raises("holds a sweep of", sweep, {script = spec.folder .. "/other.lua"})
local lock = system.lock(spec.folder .. "/whole/.lock")
raises("another sweep is writing to", sweep, {dir = spec.folder .. "/whole"})
lock:free()
raises("nothing: cannot be started: No such file", sweep,
  {program = "nothing", dir = spec.folder .. "/program"})
spec.write(spec.folder .. "/whole/sweep.json", '{"runs": {}}')
raises("sweep.json: must have the fields 'script' and 'runs'", sweep, {dir = spec.folder .. "/whole"})
