-- PPO (Schulman et al. 2017, arXiv 1707.06347) with a critic: a second transformer whose head gives
-- the value of each state, the text before a token.
--
--   r_t  = -kl_coef * ln( pi_old(y_t) / pi_ref(y_t) ),  at the last token + r(x,y)
--   A, R = GAE(r, V, gamma, lambda)                  returns R = A + V; then A is whitened
--   loss of the policy = mean over tokens of max( -A ratio, -A clip(ratio, 1 - clip, 1 + clip) )
--   loss of the critic = mean over tokens of max( (v - R)^2, (clip(v, V +- value_clip) - R)^2 ) / 2
--
-- Left out: an adaptive kl_coef; one network for both; a stop when the policy has moved too far.
-- Defaults: all are those of the A*-PO authors' verl (github ZhaolinGao/A-PO c8823a3,
-- ppo_trainer.yaml), where entropy_coef of apo.train is 0.001 and lr 1e-6. TRL: lambda 0.95, 4
-- passes, kl_coef 0.05, value_clip 0.2. The critic starts from the policy's weights with a head of
-- zeros, which is ours.

local apo = require "apo"
local fail = require "apo.fail"
local terms = apo.terms

local function policy_loss(b, o)
  local surrogate, clipped, moved = terms.clipped(b.logp, b.old_logp, b.advantage, {low = o.clip})
  return surrogate:mean(), {["policy/clip_fraction"] = clipped, ["policy/approx_kl"] = moved}
end

local function critic_loss(b, o)
  local each, clipped = terms.clipped_value(b.value, b.old_value, b.returns, o.value_clip)
  return each:mean(), {["critic/clip_fraction"] = clipped}
end

local function is_trainable(model)
  for _, parameter in ipairs(model:parameters()) do
    if parameter.requires_grad then return true end
  end
  return false
end

local function start(run, o)
  local critic = type(o.critic) == "userdata" and o.critic
    or apo.load_value_model(o.critic or run.policy)
  if not is_trainable(critic) then fail("ppo: option 'critic' is frozen; it must be trainable") end
  return {critic = critic, critic_optimizer = run:adamw(critic:parameters(), o.critic_lr)}
end

-- The per-token inputs of the updates.
local function experience(s, o, rollout)
  local b = {old_logp = rollout:logprobs{per_token = true}}
  local reward = terms.at_last_token(rollout, s:score(rollout))
  if o.kl_coef > 0 then
    local ref_logp = s:reference_logprobs(rollout, {per_token = true})
    reward = reward - o.kl_coef * (b.old_logp - ref_logp)
  end
  s:time "update_actor"
  b.old_value = apo.no_grad(function() return s.state.critic:values(rollout) end)
  s:time "values"
  b.advantage, b.returns = terms.gae(rollout, reward, b.old_value, {
    gamma = o.gamma, lambda = o.lambda,
  })
  s:note(rollout, "advantage", rollout:mean(b.advantage))
  s:log{["critic/value"] = b.old_value:mean(), ["critic/return"] = b.returns:mean(),
        ["critic/explained_var"] = terms.explained_variance(b.old_value, b.returns)}
  if o.whiten then b.advantage = terms.whiten(b.advantage) end
  return b
end

local function step(s, o)
  local critic, rollout = s.state.critic, s:generate{n = o.n}
  local tensors = experience(s, o, rollout)
  for b in s:minibatches(rollout, {n = o.n, epochs = o.inner_epochs}, tensors) do
    b.logp = s:logprobs(b, {per_token = true})
    local loss, figures = policy_loss(b, o)
    s:update(loss)
    s:log(figures)
    s:time "update_actor"
    b.value = critic:values(b.rollout, {micro_batch = s.options.micro_batch})
    loss, figures = critic_loss(b, o)
    figures["critic/loss"] = loss:item()
    figures["critic/grad_norm"] = s:update(loss, s.state.critic_optimizer)
    s:log(figures)
    s:time "update_critic"
  end
end

return apo.algorithm{
  name = "ppo", summary = "PPO with a critic (arXiv 1707.06347).",
  options = {
    {name = "critic", type = "string or apo.ValueModel", optional = true,
     text = "the value model or its folder; default: a copy of the policy with a zero head"},
    {name = "critic_lr", type = "number", minimum = 0, default = 1e-5,
     text = "its learning rate; apo.train's schedule applies to it too"},
    {name = "n", type = "integer", minimum = 1, default = 1, text = "completions per prompt"},
    {name = "clip", type = "number", minimum = 0, default = 0.2, text = "clip range of the ratio"},
    {name = "value_clip", type = "number", minimum = 0, default = 0.5,
     text = "clip range of the new values"},
    {name = "gamma", type = "number", minimum = 0, maximum = 1, default = 1, text = "the discount"},
    {name = "lambda", type = "number", minimum = 0, maximum = 1, default = 1,
     text = "lambda of GAE"},
    {name = "kl_coef", type = "number", minimum = 0, maximum = 1e9, default = 1e-3,
     text = "coefficient of the KL in the reward"},
    {name = "whiten", type = "boolean", default = true, text = "whether advantages are whitened"},
    {name = "inner_epochs", type = "integer", minimum = 1, default = 1,
     text = "passes over a batch"},
  },
  needs_reference = function(o) return o.kl_coef > 0 end,
  fresh_samples = function(o) return o.inner_epochs == 1 end,
  critic = function(o) return o.critic or true end,
  start = start, step = step, loss = policy_loss,
}
