-- Trainings that end before their last step leave a checkpoint of the last whole one, say what it
-- was, and go on to the same bytes.
local spec = ...
local apo = require "apo"
local equal, raises = spec.equal, spec.raises
local system = apo.system

local set_up = spec:training{rows = 24, prompt = "What is %d plus 2?\27[31m"}
local train, data, reward = set_up.train, set_up.data, set_up.reward
local target, regression = set_up.target, set_up.regression
local folder, steps = set_up.folder, set_up.steps
spec.write(spec.folder .. "/rows.jsonl", apo.json.encode(data[1]) .. "\n"
  .. apo.json.encode(data[2]) .. "\n")
local function events(dir, kind)
  local found = {}
  for event in apo.json.read_lines(dir .. "/events.jsonl") do
    if event.event == kind then found[#found + 1] = event end
  end
  return found
end
local function same_end(a, b)
  for _, name in ipairs{"policy/model.safetensors", "optimizer.safetensors"} do
    local last = "/checkpoint/step-6/" .. name
    assert(spec.read(a .. last) == spec.read(b .. last),
      a .. " and " .. b .. " end with other bytes: " .. name)
  end
  equal(spec.read(a .. "/completions.jsonl"), spec.read(b .. "/completions.jsonl"))
end

local whole = folder()
train{dir = whole}

-- An error of each hook in step 4 leaves step 3, or step 4 where that is whole; it names the
-- function and the option, keeps its place, and the run goes on to the same bytes.
local function failing(f)
  local left = 13
  return function(...)
    left = left - 1
    if left == 0 then error("judge offline") end
    return f(...)
  end
end
local function at_step(wanted, f)
  return function(a, b)
    local step = type(a) == "number" and a or a.step
    if step == wanted then error("judge offline") end
    return f(a, b)
  end
end
local eval = {data = data:take(3), every = 4}
local cases = {
  {name = "reward", hook = failing(reward), left = 3, row = true},
  {name = "target", hook = failing(target), left = 3, row = true},
  {name = "loss", hook = at_step(4, regression), left = 3, other = {loss = regression}},
  {name = "beta", hook = at_step(4, function() return 1e-2 end), left = 3,
   other = {beta = function() return 1e-2 end}},
  {name = "schedule", hook = at_step(4, function() return 1 end), left = 3,
   other = {schedule = function() return 1 end}},
  {name = "on_step", hook = at_step(4, function() end), left = 4},
}
for _, case in ipairs(cases) do
  local dir, options = folder(), {}
  for name, value in pairs(case.other or {}) do options[name] = value end
  options.dir, options[case.name] = dir, case.hook
  local ok, message = pcall(train, options)
  assert(not ok and message:find("^stopped.lua:%d+: judge offline\n  in the ")
    or message:find("judge offline\n  in the ", 1, true), tostring(message))
  assert(message:find(("in the %s function ("):format(case.name), 1, true), message)
  assert(message:find(("option '%s' of apo.train, step 4"):format(case.name), 1, true), message)
  if case.row then assert(message:find("plus 2?\\x1B[31m)", 1, true), message) end
  assert(not message:find("\27", 1, true))
  equal(steps(dir), {"step-" .. case.left})
  equal(system.exists(dir .. "/report.html"), "file")
  equal({events(dir, "stopped")[1].step, events(dir, "stopped")[1].kind}, {case.left, "error"})
  options.resume, options[case.name] = "force", (case.other or {})[case.name] or false
  if case.name == "reward" then options.reward = reward end
  if case.name == "target" then options.target = target end
  equal(train(options).steps, 6)
  if not case.other then same_end(whole, dir) end
end

-- Of an evaluation, and what says whether an answer is correct.
for name, hook in pairs{reward = failing(reward), correct = failing(function() return true end)} do
  local dir = folder()
  local of = {data = data:take(3), every = 1, [name] = hook}
  local ok, message = pcall(train, {dir = dir, eval = of})
  local expected = ("option 'eval.%s' of apo.train, the evaluation after step 4"):format(name)
  assert(not ok and message:find(expected, 1, true), message)
  equal(steps(dir), {"step-4"})
end

-- The last evaluation is in the checkpoint of its step also when the run was stopped before it, and
-- is not made a second time by a finished run.
do
  local dir, count = folder(), 0
  local of = {data = data:take(3), every = 4}
  local all = train{dir = folder(), eval = of}
  local function counted(...) count = count + 1; return reward(...) end
  of.reward = function(...) return count >= 6 and error("judge offline") or counted(...) end
  assert(not pcall(train, {dir = dir, eval = of}))
  local path = dir .. "/checkpoint/step-6/state.json"
  equal(apo.json.read(path).evaluated, 4)
  of.reward = counted
  equal(train{dir = dir, eval = of, resume = "force"}.evaluation.mean, all.evaluation.mean)
  equal({apo.json.read(path).evaluated, count}, {6, 9})
  equal(train{dir = dir, eval = of, resume = true}.evaluation.mean, all.evaluation.mean)
  equal(count, 9)
  -- Killed where the first checkpoint of the step has gone and the second has no name yet.
  system.rename(dir .. "/checkpoint/step-6", dir .. "/checkpoint/.step-6")
  equal(train{dir = dir, eval = of, resume = true}.evaluation.mean, all.evaluation.mean)
  equal({count, steps(dir)}, {9, {"step-6"}})
end

-- Of an algorithm.
do
  local dir = folder()
  raises("option 'algorithm' of apo.train, step 1", train, {dir = dir, target = false, algorithm = {
    name = "mine", step = function() error("no idea") end}})
  equal(steps(dir), {"step-0"})
end

-- Errors that are tables go on as they are; what is known of the place is in events.jsonl.
do
  local dir, thrown = folder(), {code = 3}
  local ok, caught = pcall(train, {dir = dir, reward = function() error(thrown) end})
  equal({ok, rawequal(caught, thrown), steps(dir)}, {false, true, {"step-0"}})
  assert(events(dir, "stopped")[1].text:find("in the reward function (", 1, true))
  raises("attempt to yield", coroutine.wrap(train),
    {dir = folder(), reward = function() coroutine.yield() end})
end

-- A limit of time around a training: a checkpoint, and the folder is free again.
do
  local dir = folder()
  local in_time, place = system.time_limit(2, function()
    train{dir = dir, on_step = function(record) while record.step == 3 do end end}
  end)
  equal(in_time, false)
  assert(place:find("support.lua:%d+$"), place)  -- where apo.train was called
  equal({steps(dir), events(dir, "stopped")[1].kind}, {{"step-3"}, "time"})
  equal(train{dir = dir, resume = true}.steps, 6)
  same_end(whole, dir)
end

-- Checkpoints by time; a checkpoint or a figure that cannot be written, a curve that cannot be
-- drawn.
do
  local dir, seen = folder(), {}
  train{dir = dir, save_minutes = 0,
    on_step = function(r) seen[r.step] = steps(dir)[1] or "none" end}
  equal({seen[1], seen[2], seen[3]}, {"none", "step-1", "step-1"})
  for name, of in pairs{rename = "step-3", append = "metrics.jsonl"} do
    dir = folder()
    local before = system[name]
    local function on_step(record)
      if record.step ~= 3 then return end
      system[name] = function(a, b)
        if (b .. a):find(of, 1, true) then error("No space left on device", 0) end
        return before(a, b)
      end
      if name == "rename" then error("judge offline") end
    end
    local ok, message = pcall(train, {dir = dir, save_every = 2, on_step = on_step})
    system[name] = before
    local expected = name == "rename" and "judge offline" or "No space left"
    assert(not ok and message:find(expected, 1, true), message)
    equal(steps(dir), {"step-2"})
    equal(train{dir = dir, resume = true, save_every = 2}.steps, 6)
    same_end(whole, dir)
  end
  local plot = apo.plot
  apo.plot = function() error "no colours" end
  equal(train{dir = folder()}.steps, 6)
  apo.plot = plot
end

-- The state of a script: exactly what it was, in rewards, targets, losses and on_step.
do
  local function run(dir, fails, resume)
    local state = {baseline = 0.0, n = 0, lists = {{1, 2.0}, {}}, bytes = "\0\xFF",
      [true] = 1 << 60,
                   nan = 0 / 0, inf = -math.huge, zero = -0.0}
    local function moving(s)
      rawequal(s.state, state)
      local value = s.state.baseline
      s.state.baseline, s.state.n = 0.9 * value + 0.1 * s.reward, s.state.n + 1
      if fails and s.state.n == 15 then error("moved") end
      return s.reward - value
    end
    local ok, message = pcall(train, {dir = dir, state = state, target = moving, resume = resume,
      reward = function(row, completion, given)
        assert(given == state)
        return reward(row, completion)
      end,
      on_step = function(_, _, given) given.lists[2][#given.lists[2] + 1] = 1 end})
    return state, ok, message
  end
  local one, two = folder(), folder()
  local state = run(one)
  local stopped, ok = run(two, true)
  equal({ok, stopped.n, steps(two)}, {false, 15, {"step-3"}})
  local again, went_on, message = run(two, false, "force")
  assert(went_on, message)
  same_end(one, two)
  equal({again.baseline, again.n, #again.lists[2]}, {state.baseline, 24, 6})
  equal({math.type(again.lists[1][1]), math.type(again.lists[1][2]), again.bytes, again[true]},
    {"integer", "float", "\0\xFF", 1 << 60})
  equal({again.nan ~= again.nan, again.inf, 1 / again.zero}, {true, -math.huge, -math.huge})
  raises("option 'state'.a[1].f is a function: numbers, strings, booleans", train,
    {state = {a = {{f = print}}}})
  local shared = {}
  raises("option 'state'.b is the same table as option 'state'.a", train,
    {state = {a = shared, b = shared}})
  raises("option 'state'.t has a metatable", train, {state = {t = setmetatable({}, {})}})
  local into = {}
  raises("option 'state'.model is a userdata", train,
    {state = into, dir = folder(), on_step = function() into.model = apo.zeros(1) end})
  raises("holds the script's state, but the option 'state' is not given", train,
    {dir = one, resume = "force"})
end

-- What an algorithm keeps may be tables too.
do
  local dir, seen = folder(), {}
  local function run(max_steps)
    train{dir = dir, target = false, resume = max_steps > 1, max_steps = max_steps, algorithm = {
      name = "mine", start = function() return {past = {}} end,
      step = function(s)
        local rollout = s:generate()
        s:score(rollout)
        s:update(-s:logprobs{rollout = rollout}:mean())
        s.state.past[#s.state.past + 1] = s.step + 0.5
        seen = s.state.past
      end}}
  end
  run(1)
  run(3)
  equal(seen, {1.5, 2.5, 3.5})
end

-- A variable of the script that a hook changes is told of once; a constant and a state are not.
do
  local function warnings(hook, state)
    local dir, found = folder(), {}
    train{dir = dir, target = hook, state = state}
    for _, event in ipairs(events(dir, "warning")) do
      if event.text:find("changed during the run", 1, true) then found[#found + 1] = event end
    end
    return found
  end
  local baseline, box, factor = 0, {inner = {mean = 0}}, 2
  local function helper(s) box.inner.mean = box.inner.mean + s.reward end
  local found = warnings(function(s) baseline = baseline + 1 return s.reward - baseline end)
  equal({#found, found[1].step, found[1].text:match "'(%w+)' of the function '(%w+)'"},
    {1, 1, "baseline", "target"})
  equal(#warnings(function(s) helper(s) return s.reward end), 1)
  equal(#warnings(function(s) return s.reward * factor end), 0)
  local state = {n = 0}
  equal(#warnings(function(s) state.n = state.n + 1 return s.reward end, state), 0)
  equal(#warnings(function(s) a_global = (a_global or 0) + 1 return s.reward end), 1)
  a_global = nil
end

-- A mended function: refused, and taken by force, with both texts written down, also when the run
-- is killed right after that.
do
  local dir = folder()
  train{dir = dir, max_steps = 2}
  local path = spec.folder .. "/mended.lua"
  spec.write(path, "return function(s) return s.reward / 2 end -- mended\n")
  local mended = dofile(path)
  raises("(the code of 'target' has changed); use them again to resume it, continue with the new ones with "
    .. 'resume = "force"', train, {dir = dir, target = mended, resume = true})
  train{dir = dir, target = mended, resume = "force", max_steps = 2}
  local event = events(dir, "force")[1]
  equal({event.step, event.functions.target.now:match "%-%- %w+"}, {3, "-- mended"})
  spec.write(dir .. "/events.jsonl", "")
  system.truncate(dir .. "/events.jsonl", 0)
  equal(train{dir = dir, target = mended, resume = true, max_steps = 4}.steps, 4)
  raises("the code of 'target' has changed", train, {dir = dir, resume = true})
end

-- A finished run that is called again gives its results; a longer one goes on, also where the
-- schedule depends on the length, and says so.
do
  local dir = folder()
  local settings = {dir = dir, max_steps = 3, eval = {data = data:take(3), every = 2, n = 2,
                    temperature = 1}, schedule = "linear"}
  local first = train(settings)
  settings.resume = true
  local second = train(settings)
  equal({second.evaluation.mean, second.metrics.reward, #second.history},
    {first.evaluation.mean, first.metrics.reward, #first.history})
  equal(second.evaluation.rows[2].samples, first.evaluation.rows[2].samples)
  equal({second.evaluation.pass_at, second.evaluation.rows[2].prompt},
    {first.evaluation.pass_at, first.evaluation.rows[2].prompt})
  settings.max_steps = 6
  equal(train(settings).steps, 6)
  equal({events(dir, "steps")[1].before, events(dir, "steps")[1].now}, {3, 6})
  equal(apo.json.read(dir .. "/run.json").steps, 6)
  settings.max_steps = 3
  raises("steps was 6, now 3", train, settings)
end

-- Its rows are those that were sampled, also where some are left out or moved since.
do
  local dir, rows = folder(), {}
  for i, size in ipairs{1, 3000, 2, 1, 3000, 3} do
    rows[i] = {prompt = ("a "):rep(size) .. i, answer = i}
  end
  local settings = {dir = dir, max_steps = 1, overlong = "drop", max_tokens = 8}
  settings.eval = {data = apo.dataset(rows), n = 2}
  local first = train(settings).evaluation
  assert(#first.rows < 6 and #first.rows > 2, "some prompts are too long")
  settings.resume = true
  local function check(eval)
    settings.eval = eval
    local again = train(settings).evaluation
    equal(#again.rows, #first.rows)
    for i, record in ipairs(again.rows) do
      equal({record.row.answer, record.prompt, record.samples},
        {first.rows[i].row.answer, first.rows[i].prompt, first.rows[i].samples})
    end
    equal(again.keys, nil)
  end
  check{data = apo.dataset(rows), n = 2}
  settings.resume = "force"
  local data = apo.dataset(rows)
  check{data = data:filter(function(row) return row.answer ~= 2 end), n = 2}
  check{data = apo.dataset{data[6], data[4], data[3], data[1]}, n = 2}
  settings.eval = {data = data:take(1), n = 2}
  equal(train(settings).evaluation, nil)
end

-- Random numbers of a step do not depend on the steps before it.
do
  local function run(dir, fails, resume)
    return pcall(train, {dir = dir, resume = resume, target = function(s)
      if fails and s.step == 4 then error("stop") end
      return s.reward + math.random() + apo.rand(1):item()
    end})
  end
  local one, two = folder(), folder()
  run(one)
  run(two, true)
  equal(steps(two), {"step-3"})
  assert(run(two, false, "force"))
  same_end(one, two)
end

-- Stage 1: the error names row and option; the file keeps what it had.
do
  local path, fails = spec.folder .. "/values.jsonl", true
  local function rewarded(row, completion)
    if fails and row.prompt:find("24", 1, true) then error("judge offline") end
    return reward(row, completion)
  end
  local function estimate()
    return apo.estimate_values{model = apo.load(spec.fixtures .. "/models/tiny-qwen2-tied"), n = 2,
      data = data, reward = rewarded, max_tokens = 4, batch_size = 8, path = path, quiet = true,
        seed = 1}
  end
  raises("option 'reward' of apo.estimate_values, for", estimate)
  local lines = select(2, spec.read(path):gsub("\n", "\n"))
  equal(lines, 17)
  fails = false
  estimate()
  equal(select(2, spec.read(path):gsub("\n", "\n")), 25)
  raises("in the answer function (", apo.evaluate, {model = apo.load(spec.fixtures
    .. "/models/tiny-qwen2-tied"), data = data:take(2), reward = reward, max_tokens = 2,
      quiet = true,
    answer = function() error "no answer" end})
end
