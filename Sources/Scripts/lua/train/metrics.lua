-- The figures of a training step, under TRL's names (huggingface/trl, docs/source/grpo_trainer.md)
-- where it has one. Lengths are in tokens, the end token included.
--
--   kl                 mean over the completions that the reference scored of ln(pi/pi_ref) per
--                      token, pi the sampler: the estimator k1, the authors' critic/kl
--   advantage          mean target or advantage of the algorithm; of A*-PO r - V* unless the script
--                      has another
--   implicit_reward    mean of beta * ln(pi/pi_ref), of A*-PO as what follows
--   apo/residual_*     of what the loss squares: implicit reward minus target
--   apo/explained_var  1 - var(residual) / var(target): how much of the advantage is learned
--   apo/v_star_zero_frac, apo/v_star_one_frac   prompts that no, or every, reference sample solved
--   apo/v_star_calibration   how far rewards are from V*, among prompts of about the same V*

local apo = require "apo"
local fail = require "apo.fail"

local function mean_and_std(list)
  local sum, squares = 0, 0
  for _, x in ipairs(list) do sum = sum + x end
  local mean = sum / #list
  for _, x in ipairs(list) do squares = squares + (x - mean) ^ 2 end
  return mean, math.sqrt(squares / #list)
end

local function column(samples, name)
  local list = {}
  for i, sample in ipairs(samples) do list[i] = sample[name] end
  return list
end

-- Whether all samples have a figure.
local function all_have(samples, name)
  for _, sample in ipairs(samples) do
    if not sample[name] then return false end
  end
  return true
end

-- Mean of a figure over the updates of a step, weighted by their sizes; nil without any.
local function mean_of(updates, name)
  local sum, count = 0, 0
  for _, u in ipairs(updates) do
    if not u[name] then return nil end
    sum, count = sum + u[name] * u.count, count + u.count
  end
  return count > 0 and sum / count or nil
end

local function add_lengths(m, samples)
  local lengths, ended = column(samples, "length"), {}
  for _, s in ipairs(samples) do
    if s.finish_reason ~= "length" then ended[#ended + 1] = s.length end
  end
  m["completions/mean_length"] = mean_and_std(lengths)
  m["completions/min_length"] = math.min(table.unpack(lengths))
  m["completions/max_length"] = math.max(table.unpack(lengths))
  m["completions/clipped_ratio"] = 1 - #ended / #samples
  if #ended == 0 then return end
  m["completions/mean_terminated_length"] = mean_and_std(ended)
  m["completions/min_terminated_length"] = math.min(table.unpack(ended))
  m["completions/max_terminated_length"] = math.max(table.unpack(ended))
end

-- Distance of the policy from the reference, and size of the advantages.
local function add_policy(m, samples)
  local per_token = {}
  for _, s in ipairs(samples) do
    if s.ref_logp then per_token[#per_token + 1] = (s.logp - s.ref_logp) / s.length end
  end
  if #per_token > 0 then m.kl = mean_and_std(per_token) end
  local advantages = {}
  for _, s in ipairs(samples) do advantages[#advantages + 1] = s.target or s.advantage end
  if #advantages > 0 then m.advantage = mean_and_std(advantages) end
  if all_have(samples, "value") then m.v_star = mean_and_std(column(samples, "value")) end
end

local function add_regression(m, samples, beta)
  local fit = apo.loss.fit{
    logp = column(samples, "fitted"), ref_logp = column(samples, "ref_logp"),
    target = column(samples, "target"), beta = beta,
  }
  m.implicit_reward, m["apo/explained_var"] = fit.implicit_reward, fit.explained_variance
  m["apo/residual_mean"], m["apo/residual_rms"] = fit.residual_mean, fit.residual_rms
end

local bins = 5

-- Mean distance between the mean value and the mean reward of a bin, weighted by the bins' sizes;
-- the bins divide the range of the step's values. With one value only: between the two means.
local function calibration(samples)
  local least, most = math.huge, -math.huge
  for _, s in ipairs(samples) do
    least, most = math.min(least, s.value), math.max(most, s.value)
  end
  local sums = {}
  for i = 1, bins do sums[i] = 0 end
  for _, s in ipairs(samples) do
    local place = most > least and (s.value - least) / (most - least) * bins or 0
    local bin = math.min(bins, math.floor(place) + 1)
    sums[bin] = sums[bin] + s.reward - s.value
  end
  local total = 0
  for _, sum in ipairs(sums) do total = total + math.abs(sum) end
  return total / #samples
end

local function add_values(m, samples, values)
  local zero, one = 0, 0
  for _, s in ipairs(samples) do
    local rate = values:pass_rate(s.row)
    zero, one = zero + (rate == 0 and 1 or 0), one + (rate == 1 and 1 or 0)
  end
  m["apo/v_star_zero_frac"], m["apo/v_star_one_frac"] = zero / #samples, one / #samples
  if all_have(samples, "value") then m["apo/v_star_calibration"] = calibration(samples) end
end

-- Difference between sampler and trainer, only before the first update, which changes the policy.
local function add_sampling_difference(m, differences)
  if #differences == 0 then return end
  m["sampling/sampling_logp_difference/mean"] = mean_and_std(differences)
  m["sampling/sampling_logp_difference/max"] = math.max(table.unpack(differences))
end

-- Mean and deviation of each named reward over the completions that have it.
local function add_rewards(m, samples)
  local parts = {}
  for _, s in ipairs(samples) do
    for name, value in pairs(s.rewards) do
      parts[name] = parts[name] or {}
      table.insert(parts[name], value)
    end
  end
  for name, list in pairs(parts) do
    m["rewards/" .. name .. "/mean"], m["rewards/" .. name .. "/std"] = mean_and_std(list)
  end
end

local function add_times(m, seconds, tokens)
  local total = 0
  for phase, time in pairs(seconds) do
    m["timing_s/" .. phase] = time
    total = total + time
  end
  local resident, peak = apo.system.memory()
  m.step_time, m["perf/throughput"] = total, tokens / total
  m["perf/resident_memory"], m["perf/peak_memory"] = resident / 1e9, peak / 1e9
end

-- The record of a step, and its number of tokens.
return function(s, beta, values)
  local samples, updates, m = s.samples, s.updates, {}
  m.reward, m.reward_std = mean_and_std(column(samples, "reward"))
  add_rewards(m, samples)
  for _, name in ipairs{"loss", "policy_loss", "entropy", "grad_norm"} do
    m[name] = mean_of(updates, name)
  end
  m["update/weight_delta_norm"] = mean_of(updates, "weight_delta_norm")
  add_lengths(m, samples)
  add_policy(m, samples)
  if beta and all_have(samples, "fitted") and all_have(samples, "ref_logp")
    and all_have(samples, "target") then
    add_regression(m, samples, beta)
  end
  if values then add_values(m, samples, values) end
  add_sampling_difference(m, s.differences)
  for name, figure in pairs(s.figures) do
    if m[name] ~= nil then
      fail(("train: a loss or an algorithm logs '%s', which is a metric of apo.train; choose "
        .. "another name"):format(name))
    end
    m[name] = figure.sum / figure.count
  end
  local tokens = 0
  for _, sample in ipairs(samples) do
    tokens = tokens + sample.length + sample.prompt_length
  end
  add_times(m, s.seconds, tokens)
  return m, tokens
end
