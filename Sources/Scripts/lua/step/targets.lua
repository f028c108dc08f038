-- The target function of a regression, called on each completion and checked.

local apo = require "apo"
local fail, with_timeout = require "apo.fail", require "apo.script.with_timeout"
local row_place = require "apo.data.row_place"

-- A copy of a sample that a script may change.
local function copy(sample)
  local result = {}
  for name, value in pairs(sample) do result[name] = value end
  return result
end

-- The targets [B] of the samples, also stored in them; each call has a time limit. `state` is the
-- script's, or nil.
return function(samples, target, seconds, state)
  local list = {}
  for i, sample in ipairs(samples) do
    local given = copy(sample)
    given.state = state
    local number = with_timeout(seconds, "target", sample.step, target, given, function()
      return row_place(sample.row)
    end)
    if type(number) ~= "number" or number - number ~= 0 then
      fail(("the target function returned %s for sample %d of step %d; it must return a finite "
        .. "number"):format(type(number) == "number" and number or type(number), i, sample.step))
    end
    list[i], sample.target = number, number
  end
  return apo.tensor(list)
end
