-- What `apo-lua attach` does to a training when it sets an option that is more than a value which
-- the next step reads.

local function check(is_right, text) if not is_right then error("set: " .. text, 0) end end

local setters = {}

-- The schedule multiplies it, as it multiplied the one before.
setters.lr = {
  get = function(run) return run.base_lr[run.optimizer] end,
  set = function(run, lr)
    run.base_lr[run.optimizer] = lr
    if run.options.lr then run.options.lr = lr end
  end,
}

setters.beta = {
  get = function(run) return run.options.beta end,
  set = function(run, beta)
    check(not run.beta, "'beta' is a function of the step here")
    check(type(beta) == "number", "'beta' must be a number in a live run")
    check(run.algorithm.takes.beta, ("the algorithm '%s' does not use 'beta'"):format(
      run.algorithm.name))
    run.options.beta = beta
  end,
}

setters.max_grad_norm = {
  get = function(run) return run.options.max_grad_norm end,
  set = function(run, norm)
    check(norm > 0, "'max_grad_norm' must be above 0")
    run.options.max_grad_norm = norm
  end,
}

setters.max_steps = {
  get = function(run) return run.options.max_steps end,
  set = function(run, steps)
    local o = run.options
    check(o.schedule == "constant" and not run.beta,
      "'max_steps' cannot change, as the schedule or beta depends on the number of steps")
    check(not steps or steps >= run.step,
      ("'max_steps' must be at least %d, the steps so far"):format(run.step))
    o.max_steps = steps
    run.total = math.min(steps or math.huge, run.steps_per_epoch * o.epochs)
  end,
}

return setters
