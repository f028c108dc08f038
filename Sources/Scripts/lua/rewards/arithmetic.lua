-- The value of an arithmetic expression as Python has it: + - * / // **, parentheses, integers and
-- decimals. It is parsed, never executed.
--
-- Python's rules that matter: "05" is an error and "05.5" is not; - binds less than **, which
-- groups to the right; / gives a float, // rounds down. Unlike in Python, an integer beyond 64 bits
-- becomes a float, and a power that is not real (a negative base) has no value.

local Parser = {}
Parser.__index = Parser

local function stop() error(Parser) end  -- any error of the expression: it has no value

function Parser:take(pattern)
  local found, after = self.text:match("^%s*(" .. pattern .. ")()", self.position)
  if found then self.position = after end
  return found
end

function Parser:number()
  local digits = self:take("%d+%.%d*") or self:take("%.%d+")
  if digits then return tonumber(digits) + 0.0 end
  digits = self:take("%d+")
  if not digits or digits:match("^0+[1-9]") then stop() end
  return math.tointeger(tonumber(digits)) or tonumber(digits)
end

function Parser:atom()
  if not self:take("%(") then return self:number() end
  local value = self:sum()
  if not self:take("%)") then stop() end
  return value
end

local function power(base, exponent)
  if base == 0 and exponent < 0 then stop() end
  local value = base ^ exponent
  if value ~= value then stop() end
  local is_integer = math.type(base) == "integer" and math.type(exponent) == "integer"
  if is_integer and exponent >= 0 and math.abs(value) < 2 ^ 53 then return math.tointeger(value) end
  return value
end

function Parser:factor()
  local sign = self:take("[+-]")
  if sign then
    local value = self:nested(self.factor)
    return sign == "-" and -value or value
  end
  local base = self:atom()
  if self:take("%*%*") then return power(base, self:nested(self.factor)) end
  return base
end

-- Deep nesting must not exhaust the stack.
function Parser:nested(rule)
  self.depth = self.depth + 1
  if self.depth > 90 then stop() end
  local value = rule(self)
  self.depth = self.depth - 1
  return value
end

-- Applies an operator; integers whose result does not fit 64 bits are taken as floats.
local function apply(operator, a, b)
  local x, y = a + 0.0, b + 0.0
  if (operator == "/" or operator == "//") and b == 0 then stop() end
  if operator == "/" then return x / y end
  if operator == "//" then return a // b end
  local exact = operator == "+" and a + b or operator == "-" and a - b or a * b
  local float = operator == "+" and x + y or operator == "-" and x - y or x * y
  return math.abs(float) < 2 ^ 62 and exact or float
end

function Parser:product()
  local value = self:factor()
  while true do
    local operator = self:take("//") or self:take("/") or self:take("%*")
    if not operator then return value end
    value = apply(operator, value, self:factor())
  end
end

function Parser:sum()
  self.depth = self.depth + 1
  if self.depth > 90 then stop() end
  local value = self:product()
  while true do
    local operator = self:take("[+-]")
    if not operator then break end
    value = apply(operator, value, self:product())
  end
  self.depth = self.depth - 1
  return value
end

-- The value, or nil if the text is not an expression or has none.
return function(text)
  if not text:match("^[%d+%-*/().%s]+$") then return nil end
  local parser = setmetatable({text = text, position = 1, depth = 0}, Parser)
  local ok, value = pcall(function()
    local value = parser:sum()
    if text:find("%S", parser.position) then stop() end
    return value
  end)
  if not ok and value ~= Parser then error(value, 0) end
  return ok and value or nil
end
