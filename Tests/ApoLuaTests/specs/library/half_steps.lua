-- A step of several updates that ends between two of them leaves a checkpoint of the step before,
-- and the run goes on from it to the bytes of one that was not stopped.
local spec = ...
local apo = require "apo"
local equal, raises = spec.equal, spec.raises
local system, terms = apo.system, apo.terms

local set_up = spec:training{rows = 24, options = {target = false}}
local train, model, regression = set_up.train, set_up.model, set_up.regression
local folder, steps, reward = set_up.folder, set_up.steps, set_up.reward
local function files(dir, prefix, found)
  for _, name in ipairs(system.list(dir)) do
    if system.exists(dir .. "/" .. name) == "file" then found[#found + 1] = prefix .. name
    else files(dir .. "/" .. name, prefix .. name .. "/", found) end
  end
  return found
end
-- These hold the time that a run took.
local is_other = {["state.json"] = true, ["checksums.json"] = true}
local function same_end(a, b)
  local last = "/checkpoint/step-6"
  local names = files(a .. last, "", {})
  equal(files(b .. last, "", {}), names)
  for _, name in ipairs(names) do
    local one, two = spec.read(a .. last .. "/" .. name), spec.read(b .. last .. "/" .. name)
    assert(is_other[name] or one == two, a .. " and " .. b .. " end with other bytes: " .. name)
  end
  equal(spec.read(a .. "/completions.jsonl"), spec.read(b .. "/completions.jsonl"))
end

-- f, which does `instead` when it is called for the nth time.
local function at_call(n, f, instead)
  local calls = 0
  return function(...)
    calls = calls + 1
    if calls == n then instead(...) end
    return f(...)
  end
end
local function fails() error "judge offline" end
local function shortage() return apo.zeros(1 << 38) end

-- Two rounds of sampling, scoring and updating a step; an average of the policy's weights that
-- follows every update, and a number beside it.
local function averaging()
  return {
    name = "averaging",
    start = function(run) return {average = run.policy:clone():freeze(), rounds = 0} end,
    step = function(s)
      for _ = 1, 2 do
        local rollout = s:generate()
        local r = s:score(rollout)
        s:update(-(r * s:logprobs{rollout = rollout}):mean())
        apo.no_grad(function()
          for name, weights in s.policy:named_parameters() do
            local average = s.state.average:parameter(name)
            average:copy_(0.5 * average + 0.5 * weights)
          end
        end)
        s.state.rounds = s.state.rounds + 1
      end
    end,
  }
end

-- What is called in the step, and the call that is in the middle of step 4, or of step 1.
local function patched(table_of, name)
  return function(n, instead, body)
    local before = table_of[name]
    table_of[name] = at_call(n, before, instead)
    local result = table.pack(pcall(body, {}))
    table_of[name] = before
    return table.unpack(result)
  end
end
local function option(name, f)
  return function(n, instead, body) return pcall(body, {[name] = at_call(n, f, instead)}) end
end

local function target(s) return s.reward end
local cases = {
  {"a loss", {target = target, loss = regression, mini_batch = 2},
   option("loss", regression), 8, 2},
  {"an adapter", {target = target, loss = regression, mini_batch = 2},
   option("loss", regression), 8, 2, adapter = true},
  {"grpo", {algorithm = apo.algorithms.grpo{n = 2, inner_epochs = 2}},
   patched(terms, "clipped"), 8, 2},
  {"rebel", {algorithm = apo.algorithms.rebel{inner_epochs = 3}, mini_batch = 2},
   patched(require "apo.step.step", "logprobs"), 21, 2},
  {"ppo's policy", {algorithm = "ppo", mini_batch = 2}, patched(terms, "clipped"), 8, 2},
  {"ppo's critic", {algorithm = "ppo"}, patched(terms, "clipped_value"), 4, 1},
  {"oapl", {algorithm = apo.algorithms.oapl{n = 2, sync = 2}, mini_batch = 2},
   patched(require "apo.step.step", "logprobs"), 8, 2},
  {"a reward", {algorithm = averaging}, option("reward", reward), 30, 6},
}
for _, case in ipairs(cases) do
  local name, settings, broken, in_fourth, in_first = table.unpack(case)
  local function run(dir, changes, resume)
    local options = {dir = dir, resume = resume}
    for key, value in pairs(settings) do options[key] = value end
    for key, value in pairs(changes) do options[key] = value end
    if case.adapter then options.policy = model():add_adapter{r = 2, seed = 1} end
    return train(options)
  end
  local whole = folder()
  run(whole, {})
  for step, n in pairs{[4] = in_fourth, [1] = in_first} do
    for text, instead in pairs{["judge offline"] = fails, ["memory"] = shortage} do
      local dir = folder()
      local ok, message = broken(n, instead, function(changes) run(dir, changes) end)
      assert(not ok and tostring(message):find(text, 1, true), name .. ": " .. tostring(message))
      equal({name, table.unpack(steps(dir))}, {name, "step-" .. step - 1})
      local state = ("%s/checkpoint/step-%d/state.json"):format(dir, step - 1)
      equal(apo.json.read(state).step, step - 1)
      run(dir, {}, "force")
      same_end(whole, dir)
    end
  end
end

-- A limit of time in the middle of a step, and what the terminal says.
do
  local whole, dir, said = folder(), folder(), {}
  local settings = {target = target, loss = regression, mini_batch = 2}
  settings.dir = whole
  train(settings)
  settings.dir, settings.loss = dir, at_call(8, regression, function() while true do end end)
  settings.quiet = false
  local before = print
  print = function(text) said[#said + 1] = text end
  equal(system.time_limit(2, function() train(settings) end), false)
  print = before
  equal(steps(dir), {"step-3"})
  local text = table.concat(said, "\n")
  local way = "stopped by a time limit in step 4, which was incomplete and is dropped"
  assert(text:find(way, 1, true), text)
  assert(text:find("/checkpoint holds step 3. ", 1, true), text)
  assert(text:find("; step 4 is repeated, with the same results", 1, true), text)
  settings.loss, settings.resume, settings.quiet = regression, "force", true
  train(settings)
  same_end(whole, dir)
end

-- Figures that cannot be written after the updates of a step.
do
  local dir, before = folder(), system.append
  local settings = {dir = dir, target = target, mini_batch = 2}
  system.append = function(path, text, length)
    if path:find "metrics" and text:find '"step":4' then error("No space left on device", 0) end
    return before(path, text, length)
  end
  raises("No space left on device", train, settings)
  system.append = before
  equal(steps(dir), {"step-3"})
  settings.resume = true
  equal(train(settings).steps, 6)
end

-- Without room for a copy the last checkpoint stays; a step that makes more updates than its
-- algorithm says is copied from the next step on.
do
  local dir, before = folder(), apo.memory_estimate
  apo.memory_estimate = function(plan)
    local estimate, text = before(plan)
    if plan.snapshot then estimate.fits = false end
    return estimate, text
  end
  raises("judge offline", train, {dir = dir, target = target, mini_batch = 2, save_every = 2,
    loss = at_call(8, regression, fails)})
  apo.memory_estimate = before
  equal(steps(dir), {"step-2"})
  local whole = folder()
  for path, resume in pairs{[whole] = false, [dir] = "force"} do
    train{dir = path, target = target, mini_batch = 2, save_every = 2, loss = regression,
          resume = resume}
  end
  same_end(whole, dir)

  dir = folder()
  raises("judge offline", train, {dir = dir, algorithm = {
    name = "mine", single_update = true, step = function(s)
      local rollout = s:generate()
      s:score(rollout)
      for i = 1, 2 do
        if s.step == 2 and i == 2 then error "judge offline" end
        s:update(-s:logprobs{rollout = rollout}:mean())
      end
    end,
  }})
  equal(steps(dir), {"step-1"})
end

-- With `watch` a file that fails between two updates is refused, and the step is done with the old
-- one.
do
  local path, whole, dir = spec.folder .. "/loss.lua", folder(), folder()
  local good = [[return function(b)
    return ((1e-2 * (b.logp - b.ref_logp) - b.target) ^ 2):mean()
  end]]
  local bad = [[local n = 0
  return function(b)
    n = n + 1
    b.state.calls = b.state.calls + 100
    return n == 2 and error "typo" or b.logp:mean()
  end]]
  spec.write(path, good)
  local state = {calls = 0}
  local settings = {
    target = target, loss = path, mini_batch = 2, watch = true, dir = whole, state = state,
  }
  train(settings)
  settings.dir = dir
  settings.on_step = function(record) if record.step == 3 then spec.write(path, bad) end end
  train(settings)
  same_end(whole, dir)
  equal(state.calls, 0)
end
