-- Calls a script's target or loss within reward_timeout: with watch, an edit with an endless loop
-- is rejected like any other failing edit.

local fail, hook = require "apo.fail", require "apo.script.hook"

-- What f gives for its argument, one or two values; seconds may be nil, for any. `row` gives a text
-- for errors, if it is given.
return function(seconds, name, step, f, argument, row)
  local result, second
  local limits = {seconds = seconds, memory = hook.memory_of(f)}
  local label = ("the %s function in step %d"):format(name, step)
  local stopped_by, at = hook.limited(function() result, second = f(argument) end, limits, label,
    function(problem)
      return hook.described(problem, name, ("the %s function"):format(name), f, row and row())
    end)
  if not stopped_by then return result, second end
  local during = (" in step %d"):format(step)
  if stopped_by == "memory" then
    fail(("the %s function %s"):format(name, hook.took_memory(limits.memory, during, at)))
  end
  fail(("the %s function took more than %g s%s and was stopped at %s; it may loop forever, or "
    .. "reward_timeout is too short"):format(name, seconds, during, at))
end
