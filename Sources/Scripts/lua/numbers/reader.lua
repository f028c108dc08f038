-- Parses and compares numbers in texts, for all rewards. The rules are the table in
-- docs/rewards.md.

local decimal, scan = require "apo.numbers.decimal", require "apo.numbers.scan"
local sign = require "apo.numbers.sign"

-- The value of a number that was found.
local function value(text, found)
  local is_negative = sign.is_negative(text, found.start)
  if not found.above then
    return decimal.new(is_negative, found.whole, found.behind, found.exponent)
  end
  local size = (tonumber(found.whole) or 0) + found.above / found.below
  return decimal.from_number(is_negative and -size or size)
end

-- The last number in a text, or nil.
local function last(text)
  local found
  scan(text, function(number) found = number end)
  return found and value(text, found)
end

-- The number that a text is as a whole, but for white space, a currency, a per cent sign and a full
-- stop.
local function whole(text)
  local found, count = nil, 0
  scan(text, function(number)
    found, count = number, count + 1
    return count > 1
  end)
  if count ~= 1 or not text:find("^\\?%%?%.?%s*$", found.after) then return nil end
  return sign.is_only_signs(text:sub(1, found.start - 1)) and value(text, found) or nil
end

-- The last number in a text, or a Lua number as it is; nil where there is none.
local function of(given)
  if type(given) == "string" then return last(given) end
  return type(given) == "number" and decimal.from_number(given) or nil
end

-- Whether a text is a number and nothing else, and the number is this one.
local function is(text, number)
  local found = whole(text)
  return found ~= nil and decimal.equal(found, decimal.from_number(number), 1e-6)
end

return {of = of, is = is, equal = decimal.equal}
