-- Numbers as the commands about runs show them.

-- A metric in four digits.
local function metric(value)
  if type(value) ~= "number" then return value ~= nil and tostring(value) or nil end
  if math.type(value) == "integer" then return ("%d"):format(value) end
  return ("%.4g"):format(value)
end

local function reward(value) return type(value) == "number" and ("%.3f"):format(value) or nil end

return {duration = require "apo.terminal.duration", metric = metric, reward = reward}
