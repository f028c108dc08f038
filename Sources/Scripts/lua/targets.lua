-- The target function of a regression, called on each completion and checked.

local apo = require "apo"
local fail = require "apo.fail"

-- The targets [B] of the samples, which are also written into them.
return function(samples, target)
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
