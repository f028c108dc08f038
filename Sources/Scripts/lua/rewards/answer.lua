-- What the rewards of this folder need of a row: a valid right answer.

local right_answer = require "apo.rewards.column".column
local needs = require "apo.data.needs"

local answer = {}

-- The right answer in the column of that name, or where other libraries keep it; nil if missing.
function answer.of(row, name)
  local is_there, value = pcall(right_answer, row, name)
  if is_there then return value end
end

-- Declares that a reward reads a right answer, a text or a number, from that column. `check` gives
-- what is wrong with one, nil for nothing.
function answer.declare(reward, name, check)
  return needs.declare(reward, function(row)
    local value = answer.of(row, name)
    if value == nil then
      return ("there is no column '%s' with the right answer"):format(name)
    elseif type(value) ~= "string" and type(value) ~= "number" and type(value) ~= "boolean" then
      return ("the right answer must be a string or a number, got %s"):format(type(value))
    elseif type(value) == "number" and value - value ~= 0 then
      return ("the right answer must be a finite number, got %s"):format(value)
    end
    return check and check(value)
  end)
end

return answer
