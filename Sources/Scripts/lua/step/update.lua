-- The second half of a step: mini-batches, log-probabilities under the policy, updates, metrics. It
-- completes the class of step.lua.

local apo = require "apo"
local documented, fail = require "apo.documented", require "apo.fail"
local with_timeout = require "apo.script.with_timeout"
local Step, whole = require "apo.step.step", require "apo.step.whole_state"

-- Where the tokens of each completion begin in a tensor of all tokens, and where they end.
local function token_offsets(rollout)
  local offsets, total = {1}, 0
  for i, length in ipairs(rollout:lengths():totable()) do
    total = total + math.tointeger(length)
    offsets[i + 1] = total + 1
  end
  return offsets, total
end

-- The part of a tensor that belongs to the completions first … last.
local function narrowed(name, tensor, count, offsets, tokens, first, last)
  local size = tensor:dim() == 1 and #tensor
  if size == count then return tensor:narrow(1, first, last - first + 1) end
  if size == tokens then
    return tensor:narrow(1, offsets[first], offsets[last + 1] - offsets[first])
  end
  fail(("minibatches: '%s' must have a number for each of the %d completions or %d tokens, got "
    .. "shape [%s]"):format(name, count, tokens, table.concat(tensor:shape(), ", ")))
end

local function part_of(self, rollout, tensors, offsets, tokens, first, last)
  local whole = first == 1 and last == #rollout
  local part = {rollout = whole and rollout or rollout:slice(first, last), step = self.step}
  for name, tensor in pairs(tensors) do
    part[name] = narrowed(name, tensor, #rollout, offsets, tokens, first, last)
  end
  if not whole then
    self.places[part.rollout] = table.move(self.places[rollout], first, last, 1, {})
  end
  return part
end

Step.minibatches = documented{
  name = "apo.Step:minibatches",
  summary = "Iterates over mini-batches of completions, one per update.",
  details = "A mini-batch holds `mini_batch` prompts (an option of apo.train; all by default), "
    .. "in order, as `rollout` and `step`, and its slice of each tensor under the tensor's "
    .. "name.",
  parameters = {
    {name = "rollout", type = "apo.Rollout", text = "of this step"},
    {name = "options", text = "what a part is", fields = {
      {name = "n", type = "integer", minimum = 1, default = 1,
       text = "group size: how many consecutive completions belong together"},
      {name = "epochs", type = "integer", minimum = 1, default = 1,
       text = "number of passes"},
    }},
    {name = "tensors", type = "table", default = {},
     text = "by name; one number per completion [B] or per token [tokens]"},
  },
  returns = {{type = "function", text = "iterator of mini-batches"}},
  call = function(self, rollout, options, tensors)
    local n, epochs = options.n, options.epochs
    local size = (self.options.mini_batch or math.maxinteger // n) * n
    local offsets, tokens = token_offsets(rollout)
    self:samples_of(rollout)  -- is of this step
    local epoch, first = 1, 1
    return function()
      if first > #rollout then epoch, first = epoch + 1, 1 end
      if epoch > epochs or #rollout == 0 then return nil end
      local last = math.min(#rollout, first + size - 1)
      local part = part_of(self, rollout, tensors, offsets, tokens, first, last)
      first = last + 1
      return part
    end
  end,
}

-- Difference between sampler and trainer, while the policy is unchanged since sampling.
local function note_difference(self, rollout, sums)
  if #self.updates > 0 or self.is_off_policy then return end
  local samples = self:samples_of(rollout)
  for i, logp in ipairs(sums:totable()) do
    table.insert(self.differences, math.abs(logp - samples[i].logp))
  end
end

Step.logprobs = documented{
  name = "apo.Step:logprobs",
  summary = "Computes the log-probabilities of a mini-batch under the policy.",
  details = "With gradients. With apo.train's `entropy_coef`, `update` subtracts the mean "
    .. "entropy of these completions from the loss. The sums are stored as `fitted`.",
  parameters = {{name = "part", type = "table",
   text = "a mini-batch with `rollout`, as from `minibatches`"}},
  options = {{name = "per_token", type = "boolean", default = false, text = "a value per token"}},
  returns = {
    {type = "apo.Tensor", text = "[B], or [tokens]"},
    {type = "apo.Tensor",
     text = "with `entropy_coef`, entropies [B], averaged over tokens; otherwise nil"},
  },
  call = function(self, part, options)
    local o, rollout = self.options, part.rollout
    local logp, entropy = self.policy:logprobs(rollout, {
      entropy = o.entropy_coef ~= 0, micro_batch = o.micro_batch, per_token = options.per_token,
    })
    if entropy and options.per_token then entropy = rollout:mean(entropy) end
    local sums = options.per_token and rollout:sum(logp:detach()) or logp:detach()
    self:note(rollout, "fitted", sums)  -- as the policy is before the update
    note_difference(self, rollout, sums)
    self.entropy, self.count = entropy, self.count + #rollout
    return logp, entropy
  end,
}

Step.loss = documented{
  name = "apo.Step:loss",
  summary = "Calls a loss function on a mini-batch, within `reward_timeout`.",
  details = "Adds the missing fields that apo.train's option `loss` receives: `samples`, "
    .. "`rows`, `old_logp`, `entropy`, `policy`, `reference`, `state`. A table that the function "
    .. "returns as a second value is logged.",
  parameters = {
    {name = "part", type = "table", text = "as from `minibatches`"},
    {name = "loss", type = "function", text = "as apo.train's option `loss`"},
  },
  returns = {{type = "any", text = "its result, to pass to `update`"}},
  call = function(self, part, loss)
    if not part.rollout then fail("loss: a part with a rollout expected, as from s:minibatches") end
    part.samples, part.rows = self:samples_of(part.rollout), {}
    for i, sample in ipairs(part.samples) do part.rows[i] = sample.row end
    part.old_logp, part.entropy = part.rollout:logprobs(), self.entropy
    part.policy, part.reference, part.state = self.policy, self.reference, self.options.state
    local result, metrics = with_timeout(self.options.reward_timeout, "loss", self.step, loss, part)
    if type(metrics) == "table" then self:log(metrics) end
    return result
  end,
}

-- The loss as a number, after checking that it can be minimised.
local function checked(loss, step)
  if type(loss) ~= "userdata" or not pcall(function() return loss:shape() end) then
    fail("the loss function must return an apo.Tensor, got " .. type(loss))
  elseif loss:numel() ~= 1 then
    fail(("the loss function must return one number, got a tensor of shape [%s]; :mean() is "
      .. "missing"):format(table.concat(loss:shape(), ", ")))
  elseif not loss.requires_grad then
    fail("the loss does not depend on the policy: it was not computed from b.logp, or detached")
  end
  local number = loss:item()
  if number - number ~= 0 then
    fail(("the loss of step %d is %s; nothing was updated. Try a smaller lr, or a target "
      .. "without huge values; resume = true continues from the last checkpoint"):format(
      step, number))
  end
  return number
end

Step.update = documented{
  name = "apo.Step:update", summary = "Minimises a loss with one optimizer step.",
  details = "Runs backward, clips to `max_grad_norm` and updates. Logs the loss and the norms.",
  parameters = {
    {name = "loss", type = "any", text = "an apo.Tensor, a scalar with gradients"},
    {name = "optimizer", type = "apo.Optimizer", optional = true,
     text = "default: the policy's; metrics of another, such as a critic's, are not logged"},
  },
  returns = {{type = "number", text = "the norm of the gradients, before clipping"}},
  call = function(self, loss, optimizer)
    local o, run = self.options, self.run
    local figures = {policy_loss = checked(loss, self.step), count = math.max(1, self.count)}
    local entropy = not optimizer and self.entropy and self.entropy:mean()
    if entropy then
      loss = loss - o.entropy_coef * entropy
      figures.entropy = entropy:item()
    end
    figures.loss = loss:item()
    loss:backward()
    self.update_count = self.update_count + 1
    if run.is_dry then
      (optimizer or run.optimizer):zero_grad()
      return 0
    end
    whole.before_update(run, self.update_count - 1)
    local clip = {max_grad_norm = o.max_grad_norm}
    if optimizer then return (optimizer:step(clip)) end
    figures.grad_norm, figures.weight_delta_norm = run.optimizer:step(clip)
    self.updates[#self.updates + 1] = figures
    self.entropy, self.count = nil, 0
    return figures.grad_norm
  end,
}

Step.log = documented{
  name = "apo.Step:log", summary = "Adds metrics to the log line of this step.",
  details = "If a metric is given several times in a step, its mean is logged.",
  parameters = {{name = "figures", type = "table", text = "numbers or scalar tensors by name"}},
  call = function(self, figures)
    for name, value in pairs(figures) do
      local number = type(value) == "userdata" and value:item() or value
      if type(number) ~= "number" then
        fail(("log: '%s' must be a number, got %s"):format(name, type(value)))
      end
      local mean = self.figures[name] or {sum = 0, count = 0}
      mean.sum, mean.count = mean.sum + number, mean.count + 1
      self.figures[name] = mean
    end
  end,
}

return Step
