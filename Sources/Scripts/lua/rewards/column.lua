-- Where a row keeps its right answer. The columns of other libraries are taken as they are.

local fail = require "apo.fail"
local rows_of_files = require "apo.rows"

-- The column of that name; else `ground_truth`, or `reward_model.ground_truth` as verl has it.
return function(row, name)
  local value = row[name]
  if value == nil then value = row.ground_truth end
  if value == nil and type(row.reward_model) == "table" then
    value = row.reward_model.ground_truth
  end
  if value == nil then
    fail(("row %s has no column '%s' with the right answer"):format(
      rows_of_files.get(row) or "(not from a file)", name))
  end
  return value
end
