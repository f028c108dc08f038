-- The format implied by a path's extension: no other format is written under that name.

local fail = require "apo.fail"

-- Extensions that imply a format; others, and names without one, imply none.
local formats = {}
for name in ([[jsonl ndjson json csv tsv txt html htm svg png jpg jpeg gif webp pdf eps parquet
  arrow feather gz zst bz2 xz zip xlsx safetensors gguf bin pt pth npy npz pkl lua
  md]]):gmatch("%S+") do
  formats[name] = true
end

-- The extension of a path in lower case; nil if it implies no format.
local function of(path)
  local name = path:match("[^/]*$"):match("[^.]%.([%w]+)$")
  name = name and name:lower()
  return formats[name] and name or nil
end

-- Raises unless the path has one of these extensions, or none that is known. With `needs` it must
-- have one of them.
local function check(path, name, known, needs)
  local found = of(path)
  for _, format in ipairs(known) do
    if found == format then return found end
  end
  if not found and not needs then return nil end
  fail(("%s: %s must end in .%s, the format that is written"):format(
    name, path, table.concat(known, " or .")))
end

return {of = of, check = check}
