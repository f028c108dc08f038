-- The optimizer and its per-step rates: the learning rate from `schedule`, and beta if it is a
-- function.

local apo = require "apo"
local declared = require "apo.declared".adamw
local fail, hook = require "apo.fail", require "apo.script.hook"

-- The checked result of a function of (step, total steps).
local function rate(name, f, step, total)
  local value = hook.call(name, f, step, total)
  if type(value) == "number" and value >= 0 and value < math.huge then return value end
  fail(("the function '%s' returned %s for step %d; it must return a finite number of at least 0")
    :format(name, type(value) == "number" and value or type(value), step))
end

-- The factor of the learning rate at a step, counted from 1 (apo.schedule counts from 0).
local function schedule(o, total)
  if type(o.schedule) == "function" then
    return function(step) return rate("schedule", o.schedule, step, total) end
  end
  local make = ({constant = 1, linear = 1, cosine = 1})[o.schedule] and apo.schedule[o.schedule]
  if not make then
    fail(("train: option 'schedule' must be constant, linear, cosine or a function, got '%s'")
      :format(o.schedule))
  end
  if o.schedule ~= "constant" and o.warmup >= total then
    fail(("train: option 'warmup' (%d) must be less than the number of steps (%d)")
      :format(o.warmup, total))
  end
  local of_shape = {warmup_steps = o.warmup}
  if o.schedule ~= "constant" then of_shape.total_steps = total end
  local factor = make(of_shape)
  return function(step) return factor(step - 1) end
end

local function check_optimizer(o)
  for _, parameter in ipairs(o.policy:parameters()) do
    if o.optimizer:updates(parameter) then return end
  end
  fail("train: option 'optimizer' updates no parameter of the policy: it was made for another "
    .. "model; use apo.optim.adamw(policy, …)")
end

-- AdamW with the settings of apo.train and a rate.
local function adamw(o, parameters, lr)
  local given = {}
  for _, option in ipairs(declared) do given[option.name] = o[option.name] end
  given.lr = lr
  return apo.optim.adamw(parameters, given)
end

local function optimizer(o)
  if o.optimizer and o.lr then fail("train: pass 'lr' or 'optimizer', which has its own lr") end
  if o.optimizer then
    check_optimizer(o)
    return o.optimizer
  end
  if not o.lr then fail("train: option 'lr' is missing (a number)") end
  return adamw(o, o.policy, o.lr)
end

-- Sets the rates of a step. Each optimizer of the run has its own base rate.
local function set(run, step)
  local factor = run.schedule(step)
  for optimizer, lr in pairs(run.base_lr) do optimizer.lr = lr * factor end
  if run.beta then run.options.beta = rate("beta", run.beta, step, run.total) end
end

return {adamw = adamw, optimizer = optimizer, schedule = schedule, set = set}
