-- Plain data as JSON that keeps everything: whether a number is an integer, NaN and infinities, all
-- bytes of strings, and keys of any kind. For the state of a script in checkpoints.
--
--   true, false     as they are
--   integers        as they are, "i…" beyond 2^53
--   floats          "f" and their hexadecimal text; "d" and the bits of what is not finite
--   strings         "s" and the text, "x" and hexadecimal digits where it is no UTF-8
--   tables          [key, value, key, value, …]

local fail = require "apo.fail"

local deepest = 50

local function hexadecimal(text)
  return (text:gsub(".", function(c) return ("%02x"):format(c:byte()) end))
end

local function number(value)
  if math.type(value) == "integer" then
    local is_short = value > -(1 << 53) and value < 1 << 53
    return is_short and value or ("i%d"):format(value)
  end
  if value - value == 0 then return ("f%a"):format(value) end
  return "d" .. hexadecimal(string.pack(">d", value))
end

local function text(value)
  return utf8.len(value) and "s" .. value or "x" .. hexadecimal(value)
end

local encode

local function key_path(path, key)
  if type(key) == "string" and key:find "^[%a_][%w_]*$" then return path .. "." .. key end
  return ("%s[%s]"):format(path, type(key) == "string" and ("%q"):format(key) or tostring(key))
end

local function encode_table(value, path, seen, depth)
  if seen[value] then
    fail(("%s is the same table as %s: a checkpoint would duplicate it"):format(
      path, seen[value]))
  elseif getmetatable(value) ~= nil then
    fail(path .. " has a metatable, which a checkpoint cannot store")
  elseif depth > deepest then
    fail(("%s is nested deeper than %d tables"):format(path, deepest))
  end
  seen[value] = path
  local list = {}
  for key, inner in pairs(value) do
    local inner_path = key_path(path, key)
    if type(key) == "table" then
      fail(inner_path .. ": a checkpoint cannot store a table as a key")
    end
    list[#list + 1] = encode(key, inner_path, seen, depth + 1)
    list[#list + 1] = encode(inner, inner_path, seen, depth + 1)
  end
  return list
end

function encode(value, path, seen, depth)
  local kind = type(value)
  if kind == "boolean" then return value end
  if kind == "number" then return number(value) end
  if kind == "string" then return text(value) end
  if kind == "table" then return encode_table(value, path, seen, depth) end
  fail(("%s is a %s: numbers, strings, booleans and tables of them expected"):format(path, kind))
end

local decoders = {
  s = function(rest) return rest end,
  i = function(rest) return math.tointeger(tonumber(rest)) end,
  f = function(rest) return tonumber(rest) end,
  x = function(rest)
    return (rest:gsub("%x%x", function(digits) return string.char(tonumber(digits, 16)) end))
  end,
  d = function(rest)
    local bytes = rest:gsub("%x%x", function(digits) return string.char(tonumber(digits, 16)) end)
    return #bytes == 8 and string.unpack(">d", bytes) or nil
  end,
}

local decode

local function decode_table(value, place, depth)
  if #value % 2 == 1 or depth > deepest + 1 then fail(place .. ": is damaged") end
  local result = {}
  for i = 1, #value, 2 do
    local key = decode(value[i], place, depth + 1)
    if key == nil or key ~= key then fail(place .. ": is damaged") end
    result[key] = decode(value[i + 1], place, depth + 1)
  end
  return result
end

function decode(value, place, depth)
  local kind = type(value)
  if kind == "boolean" or math.type(value) == "integer" then return value end
  if kind == "table" then return decode_table(value, place, depth) end
  local decoder = kind == "string" and decoders[value:sub(1, 1)]
  local result
  if decoder then result = decoder(value:sub(2)) end
  if result == nil then fail(place .. ": is damaged") end
  return result
end

return {
  -- What JSON can hold of a value; `path` is what errors call it.
  encode = function(value, path) return encode(value, path, {}, 1) end,
  -- The value again; `place` is the file and field for errors.
  decode = function(value, place) return decode(value, place, 1) end,
}
