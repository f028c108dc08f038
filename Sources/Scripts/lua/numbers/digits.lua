-- The digits of a number in a text, with what separates their groups, and the point.
--
-- A run of digits is one number if its groups have three digits (or, with commas, two before the
-- last three, as in India). Any other run is a list, date or version: each group is a number.

local thin, narrow, no_break, figure = "\u{2009}", "\u{202F}", "\u{A0}", "\u{2007}"
local separators = {  -- by their first byte
  [","] = {",", ",\\!"}, ["_"] = {"_"}, ["'"] = {"'"}, ["{"] = {"{,}"}, ["\\"] = {"\\,"},
  ["\xE2"] = {thin, narrow, figure, "\u{2019}"}, ["\xC2"] = {no_break},
}

-- Goes through the groups behind `first`, which ends before `start`: the position after the last,
-- how many there are, and whether they make one number.
local function groups(text, first, start, separator)
  local position, count, last = start, 0, nil
  local threes, twos = #first <= 3, #first <= 2 and separator == ","
  while text:sub(position, position + #separator - 1) == separator do
    local from, after = text:match("^()%d+()", position + #separator)
    if not from then break end
    threes, twos = threes and (last or 3) == 3, twos and (last or 2) == 2
    position, last, count = after, after - from, count + 1
  end
  return position, count, last == 3 and (threes or twos) and first:sub(1, 1) ~= "0"
end

-- The digits behind a point or a comma, and the position after them; nil where more follow.
local function fraction(text, start, mark)
  local digits, after = text:match("^%" .. mark .. "(%d+)()", start)
  if digits and not text:find("^[.,]%d", after) then return digits, after end
end

local function only_digits(text) return (text:gsub("%D", "")) end

-- 1.5; 1.234.567 and 1.234,56, where points separate groups; else a version or a date.
local function dotted(scan, first, position)
  local text = scan.text
  local after, count, is_grouped = groups(text, first, position, ".")
  if is_grouped then
    local behind, stop = fraction(text, after, ",")
    if behind or count > 1 then
      return first .. only_digits(text:sub(position, after - 1)), behind or "", stop or after
    end
  end
  if count == 1 then return first, text:sub(position + 1, after - 1), after end
  scan.loose = after
  return first, "", position
end

-- The number that begins with a digit: what is before and behind its point, and where it ends.
-- `scan.loose` is where a run ends whose groups are numbers of their own.
return function(scan, start)
  local text = scan.text
  local first, position = text:match("^(%d+)()", start)
  if start < scan.loose then return first, "", position end
  if text:find("^%.%d", position) then return dotted(scan, first, position) end
  for _, separator in ipairs(separators[text:sub(position, position)] or {}) do
    local after, count, is_grouped = groups(text, first, position, separator)
    if is_grouped then
      local behind, stop = fraction(text, after, ".")
      return first .. only_digits(text:sub(position, after - 1)), behind or "", stop or after
    end
    if count > 0 then
      scan.loose = after
      break
    end
  end
  return first, "", position
end
