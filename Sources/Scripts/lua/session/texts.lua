-- Tables of prompts and completions: the figures in full, the texts as far as the width goes.

local visible = require "apo".system.visible
local tables = require "apo.runs.table"

local most_rows = 20

local function padded(text, width, is_right)
  local room = (" "):rep(width - tables.width(text))
  return is_right and room .. text or text .. room
end

-- The cells of a column, its heading first, and their width.
local function cells_of(column, rows)
  local cells, width = {column[1]}, #column[1]
  for i = 1, math.min(#rows, most_rows) do
    local value = column[2](rows[i], i)
    cells[i + 1] = visible(value == nil and "-" or tostring(value))
    width = math.max(width, tables.width(cells[i + 1]))
  end
  return cells, width
end

-- The widths of the texts: what the figures leave, shared out. A short one leaves the other room.
local function share(widths, room)
  local total = 0
  for _, width in ipairs(widths) do total = total + width end
  if total <= room then return widths end
  local half = room // #widths
  if #widths == 1 then return {room} end
  if widths[1] < half then return {widths[1], room - widths[1]} end
  if widths[2] < half then return {room - widths[2], widths[2]} end
  return {half, room - half}
end

-- The lines of a table. A column is `{heading, function(row, i)}` for a figure, with `text = true`
-- for a text, of which there are at most two. Where it is narrow, figures go, of the highest `rank`
-- first.
return function(columns, rows, width)
  local kept = table.move(columns, 1, #columns, 1, {})
  local cells, widths = {}, {}
  for _, column in ipairs(columns) do cells[column], widths[column] = cells_of(column, rows) end
  local function figures()
    local sum = 0
    for _, column in ipairs(kept) do sum = sum + 2 + (column.text and 0 or widths[column]) end
    return sum - 2
  end
  local needed = 0
  for _, column in ipairs(columns) do needed = needed + (column.text and widths[column] or 0) end
  while width - figures() < math.min(30, needed) do
    local worst
    for i, column in ipairs(kept) do
      if column.rank and (not worst or column.rank > kept[worst].rank) then worst = i end
    end
    if not worst then break end
    table.remove(kept, worst)
  end
  local of_texts, texts = {}, {}
  for _, column in ipairs(kept) do
    if column.text then
      texts[#texts + 1], of_texts[#of_texts + 1] = column, widths[column]
    end
  end
  for i, shared in ipairs(share(of_texts, math.max(8, width - figures()))) do
    widths[texts[i]] = shared
  end
  local lines = {}
  for i = 1, math.min(#rows, most_rows) + 1 do
    local parts = {}
    for n, column in ipairs(kept) do
      parts[n] = padded(tables.cut(cells[column][i], widths[column]), widths[column],
        not column.text)
    end
    lines[i] = table.concat(parts, "  "):gsub(" +$", "")
  end
  if #rows > most_rows then lines[#lines + 1] = ("… and %d more"):format(#rows - most_rows) end
  return lines
end
