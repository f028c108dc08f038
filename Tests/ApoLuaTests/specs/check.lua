-- What specs are written with: test, eq, close, raises. Failures are collected for the Swift
-- test that runs the file, which shows them all.

local check = {failures = {}, count = 0}

local function show(value)
  if type(value) ~= "table" then return type(value) == "string" and ("%q"):format(value) or tostring(value) end
  local parts = {}
  for i, item in ipairs(value) do parts[i] = show(item) end
  for key, item in pairs(value) do
    if type(key) ~= "number" then parts[#parts + 1] = tostring(key) .. " = " .. show(item) end
  end
  return "{" .. table.concat(parts, ", ") .. "}"
end

local function same(a, b, tolerance)
  if type(a) == "table" and type(b) == "table" then
    for key, item in pairs(a) do if not same(item, b[key], tolerance) then return false end end
    for key in pairs(b) do if a[key] == nil then return false end end
    return true
  end
  if tolerance and math.type(a) and math.type(b) then
    return a == b or math.abs(a - b) <= tolerance * math.max(1, math.abs(b))
  end
  return a == b
end

-- Tensors are compared by what they hold.
local function plain(value)
  return type(value) == "userdata" and value.totable and value:totable() or value
end

function check.test(name, body)
  check.count = check.count + 1
  local ok, message = xpcall(body, function(e) return debug.traceback(tostring(e), 2) end)
  if not ok then check.failures[#check.failures + 1] = name .. ": " .. message end
end

function check.eq(got, expected)
  got, expected = plain(got), plain(expected)
  if not same(got, expected) then
    error("expected " .. show(expected) .. ", got " .. show(got), 2)
  end
end

function check.close(got, expected, tolerance)
  got, expected = plain(got), plain(expected)
  if not same(got, expected, tolerance or 1e-5) then
    error("expected about " .. show(expected) .. ", got " .. show(got), 2)
  end
end

function check.raises(expected, body, ...)
  local ok, message = pcall(body, ...)
  if ok then error("no error, expected: " .. expected, 2) end
  if not tostring(message):find(expected, 1, true) then
    error("the error should say\n  " .. expected .. "\nand says\n  " .. tostring(message), 2)
  end
end

return check
