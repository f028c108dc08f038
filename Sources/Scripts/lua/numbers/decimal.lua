-- Exact decimal numbers of any length: `digits`, without zeros at either end, times ten to the
-- power of `exponent`. Zero has no digits. A Lua float is the shortest decimal that reads as it.

local Decimal = {}
Decimal.__index = Decimal

-- From digits before and behind the point, as they were written.
local function new(negative, whole, fraction, exponent)
  local all = whole:match("^0*(.*)$") .. fraction
  local trailing = #all:reverse():match("^0*")
  local digits = all:sub(1, #all - trailing):match("^0*(.*)$")
  if digits == "" then return setmetatable({digits = "", exponent = 0}, Decimal) end
  return setmetatable({
    negative = negative, digits = digits, exponent = (exponent or 0) - #fraction + trailing,
  }, Decimal)
end

-- Of a Lua number; nil for NaN and infinities.
local function from_number(value)
  if value - value ~= 0 then return nil end
  local text
  if math.type(value) == "integer" then
    text = ("%d"):format(value)
  else
    for precision = 15, 17 do
      text = ("%%.%dg"):format(precision):format(value)
      if tonumber(text) == value then break end
    end
  end
  local sign, whole, fraction, exponent = text:match("^(%-?)(%d+)%.?(%d*)e?([+-]?%d*)$")
  local decimal = new(sign == "-", whole, fraction, math.tointeger(tonumber(exponent)))
  decimal.is_float = math.type(value) == "float"
  return decimal
end

-- The nearest Lua float.
function Decimal:tonumber()
  if self.digits == "" then return 0.0 end
  local kept = self.digits:sub(1, 40)  -- more do not change it, but for a tie
  local exponent = self.exponent + #self.digits - #kept
  exponent = math.max(-1000, math.min(1000, exponent))
  return tonumber(("%s%se%d"):format(self.negative and "-" or "", kept, exponent)) + 0.0
end

-- Ten to this power is the first one above the number.
local function order(decimal) return #decimal.digits + decimal.exponent end

local function magnitude(decimal)
  return math.abs(decimal:tonumber())
end

-- Fifteen digits at a time as one number in base 10^15: where the leading ones are the same, what
-- is left is exact.
local function aligned_distance(a, b)
  local lowest = math.min(a.exponent, b.exponent)
  local first = a.digits .. ("0"):rep(a.exponent - lowest)
  local second = b.digits .. ("0"):rep(b.exponent - lowest)
  local length = math.max(#first, #second)
  length = length + -length % 15
  first, second = ("0"):rep(length - #first) .. first, ("0"):rep(length - #second) .. second
  local sum, position = 0, 1
  while position <= length and math.abs(sum) < 1e30 do
    local stop = position + 14
    sum = sum * 1e15 + (tonumber(first:sub(position, stop)) - tonumber(second:sub(position, stop)))
    position = stop + 1
  end
  local exponent = math.max(-1000, math.min(1000, lowest + length - position + 1))
  local whole = math.tointeger(sum)
  if whole then return math.abs(tonumber(("%de%d"):format(whole, exponent))) end
  return math.abs(sum) * 10.0 ^ exponent
end

-- How far two numbers are apart, to the precision of a float whatever their size.
local function distance(a, b)
  if a.digits == "" or b.digits == "" then return magnitude(a) + magnitude(b) end
  if (a.negative or false) ~= (b.negative or false) then return magnitude(a) + magnitude(b) end
  local gap = order(a) - order(b)
  if math.abs(gap) > 40 then return magnitude(gap > 0 and a or b) end
  return aligned_distance(a, b)
end

-- Whether two numbers are as close as the tolerance. A Lua float stands for all the numbers that
-- are rounded to it.
local function equal(a, b, tolerance)
  if distance(a, b) <= tolerance then return true end
  return (a.is_float or b.is_float) and a:tonumber() == b:tonumber() or false
end

-- Written out, or with an exponent where that takes more than twenty zeros.
function Decimal:__tostring()
  local digits, exponent = self.digits, self.exponent
  if digits == "" then return "0" end
  local point, text = #digits + exponent, nil
  if exponent >= 0 and exponent <= 20 then
    text = digits .. ("0"):rep(exponent)
  elseif exponent < 0 and point > 0 then
    text = digits:sub(1, point) .. "." .. digits:sub(point + 1)
  elseif exponent < 0 and point > -20 then
    text = "0." .. ("0"):rep(-point) .. digits
  else
    text = ("%s%s%se%d"):format(
      digits:sub(1, 1), #digits > 1 and "." or "", digits:sub(2), point - 1)
  end
  return (self.negative and "-" or "") .. text
end

return {new = new, from_number = from_number, equal = equal}
