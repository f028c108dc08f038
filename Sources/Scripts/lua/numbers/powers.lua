-- The power of ten behind a number in a text: 1e-05, 2×10^5, 2 \cdot 10^{-3}, 2*10**5, 10⁵.

local superscripts = {["⁰"] = "0", ["¹"] = "1", ["²"] = "2", ["³"] = "3", ["⁴"] = "4", ["⁵"] = "5",
                      ["⁶"] = "6", ["⁷"] = "7", ["⁸"] = "8", ["⁹"] = "9", ["⁻"] = "-", ["⁺"] = "+"}
local times = {"\\times", "\\cdot", "×", "·", "⋅", "*", "x", "X"}

-- The patterns of an exponent with what its sign is; %s is where sign and digits stand.
local function forms(...)
  local list = {}
  for _, form in ipairs{...} do
    for minus, sign in pairs{["%-"] = "-", ["\u{2212}"] = "-", ["%+?"] = ""} do
      list[#list + 1] = {(form:gsub("@", (minus .. "(%d+)"):gsub("%%", "%%%%"))), sign}
    end
  end
  return list
end

local behind_e = forms("^[eE]@()")
local behind_ten = forms("^%^{ ?@ ?}()", "^%^%(@%)()", "^%^@()", "^%*%*@()")

-- The exponent that one of the forms has at a position, and the position after it.
local function find(text, position, list)
  for _, form in ipairs(list) do
    local digits, after = text:match(form[1], position)
    if digits and #digits <= 12 then return math.tointeger(tonumber(form[2] .. digits)), after end
  end
end

local function superscript(text, position)
  local digits = ""
  while #digits <= 12 do
    local character = text:match("^[\xC2\xE2][\x80-\xBF]+", position)
    character = character and character:sub(1, character:byte() == 0xC2 and 2 or 3)
    if not superscripts[character] then break end
    digits, position = digits .. superscripts[character], position + #character
  end
  local exponent = math.tointeger(tonumber(digits))
  if exponent then return exponent, position end
end

-- The exponent of a ten that ends before a position.
local function of_ten(text, position)
  if not text:find("^[*^\xC2\xE2]", position) then return nil end
  local exponent, after = find(text, position, behind_ten)
  if exponent then return exponent, after end
  return superscript(text, position)
end

-- Behind a number that ends before a position, with the digits that it was written with.
return function(text, position, digits)
  if text:find("^[eE]", position) then
    local exponent, after = find(text, position, behind_e)
    if exponent and not text:find("^[%w_]", after) then return exponent, after end
    return nil
  end
  if digits == "10" then
    local exponent, after = of_ten(text, position)
    if exponent then return exponent - 1, after end
  end
  if not text:find("^ ?[*xX\\\xC2\xC3\xE2]", position) then return nil end
  position = text:match("^ ?()", position)
  for _, sign in ipairs(times) do
    if text:sub(position, position + #sign - 1) == sign then
      local ten = text:match("^ ?10()", position + #sign)
      if ten then return of_ten(text, ten) end
    end
  end
end
