-- Finds the numbers in a text in linear time. The table in docs/rewards.md defines what counts as a
-- number.

local digits_at, power_at = require "apo.numbers.digits", require "apo.numbers.powers"
local fractions = require "apo.numbers.fractions"

-- Codes that stand directly before an amount; other letters make a word of the digits: H2O, v2.
local currencies = {}
for code in ("USD EUR GBP JPY CNY RMB INR CHF CAD AUD Rs RM"):gmatch("%a+") do
  currencies[code] = true
end

-- A number as it stands in the text: where it begins and what follows it; its digits before and
-- behind the point and a power of ten, or whole + above / below.
local function plain(start, whole, behind, after, exponent)
  return {start = start, after = after, whole = whole, behind = behind, exponent = exponent}
end

local function fraction(start, whole, above, below, after)
  return {start = start, after = after, whole = whole, above = above, below = below}
end

local function at_digit(scan, start)
  local text = scan.text
  local whole, behind, after = digits_at(scan, start)
  if after <= scan.loose and start < scan.loose then return plain(start, whole, "", after) end
  local exponent, stop = power_at(text, after, behind == "" and whole or "")
  if not exponent and behind == "" and text:find("^%.[eE*\\\xC2\xC3\xE2]", after) then
    exponent, stop = power_at(text, after + 1, "")  -- 1.e5
  end
  if exponent then return plain(start, whole, behind, stop, exponent) end
  if behind ~= "" or text:sub(after - 1, after - 1) == "." then
    return plain(start, whole, behind, after)
  end
  local above, below
  if text:find("^[/\xE2]", after) then
    above, below, stop = fractions.slash(scan, start, after, whole)
    if above then return fraction(start, "", above, below, stop) end
  end
  if #whole <= 3 and text:find("^[ \\\xC2\xE2]", after) then
    above, below, stop = fractions.mixed(text, after)
    if above then return fraction(start, whole, above, below, stop) end
  end
  return plain(start, whole, "", after)
end

-- .5, where no letter, digit or point is before it.
local function at_point(scan, start)
  local text = scan.text
  if start > 1 and text:find("^[%w.]", start - 1) then return nil end
  local behind, after = text:match("^%.(%d+)()", start)
  if not behind then return nil end
  local exponent, stop = power_at(text, after, "")
  return plain(start, "", behind, stop or after, exponent)
end

-- The position after a word that begins with a letter, or where its digits are an amount.
local function pass_word(text, start)
  local code = text:match("^(%a+)%d", start)
  if currencies[code] then return start + #code end
  local position = text:match("^%a[%w_]*()", start)
  while text:find("^%d%.%d", position - 1) do position = text:match("^%.%d[%w_]*()", position) end
  return position
end

-- The number that begins at a position, or nil; and where to go on.
local function step(scan, position)
  local text = scan.text
  local found
  if text:find("^%d", position) then
    if text:find("^0[xX]%x", position) then return nil, text:match("^%w+()", position) end
    found = at_digit(scan, position)
    return found, text:match("^%a*()", found.after)  -- a unit: 5km, 10h30m
  end
  if text:find("^%a", position) then return nil, pass_word(text, position) end
  if text:sub(position, position) == "." then
    found = at_point(scan, position)
  else
    local above, below, after = fractions.latex(text, position)
    if not above then above, below, after = fractions.character(text, position) end
    found = above and fraction(position, "", above, below, after)
    -- A command's name is no word: \times5.
    if not found and text:sub(position, position) == "\\" then
      return nil, text:match("^\\%a*()", position)
    end
  end
  if found then return found, found.after end
  return nil, position + 1
end

-- Calls visit for each number of a text, until it gives true.
return function(text, visit)
  local scan, position = {text = text, loose = 0}, 1
  while true do
    position = text:find("[%w.\\\xC2\xE2]", position)
    if not position then return end
    local found
    found, position = step(scan, position)
    if found and visit(found) then return end
  end
end
