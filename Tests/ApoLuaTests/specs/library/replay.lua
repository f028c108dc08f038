-- What-if on a recorded run, against what the run itself logged and against gradients by hand.
local spec = ...
local apo = require "apo"
local equal, close, raises = spec.equal, spec.close, spec.raises

local folder = spec.fixtures .. "/models/tiny-qwen2-tied"
local list = {}
for i = 1, 8 do list[i] = {prompt = "What is " .. i .. " plus 2?"} end
local data = apo.dataset(list)
local function reward(_, completion) return #completion.text % 3 / 2 end
local function train(name, changes)
  local options = {
    policy = apo.load(folder), data = data, reward = reward, lr = 1e-2, batch_size = 4, max_tokens = 5,
    beta = 0.1, seed = 7, quiet = true, dir = spec.folder .. "/" .. name,
    target = function(s) return s.reward - 0.25 end, temperature = 0.8,
  }
  for key, value in pairs(changes or {}) do options[key] = value or nil end
  return apo.train(options), options.dir
end
local trained, dir = train "run"

-- At the weights that sampled a step the recorded side is what the run logged, to the bit.
local initial = apo.load(folder)
local same = apo.replay(dir, {model = initial})
local logged = trained.history[1]
equal({#same.steps, same.is_initial, same.steps[1].drift}, {2, true, 0.0})
equal(same.steps[1].recorded.loss, logged.policy_loss)
close(same.steps[1].recorded.grad_norm, logged.grad_norm, 1e-5 * logged.grad_norm)
close(same.steps[1].recorded.explained_var, logged["apo/explained_var"], 1e-6)
assert(same.steps[2].drift > 0)
equal({same.steps[1].cosine, same.steps[1].other}, {1.0, same.steps[1].recorded})
equal(initial:checksum(), same.model)
for _, parameter in ipairs(initial:parameters()) do equal(parameter.grad, nil) end

-- The opposite loss turns the gradient around; without a gradient there is no angle.
local function towards(b) return (b.logp * b.target):mean() end
local function away(b) return -towards(b) end
for _, step in ipairs(apo.replay(dir, {model = initial, loss = away, base = {loss = towards}}).steps) do
  close(step.cosine, -1, 1e-5)
end
local none = apo.replay(dir, {model = initial, beta = 0})
equal({none.steps[1].cosine, none.steps[1].other.grad_norm}, {nil, 0.0})
local _, rollout, samples = apo.recorded(dir)()
equal({#rollout, rollout[1].text, samples[1].completion.ids, samples[1].length},
  {4, samples[1].completion.text, rollout[1].ids, #rollout[1].ids})
equal(rollout[1].temperature, 0.8)
close(initial:logprobs(rollout):totable()[2], samples[2].logp, 0)

-- Against gradients computed here.
local function flat(loss)
  loss(initial:logprobs(rollout)):backward()
  local numbers = {}
  for _, parameter in ipairs(initial:parameters()) do
    table.move(parameter.grad:reshape(-1):totable(), 1, parameter:numel(), #numbers + 1, numbers)
  end
  apo.optim.adamw(initial, {lr = 0}):zero_grad()
  return numbers
end
local column = {}
for i, s in ipairs(samples) do column[i] = s.ref_logp end
local ref, r, t = apo.tensor(column), {}, {}
for i, s in ipairs(samples) do r[i], t[i] = s.reward, s.target end
local a = flat(function(logp) return ((0.1 * (logp - ref) - apo.tensor(t)) ^ 2):mean() end)
local b = flat(function(logp) return ((0.3 * (logp - ref) - apo.tensor(r)) ^ 2):mean() end)
local aa, ab, bb = 0, 0, 0
for i = 1, #a do aa, ab, bb = aa + a[i] ^ 2, ab + a[i] * b[i], bb + b[i] ^ 2 end
local other = apo.replay(dir, {model = initial, last = 1, beta = 0.3,
                               target = function(s) return s.reward end})
equal(#other.steps, 1)
close(other.steps[1].cosine, ab / math.sqrt(aa * bb), 1e-4)
close(other.steps[1].other.grad_norm, math.sqrt(bb), 1e-4 * math.sqrt(bb))
close(other.mean.cosine, other.steps[1].cosine, 1e-12)

-- Without a model: the weights of the last checkpoint. The table has a line for each step.
local last = apo.replay(dir)
equal({last.model, last.is_initial}, {apo.load(trained.checkpoint .. "/policy"):checksum(), false})
local lines = 0
for line in tostring(last):gmatch("[^\n]+") do
  lines = lines + 1
  assert(#line <= 100, line)
end
equal(lines, 4)

-- What cannot be replayed says why.
local _, own = train("own_loss", {loss = function(b) return -(b.logp * b.reward):mean() end})
raises("was trained with a custom loss, which is not recorded", apo.replay, own)
apo.replay(own, {base = {loss = function(b) return -(b.logp * b.reward):mean() end}})

-- Other algorithms: their advantages are the recorded targets, and the script gives their loss.
local _, group = train("group", {algorithm = apo.algorithms.rloo{n = 2}, target = false, beta = false})
raises("was trained by the algorithm 'rloo', not by A*-PO: pass its loss as base", apo.replay, group)
local rule = {base = {loss = away}, model = initial}
raises("option 'beta' is missing: the run has none", apo.replay, group, rule)
rule.beta = 1e-4
local regression = apo.replay(group, rule).steps[1]
equal({regression.count, regression.recorded.explained_var}, {8, nil})
close(regression.cosine, 1, 1e-3)                           -- A*-PO's gradient at a small beta

-- Not every run has a reference, or advantages; a loss that needs neither does without. Rows whose
-- rewards were equal are no part of DAPO's update, and of what is replayed of it.
local function by_reward(b) return -(b.reward * b.logp):mean() end
local own = {base = {loss = by_reward}, loss = by_reward, model = initial}
for name, options in pairs{
  dapo = {n = 2, resample = 0}, dr_grpo = {n = 2}, grpo = {n = 2, kl_coef = 0}, oapl = {n = 2},
  online_dpo = {n = 2}, ppo = {}, rebel = {}, reinforce = {}, rloo = {n = 2, kl_coef = 0},
} do
  local result, folder = train("of_" .. name, {
    algorithm = apo.algorithms[name](options), target = false, beta = false, max_steps = 1,
  })
  if result.metrics.loss then
    local step = apo.replay(folder, own).steps[1]
    assert(step.count > 0 and (step.cosine or 1) > 0.999, name)
  end
  if name == "online_dpo" then
    raises("was recorded without 'target'; its algorithm notes none", apo.replay, folder,
      {base = {loss = towards}, model = initial})
  elseif name == "oapl" then
    raises("was recorded without 'ref_logp'; a run that has a reference records it", apo.replay,
      folder, {base = {loss = by_reward}, beta = 1, model = initial})
  end
end

-- What one side's functions do to the samples is not seen by the other.
local changed = apo.replay(dir, {model = initial, base = {target = function(s)
  s.reward, s.logp, s.target = nil, nil, nil
  return 7
end}})
equal(changed.steps[1].other.loss, same.steps[1].recorded.loss)

local logged_text = spec.read(dir .. "/metrics.jsonl")
spec.write(dir .. "/metrics.jsonl", "5\n")
raises("metrics.jsonl: objects expected", apo.replay, dir, {model = initial})
spec.write(dir .. "/metrics.jsonl", (logged_text:gsub('"beta":[%d.]+', '"beta":"x"')))
raises("option 'beta' is missing: the run has none", apo.replay, dir, {model = initial})
spec.write(dir .. "/metrics.jsonl", logged_text)
raises("option 'targt'", apo.replay, dir, {targt = reward})
raises("replay: " .. dir .. " has no completions of these steps", apo.replay, dir, {first = 9})
raises("the target function returned nil for sample 1 of step 1", apo.replay, dir, {target = function() end})
raises("No such file", apo.replay, spec.folder .. "/nowhere")
local text = spec.read(dir .. "/completions.jsonl")
spec.write(dir .. "/completions.jsonl", (text:gsub(',"prompt_ids":%b[]', "")))
raises("completions.jsonl: line 1: there are no token ids", apo.replay, dir)
apo.system.remove_folder(dir .. "/checkpoint")
raises("has no checkpoint: pass the weights to score with", apo.replay, dir)
