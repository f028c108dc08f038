-- Normalises answers in LaTeX, so that \dfrac12 and \frac{1}{2} are equal.
--
-- The rules, their order and their gaps are those of the MATH data set (Hendrycks et al. 2021,
-- arXiv 2103.03874), which the A*-PO authors use: 1,000 and 1000 are different answers. Where their
-- program raises, the result is nil, and answers are compared unchanged.

-- Replaces a plain text everywhere.
local function replace(text, old, new)
  return (text:gsub(old:gsub("%p", "%%%0"), (new:gsub("%%", "%%%%"))))
end

-- The pieces of a text around a separator.
local function split(text, separator)
  local pieces, position = {}, 1
  while true do
    local first, last = text:find(separator, position, true)
    pieces[#pieces + 1] = text:sub(position, (first or 0) - 1)
    if not first then return pieces end
    position = last + 1
  end
end

-- The first character and the rest; nil for an empty text.
local function cut(text) return text:match("^(" .. utf8.charpattern .. ")(.*)$") end

-- \sqrt3 as \sqrt{3}.
local function fix_roots(text)
  local pieces = split(text, "\\sqrt")
  for i = 2, #pieces do
    local first, rest = cut(pieces[i])
    if not first then return nil end
    pieces[i] = first == "{" and pieces[i] or "{" .. first .. "}" .. rest
  end
  return table.concat(pieces, "\\sqrt")
end

-- \frac12 as \frac{1}{2}, \frac1{23} as \frac{1}{23}.
local function fix_fractions(text)
  local pieces = split(text, "\\frac")
  for i = 2, #pieces do
    local above, rest = cut(pieces[i])
    if not above then return nil end
    if above ~= "{" then
      local below, after = cut(rest)
      if not below then return text end
      pieces[i] = "{" .. above .. "}" .. (below == "{" and rest or "{" .. below .. "}" .. after)
    end
  end
  return table.concat(pieces, "\\frac")
end

-- Whether Python's int() takes the text, and whether it writes the number in the same way.
local function integer(text)
  local digits = text:match("^%s*[+-]?(%d[%d_]*)%s*$")
  local is_one = digits and not digits:find("__", 1, true) and digits:sub(-1) ~= "_"
  return is_one, is_one and (text == "0" or text:match("^%-?[1-9]%d*$") ~= nil)
end

-- 3/4 as \frac{3}{4}.
local function fix_slash(text)
  local pieces = split(text, "/")
  if #pieces ~= 2 then return text end
  local above, is_plain_above = integer(pieces[1])
  local below, is_plain_below = integer(pieces[2])
  if not (above and below) then return nil end
  if not (is_plain_above and is_plain_below) then return text end
  return "\\frac{" .. pieces[1] .. "}{" .. pieces[2] .. "}"
end

-- What is replaced first, in this order.
local spellings = {
  {"\n", ""}, {"\\!", ""}, {"\\\\", "\\"}, {"tfrac", "frac"}, {"dfrac", "frac"}, {"\\left", ""},
  {"\\right", ""}, {"^{\\circ}", ""}, {"^\\circ", ""}, {"\\$", ""},
}

-- Units, per cent, a missing 0, "x =".
local function fix_ends(text)
  local units = split(text, "\\text{ ")
  if #units > 2 then return nil end
  text = replace(units[1], "\\%", "")
  text = replace(replace(text, " .", " 0."), "{.", "{0.")
  if text:sub(1, 1) == "." then text = "0" .. text end
  local sides = split(text, "=")
  return #sides == 2 and (utf8.len(sides[1], 1, -1, true) or 3) <= 2 and sides[2] or text
end

-- The one form of an answer, or nil.
return function(text)
  for _, spelling in ipairs(spellings) do text = replace(text, spelling[1], spelling[2]) end
  text = fix_ends(text)
  text = text and fix_roots(text)
  text = text and fix_fractions(replace(text, " ", ""))
  if text == "0.5" then text = "\\frac{1}{2}" end
  return text and fix_slash(text)
end
