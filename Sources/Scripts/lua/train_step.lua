-- One step of A*-PO's second stage (arXiv 2505.20686): one completion y for each prompt x of a
-- batch, drawn from the policy as it is now, then least squares on the optimal advantage:
--
--   loss = mean( ( beta * ln( pi(y|x) / pi_ref(y|x) )  -  ( r(x,y) - V*(x) ) )^2 )
--
-- No critic, no group of samples, no importance ratio, no clipping, no normalisation. The target
-- r - V* and the loss are functions that a script can replace; see apo.train.

local apo = require "apo"
local fail = require "apo.fail"

local function advantage(s) return s.reward - s.value end

local function regression(b)
  return ((b.beta * (b.logp - b.ref_logp) - b.target) ^ 2):mean()
end

-- Seconds of each phase, by the name of the phase that has just ended.
local function stopwatch()
  local seconds, last = {}, apo.system.clock()
  return function(phase)
    local now = apo.system.clock()
    seconds[phase] = (seconds[phase] or 0) + now - last
    last = now
    return seconds
  end
end

-- What the target function sees of each completion.
local function describe(step, rollout, scored, value, ref_logp)
  local values, refs, samples = value:totable(), ref_logp:totable(), {}
  for i = 1, #rollout do
    local completion = rollout[i]
    samples[i] = {
      row = completion.row, completion = completion, step = step,
      reward = scored.rewards[i], rewards = scored.parts[i], value = values[i],
      logp = completion.logprob, ref_logp = refs[i],
      length = #completion.ids, finish_reason = completion.finish_reason,
    }
  end
  return samples
end

local function targets(samples, target)
  local list = {}
  for i, sample in ipairs(samples) do
    local number = target(sample)
    if type(number) ~= "number" or number - number ~= 0 then
      fail(("the target function gave %s for sample %d of step %d; it must give a finite number")
        :format(type(number) == "number" and number or type(number), i, sample.step))
    end
    list[i], sample.target = number, number
  end
  return apo.tensor(list)
end

-- The loss as a number, once it is known to be one that can be minimised.
local function checked(loss, step)
  if type(loss) ~= "userdata" or not pcall(function() return loss:shape() end) then
    fail("the loss function must give an apo.Tensor, got " .. type(loss))
  elseif loss:numel() ~= 1 then
    fail(("the loss function must give one number, got a tensor of shape [%s]; :mean() is missing")
      :format(table.concat(loss:shape(), ", ")))
  elseif not loss.requires_grad then
    fail("the loss does not depend on the policy: it was not computed from b.logp, or detached")
  end
  local number = loss:item()
  if number - number ~= 0 then fail(("the loss of step %d is %s"):format(step, number)) end
  return number
end

-- The completions first … last as the loss function sees them.
local function mini_batch(run, b, first, last)
  local o, part = run.options, {beta = run.options.beta, step = b.step}
  local count = last - first + 1
  for _, name in ipairs{"reward", "value", "target", "ref_logp", "old_logp"} do
    part[name] = b[name]:narrow(1, first, count)
  end
  part.rows = table.move(b.rows, first, last, 1, {})
  part.samples = table.move(b.samples, first, last, 1, {})
  part.rollout = count == #b.rollout and b.rollout or b.rollout:slice(first, last)
  part.logp, part.entropy = run.policy:logprobs(part.rollout, {
    entropy = o.entropy_coef ~= 0, micro_batch = o.micro_batch,
  })
  part.policy, part.reference = run.policy, run.reference
  return part
end

-- Updates the policy once; gives the sums that the log is made of.
local function update(run, b, first, last)
  local o, part = run.options, mini_batch(run, b, first, last)
  local loss = (o.loss or regression)(part)
  local policy_loss = checked(loss, b.step)
  local entropy
  if o.entropy_coef ~= 0 then
    entropy = part.entropy:mean()
    loss = loss - o.entropy_coef * entropy
  end
  local figures = {
    policy_loss = policy_loss, loss = loss:item(), entropy = entropy and entropy:item(),
    logp = part.logp:detach():totable(), count = last - first + 1,
  }
  loss:backward()
  run.is_updating = true
  figures.grad_norm, figures.weight_delta_norm = run.optimizer:step{max_grad_norm = o.max_grad_norm}
  return figures
end

-- Trains on one batch of rows. Gives what there is to log.
return function(run, step, rows)
  local o, lap = run.options, stopwatch()

  local rollout = run.policy:generate(rows, {
    max_tokens = o.max_tokens, temperature = o.temperature, stop = o.stop,
    top_k = o.top_k, top_p = o.top_p, min_p = o.min_p, seed = run.seed, step = step,
  })
  lap "gen"

  local reward, scored = apo.score(rollout, o.reward, {weights = o.weights})
  lap "reward"

  local value = run.values and run.values:of(rows) or apo.zeros(#rows)
  local ref_logp = run.reference:logprobs(rollout, {micro_batch = o.micro_batch}):detach()
  lap "ref"

  local samples = describe(step, rollout, scored, value, ref_logp)
  local b = {
    step = step, rows = rows, rollout = rollout, samples = samples,
    reward = reward, value = value, target = targets(samples, o.target or advantage),
    ref_logp = ref_logp, old_logp = rollout:logprobs():detach(),
  }
  local size, updates = o.mini_batch or #rows, {}
  for first = 1, #rows, size do
    updates[#updates + 1] = update(run, b, first, math.min(first + size - 1, #rows))
  end
  return {samples = samples, scored = scored, updates = updates, seconds = lap "update_actor"}
end
