-- All metrics of a run as CSV, a line a record.

local apo = require "apo"
local folder = require "apo.runs.folder"

local first = {step = 1, epoch = 2, seconds = 3}

-- The names of all metrics, those that every record has in front.
local function names(records)
  local list, known = {}, {}
  for _, record in ipairs(records) do
    for name, value in pairs(record) do
      if not known[name] and type(value) ~= "table" then
        known[name], list[#list + 1] = true, name
      end
    end
  end
  table.sort(list, function(a, b)
    local x, y = first[a] or 9, first[b] or 9
    if x ~= y then return x < y end
    return a < b
  end)
  return list
end

-- A field by RFC 4180; numbers with the digits that give them back.
local function field(value)
  if value == nil or value == apo.json.null or type(value) == "table" then return "" end
  if type(value) == "number" then return apo.json.encode(value) end
  local text = tostring(value)
  return text:find '[",\r\n]' and '"' .. text:gsub('"', '""') .. '"' or text
end

return function(dir)
  if not folder.is_run(dir) then folder.summary(dir) end
  local records, wrong = folder.objects(dir .. "/metrics.jsonl")
  if wrong > 0 then
    io.stderr:write(("%s/metrics.jsonl: %d lines are no records and are left out\n"):format(
      apo.system.shown(dir), wrong))
  end
  local columns = names(records)
  local function write(cells) io.write(table.concat(cells, ","), "\r\n") end
  local cells = {}
  for i, name in ipairs(columns) do cells[i] = field(name) end
  write(cells)
  for _, record in ipairs(records) do
    for i, name in ipairs(columns) do cells[i] = field(record[name]) end
    write(cells)
  end
end
