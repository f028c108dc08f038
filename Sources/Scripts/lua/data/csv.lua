-- Reads tables of comma-separated values (RFC 4180): the first line names the columns, a field in
-- double quotes may hold commas, newlines and doubled quotes. All values are strings. As in
-- JSON-lines files, a byte order mark and blank lines are skipped.

local apo = require "apo"
local fail = require "apo.fail"

-- The field at a position: its text, and the position of its terminator; nil if a quote is not
-- closed.
local function field(text, start)
  if text:sub(start, start) ~= '"' then
    local value = text:match("^[^,\r\n]*", start)
    return value, start + #value
  end
  local parts, position = {}, start + 1
  while true do
    local quote = text:find('"', position, true)
    if not quote then return nil end
    parts[#parts + 1] = text:sub(position, quote - 1)
    if text:sub(quote + 1, quote + 1) ~= '"' then return table.concat(parts), quote + 1 end
    parts[#parts + 1] = '"'
    position = quote + 2
  end
end

-- The fields of the record at a position, and the position after it; or what is wrong with it.
local function record(text, start)
  local fields, position = {}, start
  while true do
    fields[#fields + 1], position = field(text, position)
    if not position then return nil, "a quoted field has no closing quote" end
    local next = text:sub(position, position)
    if next ~= "," then break end
    position = position + 1
  end
  if not text:find("^[\r\n]", position) and position <= #text then
    return nil, ("a comma or the end of the line expected after a quoted field, found "
      .. "%q")
      :format(text:match("^" .. utf8.charpattern, position))
  end
  return fields, text:match("^\r?\n?()", position)
end

local function lines(text, first, last)
  local _, count = text:sub(first, last):gsub("\r?\n", "")
  return math.max(count, 1)
end

-- An iterator of records with the lines on which they begin.
local function records(text, path)
  local position, line = text:match("^\xEF\xBB\xBF()") or 1, 1
  return function()
    while position <= #text do
      local start, number = position, line
      local after = text:match("^[ \t]*\r?\n()", start) or text:match("^[ \t]*\r()", start)
        or text:find("^[ \t]*$", start) and #text + 1
      if after then
        position, line = after, line + 1
      else
        local fields, stop = record(text, start)
        if not fields then fail(("%s: line %d: %s"):format(path, number, stop)) end
        position, line = stop, line + lines(text, start, stop - 1)
        return fields, number
      end
    end
  end
end

local function check_names(names, path)
  local seen = {}
  for _, name in ipairs(names) do
    if seen[name] then
      fail(("%s: the first line names the column '%s' twice"):format(path, name))
    end
    seen[name] = true
  end
end

-- Calls `visit(row, line)` for every record, with the columns' names as keys.
local function read(path, visit)
  local text, message = apo.system.read_file(path)
  if not text then fail(message) end
  local _, bad = utf8.len(text)
  if bad then
    local _, before = text:sub(1, bad):gsub("\n", "")
    fail(("%s: line %d: not valid UTF-8"):format(path, before + 1))
  end
  local names
  for fields, line in records(text, path) do
    if not names then
      names = fields
      check_names(names, path)
    else
      if #fields ~= #names then
        fail(("%s: line %d has %d fields, the first line names %d"):format(
          path, line, #fields, #names))
      end
      local row = {}
      for i, name in ipairs(names) do row[name] = fields[i] end
      visit(row, line)
    end
  end
end

return read
