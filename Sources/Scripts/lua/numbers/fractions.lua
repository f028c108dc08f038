-- Fractions in a text: 3/4, 1 1/2, ½, \frac{3}{4}, \frac34. Each gives what is above and below the
-- line as Lua floats and where it ends, or nothing.

local slashes = {"/", "\u{2044}"}
local characters = {  -- ½ …
  ["¼"] = {1, 4}, ["½"] = {1, 2}, ["¾"] = {3, 4}, ["⅐"] = {1, 7}, ["⅑"] = {1, 9}, ["⅒"] = {1, 10},
  ["⅓"] = {1, 3}, ["⅔"] = {2, 3}, ["⅕"] = {1, 5}, ["⅖"] = {2, 5}, ["⅗"] = {3, 5}, ["⅘"] = {4, 5},
  ["⅙"] = {1, 6}, ["⅚"] = {5, 6}, ["⅛"] = {1, 8}, ["⅜"] = {3, 8}, ["⅝"] = {5, 8}, ["⅞"] = {7, 8},
}

local number = " ?([+-]?)(%d[%d,]*%.?%d*) ?"
local in_braces = "^ ?{" .. number .. "} ?{" .. number .. "}()"

-- Beyond this many digits a float has no room.
local longest = 300

local function value(digits, sign)
  if #digits > longest then return nil end
  local found = tonumber((digits:gsub(",", "")))
  return found and (sign == "-" and -found or found)
end

local function pair(above, below, after)
  if above and below and below ~= 0 then return above, below, after end
end

-- A character such as ½.
local function character(text, start)
  local found = text:match("^\xC2[\xBC-\xBE]", start) or text:match("^\xE2\x85[\x90-\x9E]", start)
  local parts = found and characters[found]
  if parts then return parts[1], parts[2], start + #found end
end

-- \frac, \dfrac, \tfrac and \cfrac of two numbers.
local function latex(text, start)
  local after = text:match("^\\[dtc]?frac()", start)
  if not after then return nil end
  local sign, above, other, below, stop = text:match(in_braces, after)
  if sign then return pair(value(above, sign), value(below, other), stop) end
  for _, pattern in ipairs{"^ ?(%d)(%d)()", "^ ?(%d){(%d+)}()", "^ ?{(%d+)}(%d)()"} do
    above, below, stop = text:match(pattern, after)
    if above then return pair(value(above), value(below), stop) end
  end
end

-- What is below a slash behind the digits `above`. Dates (1/2/2020) are none; then the rest of the
-- run is `scan.loose`.
local function slash(scan, start, position, above)
  local text = scan.text
  for _, mark in ipairs(slashes) do
    if text:sub(position, position + #mark - 1) == mark then
      local digits, after = text:match("^(%d+)()", position + #mark)
      if not digits then return nil end
      if text:find("^/%d", after) then
        while text:find("^/%d", after) do after = text:match("^/%d+()", after) end
        scan.loose = after
        return nil
      end
      if text:find("^[.,]%d", after) or text:sub(start - 1, start - 1) == "/" then return nil end
      return pair(value(above), value(digits), after)
    end
  end
end

-- The rest of a mixed number: 1 1/2, 1½, 1\frac{1}{2}.
local function mixed(text, position)
  local above, below, after = text:match("^ (%d%d?%d?)/(%d%d?%d?)()", position)
  if above then
    if text:find("^[%d/]", after) or text:find("^[.,]%d", after) then return nil end
    above, below = value(above), value(below)
  else
    above, below, after = character(text, text:match("^ ?()", position))
    if not above then above, below, after = latex(text, position) end
  end
  if above and above >= 0 and above < below then return above, below, after end
end

return {character = character, latex = latex, slash = slash, mixed = mixed}
