-- Every algorithm trains the model of the examples: deterministic, resumable to the same bytes, with
-- its own figures. Wrong options raise errors that list the known ones.
local spec = ...
local apo = require "apo"
local equal, close, raises = spec.equal, spec.close, spec.raises

local examples = spec.checkout .. "/examples"
local data = apo.dataset(examples .. "/data/arithmetic/train.jsonl"):take(24)
local function reward(row, completion)
  return (completion.text == row.answer and 1 or 0) + 0.1 * #completion.text
end

-- A few steps; the options of the algorithm by its name.
local function train(algorithm, changes)
  local policy = apo.load(examples .. "/models/arithmetic")
  local options = {
    policy = policy, algorithm = algorithm, data = data, reward = reward, lr = 1e-3,
    batch_size = 6, mini_batch = 3, max_tokens = 5, seed = 7, quiet = true, entropy_coef = 1e-3,
  }
  for name, value in pairs(changes or {}) do options[name] = value or nil end
  return apo.train(options), policy
end

local changing = {"seconds", "step_time", "started", "timing_s/[%w_]+", "perf/throughput",
                  "perf/peak_memory", "perf/resident_memory"}
local function without_times(path)
  local text = spec.read(path)
  for _, name in ipairs(changing) do text = text:gsub('"' .. name .. '":[%d.e+-]+,?', "") end
  return text
end

