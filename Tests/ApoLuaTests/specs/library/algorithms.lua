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
                  "perf/peak_memory"}
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
      if name ~= "state.json" then return spec.read(path) end
      local state = apo.json.read(path)
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
  same_run(one, two)
end

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
  raises("the rollout is not one of this step", s.score, s, s.policy:generate("1+1="))
  raises("minibatches: 'x' must have a number for each of the 2 completions or",
    function() s:minibatches(chosen, {}, {x = apo.zeros(99)})() end)
end}, {max_steps = 1})
equal(texts[1], texts[2])

-- Mistakes.
raises("train: option 'algorithm': there is no 'gpro'; there are astarpo, ", train, "gpro")
raises("train: option 'algorithm' has an unknown field 'stpe'; known: name, options, start, step",
  train, {stpe = 1})
raises("a table with a function 'step' expected, as apo.algorithm makes it, got step = nil", train, {})
raises("option 'algorithm': the function gave nil, a table expected", train, function() end)
raises("train: the algorithm 'grpo' does not use the option 'beta'; its own options are those of "
  .. "apo.algorithms.grpo{…}", train, "grpo", {beta = 0.04})
raises("does not use the option 'target'", train, "rebel", {target = function() return 1 end})
raises("train: option 'values' is missing", train, "astarpo")
raises("unknown option 'clp'", apo.algorithms.grpo, {clp = 0.1})
raises("option 'n' must be an integer of at least 2", apo.algorithms.rloo, {n = 1})
raises("takes: 'valu' is not one of beta, loss, target, values", apo.algorithm,
  {name = "x", summary = "X.", step = print, takes = {"valu"}})
raises("log: 'x' must be a number, got string", train, {step = function(s) s:log{x = "1"} end})
raises("there is no reference: the algorithm does not say needs_reference = true", train,
  {step = function(s) s:reference_logprobs(s:generate()) end})
raises("cannot keep an object of type apo.Rollout", train, {
  step = function() end, start = function(run) return {r = run.policy:generate("1+1=")} end,
})

-- Another algorithm, or another of its options, is another run.
local dir = spec.folder .. "/other"
train("rloo", {dir = dir, max_steps = 1})
raises("the run was started with other settings (algorithm was {", train, "grpo",
  {dir = dir, resume = true})
raises("(algorithm was {", train, apo.algorithms.rloo{kl_coef = 1}, {dir = dir, resume = true})
