-- Which row an error is about: its number where it has one, and the start of its prompt.

local rows_of_files = require "apo.rows"
local printable = require "apo.data.printable"

local function excerpt(prompt)
  if type(prompt) == "table" and type(prompt[#prompt]) == "table" then
    prompt = prompt[#prompt].content
  end
  if type(prompt) ~= "string" then return "token ids" end
  local text = prompt:gsub("%s+", " ")
  return printable(#text > 50 and text:sub(1, 47):gsub("[\x80-\xFF]+$", "") .. "..." or text)
end

return function(row)
  local index = rows_of_files.get(row)
  return ("%s (prompt: %s)"):format(index and "row " .. index or "a row", excerpt(row.prompt))
end
