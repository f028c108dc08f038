-- Reads tables of comma-separated values (RFC 4180): the first line names the columns, a field in
-- double quotes may hold commas, newlines and doubled quotes. All values are strings.

local apo = require "apo"
local fail = require "apo.fail"

-- The field that begins at a position: its text, and the position of what ends it.
local function field(text, start, path)
  if text:sub(start, start) ~= '"' then
    local value = text:match("^[^,\r\n]*", start)
    return value, start + #value
  end
  local parts, position = {}, start + 1
  while true do
    local quote = text:find('"', position, true)
    if not quote then fail(path .. ": a field in double quotes has no end") end
    parts[#parts + 1] = text:sub(position, quote - 1)
    if text:sub(quote + 1, quote + 1) ~= '"' then return table.concat(parts), quote + 1 end
    parts[#parts + 1] = '"'
    position = quote + 2
  end
end

-- The fields of the record that begins at a position, and the position after it.
local function record(text, start, path)
  local fields, position = {}, start
  while true do
    fields[#fields + 1], position = field(text, position, path)
    if text:sub(position, position) ~= "," then break end
    position = position + 1
  end
  return fields, text:match("^\r?\n?()", position)
end

-- Calls `visit(row, line)` for every record, with the columns' names as keys.
local function read(path, visit)
  local text, message = apo.system.read_file(path)
  if not text then fail(message) end
  local _, bad = utf8.len(text)
  if bad then
    local _, lines = text:sub(1, bad):gsub("\n", "")
    fail(("%s: line %d: not valid UTF-8"):format(path, lines + 1))
  end
  local names, position = record(text, text:match("^\xEF\xBB\xBF()") or 1, path)
  local number = 1
  while position <= #text do
    local fields, after = record(text, position, path)
    number = number + 1
    if #fields ~= #names then
      fail(("%s: record %d has %d fields, the first line names %d"):format(
        path, number, #fields, #names))
    end
    local row = {}
    for i, name in ipairs(names) do row[name] = fields[i] end
    visit(row, number)
    position = after
  end
end

return read
