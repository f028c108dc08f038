-- Names a row in errors: where it was read, and the start of its prompt.

local rows_of_files, prompts = require "apo.rows", require "apo.prompts"
local visible = require "apo".system.visible

-- `prompt` is that of the completion, where the row may have none.
return function(row, prompt)
  local excerpt = prompts.excerpt(row.prompt or prompt)
  local place = visible(rows_of_files.place(row) or "a row")
  return excerpt == "" and place or ("%s (prompt: %s)"):format(place, excerpt)
end
