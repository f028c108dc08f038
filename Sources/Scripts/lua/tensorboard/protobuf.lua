-- The wire format of Protocol Buffers, as far as events need it: fields as texts that are put
-- together. A field is its number and kind, then its value; a message is the texts of its fields.

local pack = string.pack

local function varint(value)
  local out, n = {}, 0
  while value & ~127 ~= 0 do
    n = n + 1
    out[n] = value & 127 | 128
    value = value >> 7
  end
  out[n + 1] = value
  return string.char(table.unpack(out))
end

local function head(number, kind) return varint(number << 3 | kind) end

local function integer(number, value) return head(number, 0) .. varint(value) end

local function double(number, value) return head(number, 1) .. pack("<d", value) end

local function float(number, value) return head(number, 5) .. pack("<f", value) end

-- Bytes, a text, or a message from the texts of its fields.
local function bytes(number, ...)
  local value = table.concat{...}
  return head(number, 2) .. varint(#value) .. value
end

-- A list of doubles.
local function doubles(number, list)
  local out = {}
  for i, value in ipairs(list) do out[i] = pack("<d", value) end
  return bytes(number, table.concat(out))
end

-- The integer at a place of a text, and the place after it; nil where it is cut off.
local function read_varint(text, place)
  local value, shift = 0, 0
  while true do
    local at = text:byte(place)
    if not at or shift > 63 then return nil end
    value, place = value | (at & 127) << shift, place + 1
    if at < 128 then return value, place end
    shift = shift + 7
  end
end

return {varint = varint, integer = integer, double = double, float = float, bytes = bytes,
        doubles = doubles, read_varint = read_varint}
