-- The identity of a row in recorded values: its number in its file and a hash of all its columns.
-- So rows with the same prompt and different answers have separate values, and an edited row counts
-- as a new one.

local apo = require "apo"
local fail = require "apo.fail"
local rows_of_files = require "apo.rows"

local known = setmetatable({}, {__mode = "k"})  -- row -> {index, hash}, computed once

local function identify(row)
  local found = known[row]
  if found then return found end
  local ok, text = pcall(apo.json.encode, row)
  local index = rows_of_files.get(row)
  if not index then fail("a row that is not from an apo.dataset has no recorded value") end
  if not ok then fail(("row %d cannot be recorded: %s"):format(index, text)) end
  found = {index, apo.system.hash(text)}
  known[row] = found
  return found
end

-- The number and the hash of a row.
local function parts(row)
  local found = identify(row)
  return found[1], found[2]
end

-- Both as one text.
local function text(row)
  local found = identify(row)
  return found[1] .. ":" .. found[2]
end

return {parts = parts, text = text}
