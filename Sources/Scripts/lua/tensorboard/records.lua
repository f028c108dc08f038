-- Files of records (TFRecord), as TensorBoard reads them. A record is
--
--   length (uint64) | masked CRC-32C of these eight bytes | bytes | masked CRC-32C of the bytes
--
-- with everything in little-endian order; see tensorflow/core/lib/io/record_writer.h.

local byte, pack, unpack = string.byte, string.pack, string.unpack

-- CRC-32C (Castagnoli), reflected.
local of_byte = {}
for i = 0, 255 do
  local crc = i
  for _ = 1, 8 do crc = crc & 1 == 1 and crc >> 1 ~ 0x82F63B78 or crc >> 1 end
  of_byte[i] = crc
end

local function crc32c(text)
  local crc, t = 0xFFFFFFFF, of_byte
  local whole = #text - #text % 8
  for i = 1, whole, 8 do
    local a, b, c, d, e, f, g, h = byte(text, i, i + 7)
    crc = crc >> 8 ~ t[(crc ~ a) & 255]
    crc = crc >> 8 ~ t[(crc ~ b) & 255]
    crc = crc >> 8 ~ t[(crc ~ c) & 255]
    crc = crc >> 8 ~ t[(crc ~ d) & 255]
    crc = crc >> 8 ~ t[(crc ~ e) & 255]
    crc = crc >> 8 ~ t[(crc ~ f) & 255]
    crc = crc >> 8 ~ t[(crc ~ g) & 255]
    crc = crc >> 8 ~ t[(crc ~ h) & 255]
  end
  for i = whole + 1, #text do crc = crc >> 8 ~ t[(crc ~ byte(text, i)) & 255] end
  return crc ~ 0xFFFFFFFF
end

-- A CRC of data that holds CRCs is weak, so what is stored is rotated and shifted.
local function masked(text)
  local crc = crc32c(text)
  return ((crc >> 15 | crc << 17 & 0xFFFFFFFF) + 0xA282EAD8) & 0xFFFFFFFF
end

-- A record of some bytes.
local function record(bytes)
  local length = pack("<I8", #bytes)
  return pack("<c8I4", length, masked(length)) .. bytes .. pack("<I4", masked(bytes))
end

-- The records of a file: an iterator of the bytes of each and where it begins. It ends before one
-- that is not whole or is damaged.
local function each(file)
  local place = 0
  return function()
    file:seek("set", place)
    local head = file:read(12)
    if not head or #head < 12 then return nil end
    local length, check = unpack("<i8I4", head)
    if check ~= masked(head:sub(1, 8)) or length < 0 then return nil end
    local bytes, start = length == 0 and "" or file:read(length), place
    local tail = file:read(4)
    if not bytes or #bytes < length or not tail or #tail < 4
      or unpack("<I4", tail) ~= masked(bytes) then
      return nil
    end
    place = place + 16 + length
    return bytes, start
  end, nil, nil
end

return {crc32c = crc32c, record = record, each = each}
