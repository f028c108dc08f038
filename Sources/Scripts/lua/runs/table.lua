-- Tables on a terminal: columns by display width, the least important left out where it is narrow.

local apo = require "apo"
local visible = apo.system.visible

-- Whether a character takes two columns: East Asian wide ones and emoji.
local function is_wide(code)
  return code >= 0x1100 and (code <= 0x115F or code >= 0x2E80 and code <= 0xA4CF
    or code >= 0xAC00 and code <= 0xD7A3 or code >= 0xF900 and code <= 0xFAFF
    or code >= 0xFE30 and code <= 0xFE6F or code >= 0xFF00 and code <= 0xFF60
    or code >= 0x1F300 and code <= 0x1FAFF or code >= 0x20000 and code <= 0x3FFFD)
end

local function is_mark(code)
  return code >= 0x300 and code <= 0x36F or code == 0x200D or code >= 0xFE00 and code <= 0xFE0F
end

local function width(text)
  local count = 0
  for _, code in utf8.codes(text, true) do
    count = count + (is_mark(code) and 0 or is_wide(code) and 2 or 1)
  end
  return count
end

-- The text in at most so many columns.
local function cut(text, most)
  if width(text) <= most then return text end
  local count, last = 0, 0
  for place, code in utf8.codes(text, true) do
    count = count + (is_mark(code) and 0 or is_wide(code) and 2 or 1)
    if count > most - 1 then break end
    last = place + #utf8.char(code) - 1
  end
  return text:sub(1, last) .. "…"
end

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
  while most and total(columns, widths) > most and drop(columns) do end
  local function line(text_of)
    local parts = {}
    for i, column in ipairs(columns) do
      local text = cut(text_of(column), math.max(1, most or math.huge))
      local room = (" "):rep(widths[column] - width(text))
      parts[i] = column.right and room .. text or i < #columns and text .. room or text
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

return {lines = lines, print = print_table, width = width, cut = cut}
