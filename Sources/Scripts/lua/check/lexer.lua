-- Tokens of a Lua file that compiles: so nothing is checked here, and no text is refused.

local keywords = {}
for word in ([[and break do else elseif end false for function goto if in local nil not or repeat
  return then true until while]]):gmatch "%a+" do
  keywords[word] = true
end

local operators = {  -- the longest first
  "...", "..", "==", "~=", "<=", ">=", "//", "::", "<<", ">>",
}

-- The lines that a text goes on for: \r\n and \n\r are one end of a line.
local function line_ends(text)
  if not text:find("[\r\n]") then return 0 end
  local _, count = text:gsub("\r\n", "\n"):gsub("\n\r", "\n"):gsub("[\r\n]", "")
  return count
end

-- The end of a quoted string that begins at a position.
local function quoted_end(text, first)
  local quote, place = text:sub(first, first), first + 1
  while true do
    place = text:find("[\\" .. quote .. "]", place)
    if text:sub(place, place) == quote then return place end
    place = place + 2
  end
end

-- The end of `[==[ … ]==]`, and where its content begins; nil where there is none.
local function long_end(text, first)
  local _, opened, level = text:find("^%[(=*)%[", first)
  if not opened then return nil end
  local _, last = text:find("]" .. level .. "]", opened + 1, true)
  return last, opened + 1
end

-- The value of a string; an escape means what Lua says it does.
local function value_of(literal)
  if not literal:find("[\\\r\n]") then
    return literal:match "^%[(=*)%[" and literal:match "^%[=*%[(.*)%]=*%]$" or literal:sub(2, -2)
  end
  return load("return " .. literal, "=literal", "t", {})()
end

local function number_end(text, first)
  local _, last = text:find("^0[xX][%x%.]*", first)
  local exponent = "^[pP][+-]?%d+"
  if not last then
    _, last = text:find("^%d*%.?%d*", first)
    exponent = "^[eE][+-]?%d+"
  end
  local _, more = text:find(exponent, last + 1)
  return more or last
end

-- The tokens in lists of equal length: kinds ("name", "string", "number", "end", or the keyword or
-- operator itself), values, lines; and the comments as `{text, line, is_alone}`.
local function lex(text)
  local kinds, values, lines, comments, count = {}, {}, {}, {}, 0
  local place, line = 1, 1
  local function add(kind, value)
    count = count + 1
    kinds[count], values[count], lines[count] = kind, value, line
  end
  local function skip_comment(first)
    local last = long_end(text, first + 2)
    last = last or (text:find("[\r\n]", first) or #text + 1) - 1
    comments[#comments + 1] = {text = text:sub(first, last), line = line,
                               is_alone = lines[count] ~= line}
    line = line + line_ends(text:sub(first, last))
    return last + 1
  end
  local function add_string(last)
    local literal = text:sub(place, last)
    line = line + line_ends(literal)  -- Lua, too, gives a string the line of its end
    add("string", value_of(literal))
    place = last + 1
  end
  if text:sub(1, 3) == "\xEF\xBB\xBF" then place = 4 end
  if text:sub(place, place) == "#" then place = text:find("[\r\n]", place) or #text + 1 end
  while place <= #text do
    local first, last = text:find("^%s+", place)
    if first then
      line = line + line_ends(text:sub(first, last))
      place = last + 1
    elseif text:find("^%-%-", place) then
      place = skip_comment(place)
    elseif text:find("^[%a_]", place) then
      local word = text:match("^[%w_]+", place)
      add(keywords[word] and word or "name", word)
      place = place + #word
    elseif text:find("^%.?%d", place) then
      last = number_end(text, place)
      add("number", tonumber(text:sub(place, last)))
      place = last + 1
    elseif text:find("^[\"']", place) then
      add_string(quoted_end(text, place))
    elseif text:find("^%[=*%[", place) then
      add_string(long_end(text, place))
    else
      local found = text:sub(place, place)
      for _, operator in ipairs(operators) do
        if text:sub(place, place + #operator - 1) == operator then
          found = operator
          break
        end
      end
      add(found)
      place = place + #found
    end
  end
  add "end of file"
  return {kinds = kinds, values = values, lines = lines, comments = comments}
end

return lex
