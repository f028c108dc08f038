-- Rows of one number: the same table twice in a data set, or rows of two files. Their samples
-- differ by their numbers, which are counted over the whole data set and not over a batch, so that
-- what is sampled does not depend on how the rows are cut into batches.

local rows_of_files = require "apo.rows"

-- Gives a function of the rows of a batch, in the order of the data, that gives their first
-- samples.
return function(n)
  local seen = {}
  return function(rows)
    local first = {}
    for i, row in ipairs(rows) do
      local number = rows_of_files.get(row) or 0
      first[i] = n * (seen[number] or 0)
      seen[number] = (seen[number] or 0) + 1
    end
    return first
  end
end
