-- The settings of runs side by side.

local apo = require "apo"
local format, same = require "apo.runs.format", require "apo.data.same"

-- Whether a setting is the XXH64 of a file or of rows, which says nothing by itself.
local function is_checksum(value)
  return type(value) == "string" and #value == 16 and value:find "^%x+$" ~= nil
end

-- The settings of a run with those in tables under names like `eval.n`; lists are in one line.
local function flat(settings, prefix, into)
  for name, value in pairs(settings) do
    local path = prefix .. tostring(name)
    if type(value) == "table" and next(value) ~= nil and #value == 0 then
      flat(value, path .. ".", into)
    else into[path] = value end
  end
  return into
end

-- A setting in a line: numbers in four digits, with all where that hides a difference.
local function text(value, is_exact)
  if value == nil then return "-" end
  if type(value) == "table" or is_exact then return apo.json.encode(value, {lossy = true}) end
  return format.metric(value)
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
    local row, differs, has_words, texts = {name}, false, false, {}
    for i in ipairs(runs) do
      local value = all[i][name]
      differs = differs or not same(value, all[1][name])
      has_words = has_words or not is_checksum(value)
      texts[text(value)] = true
    end
    local is_exact = differs and next(texts, next(texts)) == nil
    for i in ipairs(runs) do row[i + 1] = text(all[i][name], is_exact) end
    if differs or takes_all and has_words then rows[#rows + 1] = row end
  end
  table.sort(rows, function(a, b) return a[1] < b[1] end)
  return rows
end
