-- What the memory estimate knows of an algorithm is what the algorithm declares; that a copy under
-- another name is estimated as the original is in copied_algorithms.lua.
local spec = ...
local apo = require "apo"
local equal, raises = spec.equal, spec.raises

local examples = spec.checkout .. "/examples"
local data = apo.dataset(examples .. "/data/arithmetic/train.jsonl"):take(8)
local policy = apo.load(examples .. "/models/arithmetic")

-- What apo.train asks apo.memory_estimate for this algorithm.
local function plan_of(algorithm, changes)
  local before, plan = apo.memory_estimate, nil
  apo.memory_estimate = function(given)
    plan = given
    error("only asked", 0)
  end
  local options = {
    policy = policy, algorithm = algorithm, data = data, lr = 1e-3, batch_size = 4, max_tokens = 5,
    reward = function() return 0 end, target = algorithm == "astarpo" and function() return 0 end,
  }
  for name, value in pairs(changes or {}) do options[name] = value end
  for name, value in pairs(options) do options[name] = value or nil end
  local is_trained, problem = pcall(apo.train, options)
  apo.memory_estimate = before
  equal({is_trained, problem}, {false, "only asked"})
  plan.policy = nil  -- two texts of a plan are compared
  plan.critic = plan.critic and tostring(plan.critic)
  return plan
end

local function get(field, list)
  local values = {}
  for i, name in ipairs(list) do values[i] = plan_of(name)[field] end
  return values
end

-- Completions as the policy sampled them, each once; not chosen ones, nor those of a second sampler.
equal(get("fresh", {"astarpo", "dr_grpo", "grpo", "ppo", "reinforce", "rloo"}),
  {true, true, true, true, true, true})
equal(get("fresh", {"dapo", "oapl", "online_dpo", "rebel"}), {false, false, false, false})
equal(plan_of(apo.algorithms.grpo{inner_epochs = 2}).fresh, false)
equal(plan_of("grpo", {entropy_coef = 0.1}).fresh, false)
equal(plan_of{step = function() end}.fresh, false)

-- Completions of a prompt, a second model that samples, a critic.
equal(get("n", {"reinforce", "rebel", "online_dpo", "rloo", "grpo"}), {1, 2, 2, 4, 8})
equal(plan_of{step = function() end, n = 3}.n, 3)
equal({plan_of("oapl").sampler, plan_of("grpo").sampler}, {true, false})
equal({plan_of("ppo").critic, plan_of("grpo").critic}, {tostring(policy)})
local critic = apo.load_value_model(policy)
equal(plan_of(apo.algorithms.ppo{critic = critic}).critic, tostring(critic))

-- What each adds.
local function estimate(changes)
  local options = {policy = policy, batch_size = 4}
  for name, value in pairs(changes) do options[name] = value end
  return (apo.memory_estimate(options))
end
local plain, count = estimate{}, policy:num_parameters()
equal(estimate{critic = policy}.critic, 12 * count)
equal(estimate{sampler = true}.sampler, plain.weights + plain.packed)
equal(estimate{critic = policy, snapshot = true}.snapshot, 24 * count)
equal(estimate{critic = critic}.critic, 12 * count)
equal({plain.critic, plain.sampler, plain.snapshot}, {0, 0, 0})

-- Mistakes.
for field, wrong in pairs{n = 1.5, fresh_samples = 1, sampler = "yes"} do
  raises(("option 'algorithm': field '%s' must be a"):format(field), apo.train, {
    policy = policy, data = data, reward = function() return 0 end, lr = 1, max_tokens = 1,
    algorithm = {step = function() end, [field] = wrong}})
end
