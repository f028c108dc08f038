-- What every specification gets as its argument: checks, the fixtures' folder, an empty folder.
local support = {}

-- Whether two values are equal, tables by content.
local function same(a, b)
  if a == b then return true end
  if type(a) ~= "table" or type(b) ~= "table" then return false end
  for key, value in pairs(a) do
    if not same(value, b[key]) then return false end
  end
  for key in pairs(b) do
    if a[key] == nil then return false end
  end
  return true
end

local function show(value)
  if type(value) ~= "table" then return type(value) == "string" and ("%q"):format(value)
    or tostring(value) end
  local parts = {}
  for key, inner in pairs(value) do parts[#parts + 1] = tostring(key) .. " = " .. show(inner) end
  return "{" .. table.concat(parts, ", ") .. "}"
end

function support.equal(given, expected)
  if not same(given, expected) then
    error(("%s expected, got %s"):format(show(expected), show(given)), 2)
  end
end

function support.close(given, expected, tolerance)
  if math.abs(given - expected) > (tolerance or 1e-6) then
    error(("%s expected, got %s"):format(expected, given), 2)
  end
end

-- The function must raise an error that contains the text.
function support.raises(text, f, ...)
  local ok, message = pcall(f, ...)
  if ok then error("no error; expected: " .. text, 2) end
  if not tostring(message):find(text, 1, true) then
    error(("expected an error with %q, got %q"):format(text, tostring(message)), 2)
  end
end

function support.write(path, text)
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
end

function support.read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read("a")
  file:close()
  return text
end

return support
