-- The format that the end of a path promises: another one is not written under that name.

local fail = require "apo.fail"

-- Ends of names that promise a format; others, and names without one, promise nothing.
local formats = {}
for name in ([[jsonl ndjson json csv tsv txt html htm svg png jpg jpeg gif webp pdf eps parquet
  arrow feather gz zst bz2 xz zip xlsx safetensors gguf bin pt pth npy npz pkl lua
  md]]):gmatch("%S+") do
  formats[name] = true
end

-- The end of a path in lower case, nil where it promises nothing.
local function of(path)
  local name = path:match("[^/]*$"):match("[^.]%.([%w]+)$")
  name = name and name:lower()
  return formats[name] and name or nil
end

-- Raises unless the path ends in one of these formats, or in none that is known. With `needs` it
-- must end in one of them.
local function check(path, name, known, needs)
  local found = of(path)
  for _, format in ipairs(known) do
    if found == format then return found end
  end
  if not found and not needs then return nil end
  fail(("%s: %s must end in .%s: that is what is written"):format(
    name, path, table.concat(known, " or .")))
end

return {of = of, check = check}
