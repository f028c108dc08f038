-- Faults of rows in one error: the first row with its file, line and the start of its prompt; then
-- the positions of the others.

local fail = require "apo.fail"
local rows_of_files, prompts = require "apo.rows", require "apo.prompts"
local visible = require "apo".system.visible

local shown = 10  -- places that are listed

local Faults = {}
Faults.__index = Faults

-- Adds a row. Without a text the rows are only counted.
function Faults:add(row, position, text)
  self.count = self.count + 1
  if self.count > shown + 1 then return end
  local place, file, noun, number
  if type(row) == "table" then place, file, noun, number = rows_of_files.place(row) end
  self[self.count] = {
    row = row, text = text, place = place or ("row %d"):format(position), file = file,
    noun = noun or "row", number = number or position,
  }
end

-- The places from the first one on: "lines 40, 51, …"; of another file with its name.
local function places(self, first)
  local noun, file = self[first].noun, self[first].file
  local list = {}
  for i = first, math.min(self.count, first + shown - 1) do
    local fault = self[i]
    local is_alike = fault.file == file and fault.noun == noun
    list[#list + 1] = is_alike and tostring(fault.number) or fault.place
  end
  if self.count >= first + shown then list[#list + 1] = "…" end
  local numbers = noun .. (#list > 1 and "s " or " ") .. table.concat(list, ", ")
  local is_known = first > 1 and self[1].file == file
  return visible((file and not is_known and file .. ": " or "") .. numbers)
end

function Faults:places() return places(self, 1) end

-- Raises if there is a fault; `advice` is appended.
function Faults:raise(name, advice)
  local first = self[1]
  if not first then return end
  local prompt = prompts.excerpt(type(first.row) == "table" and first.row.prompt or nil)
  local text = ("%s: %s: %s%s"):format(name, first.place, first.text,
    prompt ~= "" and (" (prompt: %s)"):format(prompt) or "")
  if self.count > 1 then
    text = ("%s; and %d more: %s"):format(text, self.count - 1, places(self, 2))
  end
  fail(text .. (advice or ""))
end

return function() return setmetatable({count = 0}, Faults) end
