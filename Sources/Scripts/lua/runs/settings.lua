-- The settings of a run as a list of `{name, value}`, by name: numbers, texts and booleans, those
-- in tables under names like `eval.n`, lists as JSON. Checksums, which say nothing, are left out.

local apo = require "apo"

local function is_checksum(value)
  return type(value) == "string" and #value == 16 and value:find "^%x+$" ~= nil
end

local function add(list, settings, prefix)
  for name, value in pairs(settings) do
    local path = prefix .. tostring(name)
    if type(value) == "table" and #value == 0 then add(list, value, path .. ".")
    else
      if type(value) == "table" then value = apo.json.encode(value, {lossy = true}) end
      if not is_checksum(value) and value ~= apo.json.null then list[#list + 1] = {path, value} end
    end
  end
  return list
end

return function(settings)
  local list = add({}, settings, "")
  table.sort(list, function(a, b) return a[1] < b[1] end)
  return list
end
