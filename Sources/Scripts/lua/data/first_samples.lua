-- Rows of one number: the same table twice in a data set, or rows of two files. Their samples are
-- numbered over the whole data set, not per batch, so that samples do not depend on how the rows
-- are batched.

local rows_of_files = require "apo.rows"

-- Returns a function that maps the rows of a batch, in data order, to the numbers of their first
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
