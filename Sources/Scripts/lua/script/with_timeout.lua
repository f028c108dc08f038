-- A call of a script's target or loss that may not take longer than reward_timeout: with watch, an
-- edit that loops for ever is refused like any other that fails.

local apo = require "apo"
local fail, hook = require "apo.fail", require "apo.script.hook"

-- What f gives for its argument; seconds may be nil, for any. `row` gives a text for errors, if it
-- is given.
return function(seconds, name, step, f, argument, row)
  local result
  local in_time, where = apo.system.time_limit(seconds or math.huge, function()
    result = f(argument)
  end, ("the %s function in step %d"):format(name, step), function(problem)
    return hook.described(problem, name, ("the %s function"):format(name), f, row and row())
  end)
  if in_time then return result end
  fail(("the %s function took more than %g s in step %d and was stopped at %s; it may loop for "
    .. "ever, or reward_timeout is too short"):format(name, seconds, step, where))
end
