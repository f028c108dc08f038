-- The settings of runs side by side.

local apo = require "apo"
local format = require "apo.runs.format"

-- Whether a setting is the XXH64 of a file or of rows, which says nothing by itself.
local function is_checksum(value)
  return type(value) == "string" and #value == 16 and value:find "^%x+$" ~= nil
end

-- The settings of a run with those in tables under names like `eval.n`; lists are in one line.
local function flat(settings, prefix, into)
  for name, value in pairs(settings) do
    local path = prefix .. tostring(name)
    if type(value) ~= "table" then into[path] = format.metric(value)
    elseif next(value) == nil or #value > 0 then into[path] = apo.json.encode(value, {lossy = true})
    else flat(value, path .. ".", into) end
  end
  return into
end

-- Rows of settings: {name, value of each run …}; those that differ, or all.
return function(runs, takes_all)
  local all, names = {}, {}
  for i, run in ipairs(runs) do
    all[i] = flat(run.about.settings, "", {})
    for name in pairs(all[i]) do names[name] = true end
  end
  local rows = {}
  for name in pairs(names) do
    local row, differs, has_words = {name}, false, false
    for i in ipairs(runs) do
      row[i + 1] = all[i][name] or "-"
      differs = differs or row[i + 1] ~= row[2]
      has_words = has_words or not is_checksum(row[i + 1])
    end
    if differs or takes_all and has_words then rows[#rows + 1] = row end
  end
  table.sort(rows, function(a, b) return a[1] < b[1] end)
  return rows
end
