-- Which rewards count as a correct answer: a threshold, or a function. The default is between 0 and
-- 1, so that a small format score does not count as a solution.

local fail, hook = require "apo.fail", require "apo.script.hook"

local option = {
  name = "correct", type = "number or function", default = 0.5,
  signature = require "apo.script.received".correct,
  text = "the minimum reward of a correct answer, or a function of %s that says whether it is one",
}

-- The option with what its function gets.
local function declared(arguments)
  local copy = {}
  for name, value in pairs(option) do copy[name] = value end
  copy.text = option.text:format(arguments)
  return copy
end

-- The function of (reward, completion) that an option stands for.
local function test(given)
  if type(given) == "number" then return function(reward) return reward >= given end end
  return function(reward, completion)
    local answer = hook.call("correct", given, reward, completion)
    if type(answer) ~= "boolean" then
      fail(("the function 'correct' returned %s for the reward %g; it must return true or false")
        :format(type(answer), reward))
    end
    return answer
  end
end

return {declared = declared, test = test}
