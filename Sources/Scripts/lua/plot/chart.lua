-- One chart as SVG: lines with their names at their ends, a grid, and a value at every point the
-- mouse is over. Colours are CSS variables, so that the page decides between light and dark.

local axes, escape = require "apo.plot.axis", require "apo.plot.text"

local width, height = 640, 300
local left, right, top, bottom = 58, 112, 40, 44

-- Six colors, then the same with other dashes.
local function color(i) return ("var(--c%d)"):format((i - 1) % 6 + 1) end

local function dashes(i)
  local round = (i - 1) // 6 % 4
  return round > 0 and " dash" .. round or ""
end

local function text(class, x, y, content, more)
  return ('<text class="%s" x="%.1f" y="%.1f"%s>%s</text>'):format(class, x, y,
    more and " " .. more or "", escape(content))
end

local function grid(x, y, chart)
  local out = {}
  for _, tick in ipairs(y.ticks) do
    local at = y.position(tick.value)
    out[#out + 1] = ('<line class="grid" x1="%d" x2="%d" y1="%.1f" y2="%.1f"/>'):format(
      left, width - right, at, at)
    out[#out + 1] = text("tick", left - 8, at + 4, tick.label, 'text-anchor="end"')
  end
  for _, tick in ipairs(x.ticks) do
    local at = x.position(tick.value)
    out[#out + 1] = ('<line class="mark" x1="%.1f" x2="%.1f" y1="%d" y2="%d"/>'):format(
      at, at, height - bottom, height - bottom + 5)
    out[#out + 1] = text("tick", at, height - bottom + 19, tick.label, 'text-anchor="middle"')
  end
  out[#out + 1] = ('<line class="axis" x1="%d" x2="%d" y1="%d" y2="%d"/>'):format(
    left, width - right, height - bottom, height - bottom)
  out[#out + 1] = text("label", (left + width - right) / 2, height - 6, chart.x_label or "",
    'text-anchor="middle"')
  out[#out + 1] = text("title", 12, 20, chart.title or chart.y_label or "")
  if chart.note then
    out[#out + 1] = text("tick", width - 8, 20, chart.note, 'text-anchor="end"')
  end
  return table.concat(out, "\n")
end

local function inside(at) return math.max(top, math.min(height - bottom, at)) end

-- The points as a path, cut at the ends of the vertical axis.
local function line(series, x, y, class, stroke)
  local parts, count, last_x, last_y = {}, 0, nil, nil
  local is_open = false  -- whether the path is at the last point
  local function add(letter, px, py)
    count = count + 1
    parts[count] = ("%s%.1f %.1f"):format(letter, px, py)
  end
  for i, value in ipairs(series.y) do
    local px, py = x.position(series.x[i]), y.position(value)
    local cut = inside(py)
    if last_x and not (last_y == py) and (cut ~= py or not is_open) then
      -- Where the way from the last point enters the chart, and where it leaves it.
      local from, to = inside(last_y), cut
      local slope = (px - last_x) / (py - last_y)
      if from ~= to then
        if not is_open then add("M", last_x + (from - last_y) * slope, from) end
        add("L", last_x + (to - last_y) * slope, to)
      end
    elseif cut == py then add(is_open and "L" or "M", px, py) end
    is_open, last_x, last_y = cut == py, px, py
  end
  return ('<path class="%s" stroke="%s" d="%s"/>'):format(class, stroke, table.concat(parts))
end

-- The room between a series' lists `low` and `high`.
local function band(series, x, y, paint)
  local corners = {}
  for i, low in ipairs(series.low) do
    corners[i] = ("%.1f %.1f"):format(x.position(series.x[i]), inside(y.position(low)))
  end
  for i = #series.high, 1, -1 do
    corners[#corners + 1] = ("%.1f %.1f"):format(
      x.position(series.x[i]), inside(y.position(series.high[i])))
  end
  return ('<path class="band" fill="%s" d="M%sZ"/>'):format(paint, table.concat(corners, "L"))
end

-- Vertical lines at what happened: `{x =, text =}`, the text under the mouse.
local function marks(list, x)
  local out = {}
  for i, mark in ipairs(list or {}) do
    local at = x.position(mark.x)
    if at >= left and at <= width - right then
      out[i] = ('<g><title>%s</title><line class="event" x1="%.1f" x2="%.1f" y1="%d" y2="%d"/></g>')
        :format(escape(mark.text), at, at, top, height - bottom)
    else out[i] = "" end
  end
  return table.concat(out, "\n")
end

-- Something to point at, with the values that appear: at most `most` places.
local function points(series, x, y, paint, most)
  local out, every = {}, math.max(1, math.ceil(#series.y / most))
  for i = 1, #series.y, every do
    if series.y[i] < y.low or series.y[i] > y.high then goto next_point end
    local px, py = x.position(series.x[i]), y.position(series.y[i])
    local words = ("%s %.4g at %.6g"):format(series.name or "", series.y[i], series.x[i])
    local anchor = px > width / 2 and "end" or "start"
    local visible = series.style == "dots" and "dot" or "hidden dot"
    out[#out + 1] = ('<g class="point"><circle class="area" cx="%.1f" cy="%.1f" r="7"/>'
      .. '<circle class="%s" cx="%.1f" cy="%.1f" r="3.5" fill="%s"/>%s</g>'):format(
      px, py, visible, px, py, paint,
      text("tip", px, math.max(py - 10, 12), words, ('text-anchor="%s"'):format(anchor)))
    ::next_point::
  end
  return table.concat(out, "\n")
end

-- A name in the room beside the lines.
local function short(name)
  local place = utf8.offset(name, 15)
  return place and place <= #name and name:sub(1, place - 1) .. "…" or name
end

-- The last values and the names at the ends of the lines, moved apart where they would overlap. A
-- page with a legend needs no names; where there is no room for all there are none.
local function names(list, x, y, has_legend)
  local labels, out, height_of = {}, {}, has_legend and 16 or 30
  for i, series in ipairs(list) do
    local n = #series.y
    if n > 0 and series.style ~= "faint" then
      labels[#labels + 1] = {
        y = inside(y.position(series.y[n])), x = x.position(series.x[n]),
        paint = color(series.color or i),
        name = series.name or "", value = ("%.4g"):format(series.y[n]),
      }
    end
  end
  if #labels * height_of > height - top - bottom + 40 then return "" end
  table.sort(labels, function(a, b) return a.y < b.y end)
  for i, label in ipairs(labels) do
    for k = 1, i - 1 do  -- those of lines that end about here
      local above = labels[k]
      if math.abs(above.x - label.x) < 70 then
        label.y = math.max(label.y, above.y + height_of)
      end
    end
  end
  local overflow = #labels > 0 and math.max(0, labels[#labels].y - (height - bottom - 8)) or 0
  for _, label in ipairs(labels) do
    local at = label.y - overflow
    out[#out + 1] = text("name", label.x + 9, at, label.value, ('fill="%s"'):format(label.paint))
    if not has_legend then
      out[#out + 1] = text("legend", label.x + 9, at + 14, short(label.name))
    end
  end
  return table.concat(out, "\n")
end

-- The chart: `title, x_label, y_label, x_scale, y_scale, y_range, note, marks`, `has_legend` where
-- names are elsewhere, and `series`, a list of `{name, x, y, low, high, style, color}`. Of a file
-- of its own `start` is the name space and the style.
return function(chart, start)
  local xs, ys = {}, {}
  for i, series in ipairs(chart.series) do
    xs[i], ys[#ys + 1] = series.x, series.y
    ys[#ys + 1], ys[#ys + 2] = series.low, series.high
  end
  local x = (chart.x_scale == "log" and axes.logarithmic or axes.axis)(
    xs, left, width - right, 6, true)
  local y = (chart.y_scale == "log" and axes.logarithmic or axes.axis)(
    ys, height - bottom, top, 4, false, chart.y_range)
  local out = {('<svg%s viewBox="0 0 %d %d" role="img" aria-label="%s">%s'):format(
    start and ' xmlns="http://www.w3.org/2000/svg"' or "", width, height,
    escape(chart.title or ""), start or "")}
  if chart.has_no_axes then
    return table.concat{out[1], text("title", 12, 20, chart.title or ""),
      text("label", width / 2, height / 2, chart.note, 'text-anchor="middle"'), "</svg>"}
  end
  out[#out + 1] = grid(x, y, chart)
  out[#out + 1] = marks(chart.marks, x)
  for i, series in ipairs(chart.series) do
    local paint = color(series.color or i)
    if #series.y > 0 then
      if series.low then out[#out + 1] = band(series, x, y, paint) end
      local class = series.style == "faint" and "line faint" or "line"
      out[#out + 1] = line(series, x, y, class .. dashes(series.color or i), paint)
    end
  end
  out[#out + 1] = names(chart.series, x, y, chart.has_legend)
  for i, series in ipairs(chart.series) do
    if series.style ~= "faint" then
      local most = math.max(8, 240 // #chart.series)
      out[#out + 1] = points(series, x, y, color(series.color or i), math.min(60, most))
    end
  end
  out[#out + 1] = "</svg>"
  return table.concat(out, "\n")
end
