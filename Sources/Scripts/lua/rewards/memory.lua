-- How much memory of Lua's own one call of a reward, or of another function of a script, may
-- take: one that builds a table without end is stopped and named before the machine swaps. Without
-- it nothing is counted.

local fail = require "apo.fail"

local units = {
  [""] = 1, B = 1, KB = 1e3, MB = 1e6, GB = 1e9, KiB = 2 ^ 10, MiB = 2 ^ 20, GiB = 2 ^ 30,
}

-- The bytes that a number or a text such as "256 MB" stands for; nil for nil.
local function bytes(value)
  if value == nil then return nil end
  local number, unit = value, ""
  if type(value) == "string" then number, unit = value:match("^%s*([%d.]+)%s*(%a*)%s*$") end
  number = tonumber(number)
  if number and number > 0 and units[unit] then return number * units[unit] end
  fail(("reward_memory: bytes or a text such as \"256 MB\" expected, got %s"):format(
    type(value) == "string" and ("%q"):format(value) or tostring(value)))
end

-- The option; `functions` says of which functions a call is counted.
local function declared(functions)
  return {
    name = "reward_memory", type = "number or string", optional = true,
    text = ("memory of Lua's own, in bytes or as \"256 MB\", that one call of %s may take before "
      .. "it is stopped and named; as much as there is when not given"):format(functions),
  }
end

return {bytes = bytes, declared = declared}
