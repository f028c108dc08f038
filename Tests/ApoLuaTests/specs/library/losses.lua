-- The formulas of the algorithms against fixtures/losses, which holds values of verl's and the
-- authors' functions in double precision: values to 1e-5, gradients to 1e-6.
local spec = ...
local apo = require "apo"
local equal, close, raises = spec.equal, spec.close, spec.raises
local terms, algorithms = apo.terms, apo.algorithms

local function fixture(name) return apo.json.read(spec.fixtures .. "/losses/" .. name .. ".json") end

-- Rows of numbers as one list, without what the mask hides.
local function flat(mask, rows)
  local list = {}
  for i, row in ipairs(rows) do
    for t, x in ipairs(row) do
      if mask[i][t] == 1 then list[#list + 1] = x end
    end
  end
  return list
end

-- A rollout with as many tokens as the mask shows.
local function rollout_of(mask)
  local records = {}
  for i, row in ipairs(mask) do
    records[i] = {prompt_ids = {1}, ids = {}}
    for _, x in ipairs(row) do if x == 1 then table.insert(records[i].ids, 1) end end
  end
  return apo.rollout(records)
end

local function tensor(mask, rows) return apo.tensor(flat(mask, rows)) end

local function same(given, expected, tolerance)
  if type(given) == "userdata" then given = given:totable() end
  equal(#given, #expected)
  for i, x in ipairs(given) do close(x, expected[i], tolerance or 1e-5) end
end

-- GRPO.

-- Groups may have different sizes in the fixture.
local function group_advantages(case, options)
  local result, first = {}, 1
  while first <= #case.rewards do
    local last = first
    while case.group_index[last + 1] == case.group_index[first] do last = last + 1 end
    local group = apo.tensor(case.rewards):narrow(1, first, last - first + 1)
    local advantage = terms.group_advantage(group, last - first + 1, options)
    table.move(advantage:totable(), 1, last - first + 1, first, result)
    first = last + 1
  end
  return result
end

local advantage_options = {
  ["verl_std_eps1e-6"] = {}, ["trl_std_eps1e-4"] = {eps = 1e-4}, dr_grpo_no_std = {std = false},
}

-- How the fixture's name averages a loss per token.
local aggregations = {
  ["token-mean"] = function(_, t) return t:mean() end,
  ["seq-mean-token-mean"] = function(rollout, t) return rollout:mean(t):mean() end,
  ["seq-mean-token-sum"] = function(rollout, t) return rollout:sum(t):mean() end,
  ["seq-mean-token-sum-norm"] = function(_, t, width) return t:sum() / width end,
}

-- The same through an algorithm's own function where it has that aggregation.
local function of_algorithm(given, b)
  local averages = {["token-mean"] = "token", ["seq-mean-token-mean"] = "completion"}
  if not averages[given.aggregation] then return nil end
  local grpo = algorithms.grpo{
    clip = given.clip_low, clip_high = given.clip_high, dual_clip = given.dual_clip_c,
    kl_coef = given.kl_coef, kl = given.kl, average = averages[given.aggregation],
  }
  return grpo.loss(b, grpo.options)
end

local function check_loss(case, given)
  local mask, rollout = case.response_mask, rollout_of(case.response_mask)
  local b = {
    rollout = rollout, logp = tensor(mask, case.log_probs):requires_grad_(),
    old_logp = tensor(mask, case.old_log_probs), ref_logp = tensor(mask, case.ref_log_probs),
    advantage = rollout:expand(apo.tensor(case.advantages[given.advantage])),
  }
  local t, clip_fraction, moved = terms.clipped(b.logp, b.old_logp, b.advantage, {
    low = given.clip_low, high = given.clip_high, dual = given.dual_clip_c,
  })
  local mean, width = aggregations[given.aggregation], #mask[1]
  local kl = terms.kl(b.logp, b.ref_logp, given.kl)
  close(mean(rollout, t, width):item(), given.policy_loss, 1e-5)
  close(mean(rollout, kl, width):item(), given.kl_value, 1e-5)
  close(clip_fraction, given.clip_fraction, 1e-6)
  close(moved, given.approx_kl, 1e-6)
  local loss = mean(rollout, t + given.kl_coef * kl, width)
  local own, figures = of_algorithm(given, b)
  if own then
    close(own:item(), given.loss, 1e-5)
    close(figures["policy/clip_fraction"], given.clip_fraction, 1e-6)
    loss = own
  end
  close(loss:item(), given.loss, 1e-5)
  if given.name == "dr_grpo" then   -- verl adds where the paper averages over completions
    b.max_tokens = width
    close(algorithms.dr_grpo{}.loss(b, {clip = 0.2}):item() * #rollout, given.loss, 1e-5)
  elseif given.name == "clip_higher" then
    close(algorithms.dapo{}.loss(b, {clip = 0.2, clip_high = 0.28}):item(), given.loss, 1e-5)
  end
  loss:backward()
  same(b.logp.grad, flat(mask, given.grad_log_probs), 1e-5)
end

for _, case in ipairs(fixture "grpo".cases) do
  for name, options in pairs(advantage_options) do
    same(group_advantages(case, options), case.advantages[name])
  end
  for _, given in ipairs(case.losses) do check_loss(case, given) end
end

-- PPO.

for _, case in ipairs(fixture "ppo".cases) do
  local mask, rollout = case.response_mask, rollout_of(case.response_mask)
  local function of(name) return tensor(mask, case[name]) end
  local score = rollout:sum(of "scores")
  same(terms.at_last_token(rollout, score), flat(mask, case.scores))
  local reward = terms.at_last_token(rollout, score)
    - case.kl_coef * (of "old_log_probs" - of "ref_log_probs")
  same(reward, flat(mask, case.rewards_with_kl_penalty))
  local advantage, returns = terms.gae(rollout, reward, of "values", {
    gamma = case.gamma, lambda = case.lam,
  })
  same(advantage, flat(mask, case.advantages_raw))
  same(returns, flat(mask, case.returns))
  same(terms.whiten(advantage), flat(mask, case.advantages_whitened))

  local logp = of "log_probs":requires_grad_()
  local t, clip_fraction, moved = terms.clipped(logp, of "old_log_probs", of "advantages_whitened", {
    low = case.clip,
  })
  close(t:mean():item(), case.policy_loss, 1e-5)
  close(clip_fraction, case.clip_fraction, 1e-6)
  close(moved, case.approx_kl, 1e-6)
  local ppo = algorithms.ppo{clip = case.clip}
  close(ppo.loss({logp = logp, old_logp = of "old_log_probs", advantage = of "advantages_whitened"},
    ppo.options):item(), case.policy_loss, 1e-5)
  t:mean():backward()
  same(logp.grad, flat(mask, case.grad_log_probs))

  local value = of "vpreds":requires_grad_()
  local v, value_clip_fraction = terms.clipped_value(value, of "values", returns, case.value_clip)
  close(v:mean():item(), case.value_loss, 1e-5)
  close(value_clip_fraction, case.value_clip_fraction, 1e-6)
  v:mean():backward()
  same(value.grad, flat(mask, case.grad_vpreds))

  for kind, name in pairs{k1 = "kl", k2 = "mse", k3 = "low_var_kl"} do
    same(terms.kl(of "log_probs", of "ref_log_probs", kind), flat(mask, case.kl_estimators[name]))
  end
end

-- REBEL: the pairs lie side by side, and the gradient of a sum is that of each of its tokens.

local function interleaved(a, b)
  local list = {}
  for i = 1, #a do list[2 * i - 1], list[2 * i] = a[i], b[i] end
  return list
end

for _, case in ipairs(fixture "rebel".cases) do
  local mask = interleaved(case.mask_a, case.mask_b)
  local rollout = rollout_of(mask)
  local tokens = tensor(mask, interleaved(case.log_probs_a, case.log_probs_b)):requires_grad_()
  local rebel = algorithms.rebel{eta = case.eta}
  local loss = rebel.loss({
    logp = rollout:sum(tokens),
    old_logp = rollout:sum(tensor(mask, interleaved(case.old_log_probs_a, case.old_log_probs_b))),
    reward = apo.tensor(interleaved(case.reward_a, case.reward_b)),
  }, rebel.options)
  local expected = case.loss_paper_scaling
  close(loss:item() / expected, 1, 1e-5)
  loss:backward()
  local gradients = flat(mask, interleaved(case.grad_log_probs_a, case.grad_log_probs_b))
  for i, x in ipairs(tokens.grad:totable()) do
    close(x, gradients[i] / case.eta ^ 2, 1e-4 * math.max(1, math.abs(x)))
  end
end

-- By hand.

same(terms.leave_one_out(apo.tensor{1, 0, 0, 1, 1, 1}, 3), {1, -0.5, -0.5, 0, 0, 0})
same(terms.group_advantage(apo.tensor{3, 1}, 2, {eps = 0}), {1 / 2 ^ 0.5, -1 / 2 ^ 0.5})
same(terms.group_advantage(apo.tensor{0.1, 0.1, 0.1}, 3), {0, 0, 0}, 0)   -- exactly
same(terms.group_advantage(apo.tensor{2}, 1), {2})
close(terms.equal_groups(apo.tensor{1, 1, 0, 1, 0, 0}, 2), 2 / 3)
same(terms.whiten(apo.tensor{5}), {0})
same(terms.whiten(apo.tensor{1, 3}), {-1 / 2 ^ 0.5, 1 / 2 ^ 0.5})
for _, x in ipairs{0.1, 1e30, -3} do   -- the mean of equal numbers is rounded
  same(terms.group_advantage(apo.tensor{x, x, x, x, x, x}, 3, {eps = 0}), {0, 0, 0, 0, 0, 0}, 0)
end
raises("group_advantage: 3 numbers do not divide into groups of 2", terms.group_advantage,
  apo.tensor{1, 2, 3}, 2)
raises("leave_one_out: n must be at least 2, got 1", terms.leave_one_out, apo.tensor{1}, 1)

-- Two tokens, values 0.5 and 0.2, reward 1 at the end, gamma 0.5, lambda 0.5:
-- delta_2 = 1 - 0.2 = 0.8; delta_1 = 0.5 * 0.2 - 0.5 = -0.4; A_1 = -0.4 + 0.25 * 0.8 = -0.2.
local two = apo.rollout{{prompt_ids = {1}, ids = {1, 1}}}
local a, r = terms.gae(two, terms.at_last_token(two, apo.tensor{1}), apo.tensor{0.5, 0.2},
  {gamma = 0.5, lambda = 0.5})
same(a, {-0.2, 0.8})
same(r, {0.3, 1})

raises("gae: reward: a number for each of the 2 tokens expected, got shape [1]", terms.gae, two,
  apo.zeros(1), apo.zeros(2))
raises("gae: value: a number for each of the 2 tokens expected, got shape [3]", terms.gae, two,
  apo.zeros(2), apo.zeros(3))
raises("at_last_token: a number for each of the 1 completions expected, got shape [2]",
  terms.at_last_token, two, apo.zeros(2))

-- verl holds low_var_kl within ±10: e^5 - 5 - 1 = 142.4.
same(terms.kl(apo.tensor{-5, 5, -1}, apo.zeros(3), "k3"),
  {10, math.exp(-5) + 4, math.exp(1) - 2})

-- The ratio e^0.5 is clipped where A > 0 and not where A < 0; with a dual clip of 1.2 there too.
local t = terms.clipped(apo.tensor{0.5, 0.5}, apo.zeros(2), apo.tensor{1, -1}, {low = 0.2})
same(t, {-1.2, math.exp(0.5)})
same(terms.clipped(apo.tensor{0.5, 0.5}, apo.zeros(2), apo.tensor{1, -1}, {low = 0.2, dual = 1.2}),
  {-1.2, 1.2})

-- Online DPO: beta 0.1 and log-ratios 0.5 and -0.5 give a margin of 0.1; a lost one stays finite.
local dpo = algorithms.online_dpo{beta = 0.1}
local b = {logp = apo.tensor{-1, -2}, ref_logp = apo.tensor{-1.5, -1.5}}
close(dpo.loss(b, dpo.options):item(), math.log(1 + math.exp(-0.1)))
close(dpo.loss({logp = apo.tensor{-9000, 0}, ref_logp = apo.zeros(2)}, dpo.options):item(), 900, 1e-3)

for _, x in ipairs{0, 0.25, -7} do     -- d/dx -ln sigmoid(beta x) = -beta / (1 + e^(beta x))
  local logp = apo.tensor{x, 0}:requires_grad_()
  dpo.loss({logp = logp, ref_logp = apo.zeros(2)}, dpo.options):backward()
  local slope = -0.1 / (1 + math.exp(0.1 * x))
  same(logp.grad, {slope, -slope}, 1e-7)
end

-- OAPL: (0.5 * 2 - 0.25)^2.
close(algorithms.oapl{}.loss({logp = apo.tensor{1}, old_logp = apo.tensor{-1},
  target = apo.tensor{0.25}}, {beta2 = 0.5}):item(), 0.5625)

-- RLOO and REINFORCE: -mean(A ln pi).
for _, name in ipairs{"rloo", "reinforce"} do
  close(algorithms[name]{}.loss{advantage = apo.tensor{1, -2}, logp = apo.tensor{-3, -1}}:item(), 0.5)
end

close(terms.explained_variance(apo.tensor{1, 2, 3}, apo.tensor{1, 2, 6}), 1 - 3 / 7, 1e-6)
equal(terms.explained_variance(apo.tensor{1, 2}, apo.tensor{5, 5}), 0)
