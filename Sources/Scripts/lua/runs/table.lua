-- Tables on a terminal: columns by display width, the least important left out where it is narrow.

local apo = require "apo"
local pad = require "apo.terminal.pad"
local visible, width, excerpt = apo.system.visible, apo.system.columns, apo.system.excerpt

local function total(columns, widths)
  local sum = -2
  for _, column in ipairs(columns) do sum = sum + widths[column] + 2 end
  return sum
end

-- Takes the least important column out; false when one is left.
local function drop(columns)
  local worst
  for i, column in ipairs(columns) do
    if i > 1 and (not worst or (column.rank or 0) >= (columns[worst].rank or 0)) then worst = i end
  end
  return worst and table.remove(columns, worst)
end

-- Makes the lines at most so long: the first column gives way down to half of them, then the least
-- important others go.
local function fit(columns, widths, most)
  local first = columns[1]
  local needed = widths[first]
  local function share(least)
    local left = most - total(columns, widths) + widths[first]
    widths[first] = math.max(math.min(needed, left), math.min(needed, least))
  end
  share(most // 2)
  while total(columns, widths) > most and drop(columns) do end
  share(1)
end

-- The lines of a table. A column is `{heading, function(row) → text or nil, right =, rank =}`;
-- those with the highest rank go first where the lines would be longer than `most` columns.
local function lines(all, rows, most)
  local columns, widths, cells = table.move(all, 1, #all, 1, {}), {}, {}
  for _, column in ipairs(columns) do
    widths[column], cells[column] = width(column[1]), {}
    for i, row in ipairs(rows) do
      local text = visible(tostring(column[2](row) or "-"))
      cells[column][i], widths[column] = text, math.max(widths[column], width(text))
    end
  end
  if most then fit(columns, widths, most) end
  local function line(text_of)
    local parts = {}
    for i, column in ipairs(columns) do
      local text = excerpt(text_of(column), widths[column])
      local place = column.right and pad.right or i < #columns and pad.left
      parts[i] = place and place(text, widths[column]) or text
    end
    return (table.concat(parts, "  "):gsub(" +$", ""))
  end
  local out = {line(function(column) return column[1] end)}
  for i in ipairs(rows) do out[i + 1] = line(function(column) return cells[column][i] end) end
  return out
end

-- Prints a table as wide as the terminal, of any width elsewhere.
local function print_table(columns, rows)
  local most = apo.system.is_terminal "stdout" and apo.system.width() or nil
  for _, text in ipairs(lines(columns, rows, most)) do print(text) end
end

return {lines = lines, print = print_table, width = width, cut = excerpt}
