-- The code of a function as bytes that change with its behaviour, but not when it moves in its
-- file, comments change, or a local variable is added before it.
--
-- This is string.dump without debug information and without position: the first and last line
-- numbers, and the upvalue slots of the enclosing function. The layout is that of Lua 5.4
-- (ldump.c). Values of upvalues and called functions are not part of it.

local header_size = 32  -- signature, sizes, the numbers that prove their format, upvalue count

-- Constants by their tag: how many bytes follow; the others are strings.
local constant_size = {[0x00] = 0, [0x01] = 0, [0x11] = 0, [0x03] = 8, [0x13] = 8}

-- A number in groups of seven bits, of which the last has its top bit set; the position after it.
local function read_number(code, position)
  local number = 0
  while true do
    local byte = code:byte(position)
    number, position = number << 7 | byte & 0x7F, position + 1
    if byte & 0x80 ~= 0 then return number, position end
  end
end

-- The position after a string, whose size counts one more; 0 stands for none.
local function skip_string(code, position)
  local size, start = read_number(code, position)
  return start + math.max(0, size - 1)
end

local function skip_constants(code, position)
  local count
  count, position = read_number(code, position)
  for _ = 1, count do
    local size = constant_size[code:byte(position)]
    position = size and position + 1 + size or skip_string(code, position + 1)
  end
  return position
end

-- Adds the pieces of the function at a position that matter; gives the position after it.
local function walk(code, position, pieces, is_outermost)
  local count, _
  position = skip_string(code, position)                  -- source: none
  _, position = read_number(code, position)               -- first line
  _, position = read_number(code, position)               -- last line
  local start = position
  count, position = read_number(code, position + 3)       -- parameters, vararg, stack; code
  position = skip_constants(code, position + 4 * count)
  count, position = read_number(code, position)           -- upvalues
  pieces[#pieces + 1] = code:sub(start, position - 1)
  if not is_outermost then pieces[#pieces + 1] = code:sub(position, position + 3 * count - 1) end
  position = position + 3 * count
  count, position = read_number(code, position)           -- functions inside
  for _ = 1, count do position = walk(code, position, pieces, false) end
  return position + 4                                     -- debug information: four empty lists
end

-- The code, nil for a compiled function.
return function(f)
  local ok, code = pcall(string.dump, f, true)
  if not ok then return nil end
  local pieces = {}
  walk(code, header_size + 1, pieces, true)
  return table.concat(pieces)
end
