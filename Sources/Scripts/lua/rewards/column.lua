-- Where a row keeps its right answer; supports the columns of other libraries.

local fail = require "apo.fail"
local rows_of_files = require "apo.rows"

local function place(row) return rows_of_files.place(row) or "a row that is not from a file" end

-- The column of that name; else `ground_truth`, or `reward_model.ground_truth` as verl has it.
local function column(row, name)
  local value = row[name]
  if value == nil then value = row.ground_truth end
  if value == nil and type(row.reward_model) == "table" then
    value = row.reward_model.ground_truth
  end
  if value == nil then
    fail(("%s has no column '%s' with the right answer"):format(place(row), name))
  end
  return value
end

-- The same where it must be a text or a number. A number stays one: its text is not unique.
local function answer(row, name)
  local value = column(row, name)
  if type(value) == "string" or type(value) == "number" and value - value == 0 then return value end
  if type(value) == "boolean" then return tostring(value) end
  fail(("%s: the right answer in '%s' must be a text or a finite number, got %s"):format(
    place(row), name, type(value) == "number" and tostring(value) or type(value)))
end

return {column = column, answer = answer, place = place}