local function files(folder, prefix, list)
  for _, name in ipairs(apo.system.list(folder)) do
    if apo.system.exists(folder .. "/" .. name) == "file" then list[#list + 1] = prefix .. name
    else files(folder .. "/" .. name, prefix .. name .. "/", list) end
  end
  return list
end

local function same_run(a, b)
  equal(without_times(a .. "/metrics.jsonl"), without_times(b .. "/metrics.jsonl"))
  equal(spec.read(a .. "/completions.jsonl"), spec.read(b .. "/completions.jsonl"))
  local names = files(a .. "/checkpoint/step-4", "", {})
  equal(files(b .. "/checkpoint/step-4", "", {}), names)
  for _, name in ipairs(names) do
    local function read(dir)
      local path = dir .. "/checkpoint/step-4/" .. name
      if name ~= "state.json" and name ~= "checksums.json" then return spec.read(path) end
      local state = apo.json.read(path)
      if state.files then state.files["state.json"] = nil end
      state.seconds, state.sizes = nil, nil  -- the figures' lengths depend on times
      return apo.json.encode(state)
    end
    assert(read(a) == read(b), name .. " differs")
  end
  return names
end

local cases = {
  {"grpo", {n = 3, inner_epochs = 2}, {"policy/clip_fraction", "policy/approx_kl", "kl",
   "frac_reward_zero_std", "advantage"}},
  {"dr_grpo", {n = 3}, {"policy/clip_fraction", "advantage"}},
  {"dapo", {n = 3, resample = 1}, {"policy/clip_fraction", "dapo/left_out_frac", "dapo/rounds"}},
  {"online_dpo", {n = 3}, {"dpo/margin", "dpo/accuracy", "kl", "frac_reward_zero_std"}},
  {"oapl", {n = 3, sync = 3}, {"oapl/lag", "oapl/log_ratio", "advantage"}},
  {"ppo", {n = 2, inner_epochs = 2, critic_lr = 1e-3}, {"policy/clip_fraction", "critic/loss",
   "critic/grad_norm", "critic/explained_var", "critic/clip_fraction", "critic/value",
   "timing_s/values", "timing_s/update_critic", "kl", "advantage"}},
  {"rebel", {}, {"frac_reward_zero_std"}},
  {"rloo", {n = 2}, {"kl", "advantage"}},
  {"reinforce", {}, {"baseline", "advantage"}},
  {"reinforce", {baseline = "batch", kl_coef = 0.1}, {"baseline", "kl"}},
}

for i, case in ipairs(cases) do
  local name, own, metrics = table.unpack(case)
  local algorithm = apo.algorithms[name](own)
  local one, two = ("%s/%s-%d"):format(spec.folder, name, i), ("%s/%s-%d-2"):format(spec.folder, name, i)
  local result, policy = train(algorithm, {dir = one})
  equal({result.steps, apo.json.read(one .. "/run.json").settings.algorithm.name}, {4, name})
  assert(policy:checksum() ~= apo.load(examples .. "/models/arithmetic"):checksum())
  for _, metric in ipairs{"loss", "grad_norm", "reward", "reward_std", "completions/mean_length",
    "entropy", table.unpack(metrics)} do
    assert(type(result.metrics[metric]) == "number", name .. ": " .. metric .. " is missing")
  end
  local killed = {dir = two, save_every = 1, on_step = function(record)
    if record.step == 3 then error("killed") end
  end}
  raises("killed", train, algorithm, killed)
  train(algorithm, {dir = two, save_every = 1, resume = true})
  local names = table.concat(same_run(one, two), " ")
  equal(names:find("critic/model.safetensors", 1, true) ~= nil, name == "ppo")
  equal(names:find("critic_optimizer.safetensors", 1, true) ~= nil, name == "ppo")
  equal(names:find("sampler/model.safetensors", 1, true) ~= nil, name == "oapl")
end

-- What they compare rewards with, by hand. The samples of the last step, the rewards they were given.
local samples, result
local function advantages(algorithm, changes)
  local list = {}
  changes = changes or {}
  changes.mini_batch, changes.entropy_coef, changes.max_steps = false, 0, changes.max_steps or 1
  changes.on_step = changes.on_step or function(_, given) samples = given end
  local result = train(algorithm, changes)
  for i, sample in ipairs(samples) do list[i] = sample.advantage end
  return list, result.metrics
end

local list = advantages(apo.algorithms.rloo{n = 2, kl_coef = 0})
for i = 1, #list, 2 do
  close(list[i], samples[i].reward - samples[i + 1].reward)
  close(list[i + 1], -list[i])
end
list = advantages(apo.algorithms.dr_grpo{n = 2})
for i = 1, #list, 2 do close(list[i], (samples[i].reward - samples[i + 1].reward) / 2) end
list = advantages(apo.algorithms.oapl{n = 2, beta1 = 0.5})
for i = 1, #list, 2 do
  local a, b = samples[i].reward, samples[i + 1].reward
  close(list[i], a - 0.5 * math.log((math.exp(a / 0.5) + math.exp(b / 0.5)) / 2), 1e-5)
end
list = advantages(apo.algorithms.ppo{kl_coef = 0})   -- the critic says 0: the reward of each token
for i = 1, #list do close(list[i], samples[i].reward) end

-- The running baseline: the batch's own mean at first, then the average of the steps before, here of
-- rewards 0, 1, 2: at step 3 (0.9 * 0.1 * 0 + 0.1 * 1) / (0.9 * 0.1 + 0.1) = 0.1 / 0.19.
local given, baselines = 0, {}
advantages(apo.algorithms.reinforce{}, {max_steps = 3, reward = function() return given end,
  on_step = function(record, of_step)
    samples, given, baselines[record.step] = of_step, given + 1, record.baseline
  end})
close(baselines[1], 0)
close(baselines[2], 0)
close(baselines[3], 0.1 / 0.19)

-- DAPO draws groups of equal rewards again, other completions each time, and leaves them out in the
-- end; here those of one row are always equal.
local first = data[1].prompt
local function first_is_equal(row, completion)
  return row.prompt == first and 1 or #completion.text + 0.01 * #completion.ids
    + (completion.text:byte(1) or 0) / 1000
end
local dapo = apo.algorithms.dapo{n = 2, resample = 3, overlong = 0}
local one_row = data:take(1)
list, result = advantages(dapo, {data = one_row, reward = first_is_equal, batch_size = 1})
equal({#samples, #list, result.loss, result["dapo/left_out_frac"], result["dapo/rounds"]},
  {8, 0, nil, 1.0, 4.0})
local different = {}
for _, sample in ipairs(samples) do different[sample.completion.text] = true end
assert(next(different, next(different)), "the rounds draw the same completions")
list, result = advantages(dapo, {data = data:take(6), reward = first_is_equal, batch_size = 6})
assert(result["dapo/left_out_frac"] >= 1 / 6 - 1e-9 and result.loss)
for _, sample in ipairs(samples) do
  if sample.row.prompt == first then equal(sample.advantage, nil) end
end
-- Overlong: of 5 tokens the buffer is 1, so a completion of 5 tokens loses 1.
list = advantages(apo.algorithms.dapo{n = 2, resample = 0, eps = 0})
for i = 1, #samples, 2 do
  local a, b = samples[i], samples[i + 1]
  if a.advantage then
    local shaped = a.reward - b.reward - (a.length == 5 and 1 or 0) + (b.length == 5 and 1 or 0)
    close(a.advantage * math.abs(shaped), shaped / 2 ^ 0.5, 1e-4)
  end
end

-- Online DPO: the margin is 0 while the policy is the reference, the loss ln 2.
close(train("online_dpo", {max_steps = 1, mini_batch = false, entropy_coef = 0}).metrics.loss,
  math.log(2), 1e-4)

-- From the reference itself: the gradient is that of -ln sigmoid at 0, and the loss falls.
local adapted = apo.load(examples .. "/models/arithmetic"):add_adapter{r = 4, seed = 1}
local learned = train("online_dpo", {policy = adapted, max_steps = 6, epochs = 2, mini_batch = false,
  entropy_coef = 0, lr = 1e-2}).history
assert(learned[1].grad_norm > 1e-4 and learned[6].loss < learned[1].loss)

-- A target may do what it likes with what it is given.
train("astarpo", {max_steps = 1, target = function(s)
  for name in pairs(s) do s[name] = nil end
  return 1
end, on_step = function(_, list) equal({list[1].target, type(list[1].reward)}, {1, "number"}) end})

-- A micro-batch changes memory only: the same loss and nearly the same gradient.
local grpo = apo.algorithms.grpo{n = 4}
local plain, small = train(grpo, {max_steps = 1}), train(grpo, {max_steps = 1, micro_batch = 2})
close(plain.metrics.loss, small.metrics.loss)
close(plain.metrics.grad_norm, small.metrics.grad_norm, 1e-5)

-- A name, a function and a table all say which algorithm.
local one = train("grpo", {max_steps = 1, batch_size = 3}).metrics
equal(train(apo.algorithms.grpo, {max_steps = 1, batch_size = 3}).metrics.loss, one.loss)
equal(train(apo.algorithms.grpo{}, {max_steps = 1, batch_size = 3}).metrics.loss, one.loss)

-- One's own: the best of n. What it notes is seen by on_step.
local best_of = apo.algorithm{
  name = "best_of", summary = "Imitates the best of n samples.",
  options = {{name = "n", type = "integer", minimum = 2, default = 4, text = "samples"}},
  step = function(s, o)
    local rollout = s:generate{n = o.n}
    local rewards = s:score(rollout):reshape(-1, o.n)
    local is_best = rewards:ge(rewards:max(2, true)):reshape(#rollout)
    s:note(rollout, "is_best", is_best)
    for part in s:minibatches(rollout, {n = o.n}, {is_best = is_best}) do
      s:update(-(part.is_best * s:logprobs(part)):mean())
    end
    s:log{best = is_best:mean()}
  end,
}
local seen
local result = train(best_of{n = 2}, {max_steps = 1, on_step = function(_, list) seen = list end})
equal({#seen, seen[1].is_best + seen[2].is_best >= 1}, {12, true})
assert(result.metrics.best >= 0.5)
equal(result.metrics.kl, nil)   -- there is no reference …
local reference = apo.load(examples .. "/models/arithmetic"):freeze()
close(train(best_of{n = 2}, {max_steps = 1, reference = reference}).metrics.kl, 0)  -- … unless given
result = train({step = function(s) s:score(s:generate()) end}, {max_steps = 1})   -- no update at all
equal({result.steps, result.metrics.loss}, {1, nil})

-- Completions of several calls, chosen and put together.
local texts
train({step = function(s)
  local a, b = s:generate{rows = {s.rows[1]}}, s:generate{rows = {s.rows[2]}, n = 2}
  s:score(a)
  s:score(b)
  local chosen = s:select({a, b}, {3, 1})
  texts = {{a[1].text, b[2].text}, {chosen[2].text, chosen[1].text}}
  equal(s:samples_of(chosen)[1].completion.text, b[2].text)
  raises("select: there is no completion 4, there are 3", s.select, s, {a, b}, {4})
  raises("the rollout is not from this step", s.score, s, s.policy:generate("1+1="))
  raises("minibatches: 'x' must have a number for each of the 2 completions or",
    function() s:minibatches(chosen, {}, {x = apo.zeros(99)})() end)
end}, {max_steps = 1})
equal(texts[1], texts[2])

-- Mistakes.
raises("train: option 'algorithm': there is no 'gpro'; there are astarpo, ", train, "gpro")
raises("train: option 'algorithm' has an unknown field 'stpe'; known: name, options, takes, needs_reference",
  train, {stpe = 1})
raises("a table with a function 'step' expected, as apo.algorithm makes it, got step = nil", train, {})
raises("option 'algorithm': the function returned nil, a table expected", train, function() end)
raises("train: the algorithm 'grpo' does not use the option 'beta'; its own options are those of "
  .. "apo.algorithms.grpo{…}", train, "grpo", {beta = 0.04})
raises("does not use the option 'target'", train, "rebel", {target = function() return 1 end})
raises("train: option 'values' is missing", train, "astarpo")
raises("unknown option 'clp'", apo.algorithms.grpo, {clp = 0.1})
raises("option 'n' must be an integer of at least 2", apo.algorithms.rloo, {n = 1})
for given, takes in pairs{valu = {"valu"}, beta = {beta = 1}, ["5"] = {5}} do
  raises(("algorithm 'x': takes: a list of names expected, out of beta, loss, target, values, got '%s'")
    :format(given), train, apo.algorithm{name = "x", summary = "X.", step = print, takes = takes})
end
for given, n in pairs{["0"] = 0, string = function() return "many" end} do
  raises("train: option 'algorithm': field 'n' must be an integer of at least 1, got " .. given, train,
    {step = print, n = n})
end
raises("field 'n' must be an integer or function, got string", train, {step = print, n = "4"})
for name, text in pairs{cut = 5, nothing = print} do
  raises(("warnings: functions by these names expected: same_rewards, all_cut, cut, equal_groups, "
    .. "nothing_updated, zero_gradient, no_update, far_away, unsolved, all_solved, disagreement; got a %s "
    .. "for '%s'"):format(type(text), name), train, {step = print, warnings = {[name] = text}})
end
raises("loss: a part with a rollout expected, as from s:minibatches", train,
  {step = function(s) s:loss({}, print) end})
raises("log: 'x' must be a number, got string", train, {step = function(s) s:log{x = "1"} end})
raises("there is no reference: the algorithm does not declare needs_reference = true", train,
  {step = function(s) s:reference_logprobs(s:generate()) end})
raises("the algorithm 'algorithm' drew no completions in step 1: s:generate is missing", train,
  {step = function() end})
raises("scored no completions in step 1: s:score is missing", train, {step = function(s) s:generate() end})
raises("the algorithm 'algorithm' scored 6 of 12 completions in step 1: s:score is missing", train,
  {step = function(s) s:score(s:generate()); s:generate() end})
raises("unknown option 'inner_epochs'; known options: epochs, n", train,
  {step = function(s) s:minibatches(s:generate(), {inner_epochs = 2}) end})
raises("cannot keep an object of type apo.Rollout", train, {
  step = function() end, start = function(run) return {r = run.policy:generate("1+1=")} end,
})

local frozen = apo.load_value_model(examples .. "/models/arithmetic")
for _, parameter in ipairs(frozen:parameters()) do parameter:requires_grad_(false) end
raises("ppo: option 'critic' is frozen", train, apo.algorithms.ppo{critic = frozen})
for name, value in pairs{takes = 5, start = 3, options = 5, name = {}, loss = 1} do
  raises(("train: option 'algorithm': field '%s' must be a "):format(name), train,
    {step = print, [name] = value})
end
local function keeping(state)
  return {step = function() error "a step was taken" end, start = function() return state end}
end
raises("the function 'start' of 'algorithm' must return a table, got number", train, keeping(5))
for _, name in ipairs{"../../x", "policy", "optimizer", "a.b", "", "a\n"} do
  raises(("an algorithm cannot keep something as '%s': a name of letters, digits and _"):format(name),
    train, keeping{[name] = 1})
end
raises("cannot keep something as '1'", train, keeping{7})
raises("cannot keep a function ('f'): models, optimizers, numbers and strings", train,
  keeping{f = print})
raises("cannot keep an object of type apo.Tensor", train, keeping{t = apo.zeros(2)})
raises("option 'kl_coef' must be", apo.algorithms.grpo, {kl_coef = math.huge})
raises("option 'beta' must be", apo.algorithms.online_dpo, {beta = math.huge})
raises("train: option 'beta' must be a number from 0 to 1000000000 or function, got inf", train, "astarpo",
  {beta = math.huge, target = function() return 1 end})

-- Another algorithm, or another of its options, is another run.
local dir = spec.folder .. "/other"
train("rloo", {dir = dir, max_steps = 1})
raises("the run was started with other settings (algorithm.name was \"rloo\", now \"grpo\")", train, "grpo",
  {dir = dir, resume = true})
raises("(algorithm.options.kl_coef was 0.05, now 1)", train, apo.algorithms.rloo{kl_coef = 1}, {dir = dir, resume = true})
