-- Text of models and data as a terminal may show it: without what would move the cursor, change
-- colours or reverse the writing direction.

-- Those of Unicode that terminals obey: C1 controls, and marks of direction.
local function is_control(code)
  return code >= 0x80 and code < 0xA0 or code >= 0x202A and code <= 0x202E
    or code >= 0x2066 and code <= 0x2069 or code == 0x2028 or code == 0x2029
end

local function bytes(text)
  return (text:gsub(".", function(c) return ("\\x%02X"):format(c:byte()) end))
end

local names = {["\n"] = "\\n", ["\t"] = "\\t", ["\r"] = "\\r"}

-- The text with control characters and bytes that are no UTF-8 written as escapes.
return function(text)
  local pieces, position = {}, 1
  while position <= #text do
    local valid, bad = utf8.len(text, position)
    local last = valid and #text or bad - 1
    pieces[#pieces + 1] = text:sub(position, last):gsub("[\0-\31\127]", function(c)
      return names[c] or bytes(c)
    end):gsub(utf8.charpattern, function(c)
      return #c > 1 and is_control(utf8.codepoint(c)) and ("\\u{%X}"):format(utf8.codepoint(c))
        or nil
    end)
    if not valid then pieces[#pieces + 1] = bytes(text:sub(bad, bad)) end
    position = last + (valid and 1 or 2)
  end
  return table.concat(pieces)
end
