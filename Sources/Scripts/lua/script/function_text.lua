-- The source lines of a function, for the record of a run. Functions are compared by their code
-- (function_code.lua); this text is for people.

local apo = require "apo"

local function lines_of(text, first, last)
  local lines, number = {}, 0
  for line in (text .. "\n"):gmatch("(.-)\r?\n") do
    number = number + 1
    if number >= first and number <= last then lines[#lines + 1] = line end
  end
  return table.concat(lines, "\n")
end

local function text_of(f)
  local info = debug.getinfo(f, "S")
  local source = info.source
  if source:sub(1, 1) == "=" then return nil end  -- compiled, embedded or typed
  if source:sub(1, 1) == "@" then
    if apo.system.exists(source:sub(2)) ~= "file" then return nil end
    source = apo.system.read_file(source:sub(2))
  end
  return source and lines_of(source, info.linedefined, info.lastlinedefined)
end

-- Of a function or a table of functions; nil where there is none.
return function(given)
  if type(given) == "function" then return text_of(given) end
  if type(given) ~= "table" then return nil end
  local texts = {}
  for name, f in pairs(given) do
    if type(f) == "function" then texts[tostring(name)] = text_of(f) end
  end
  return next(texts) and texts
end
