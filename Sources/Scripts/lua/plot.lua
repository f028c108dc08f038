-- Plots as self-contained web pages: SVG inside HTML, no scripts, light or dark like the reader's
-- system.

local apo = require "apo"
local documented, fail = require "apo.documented", require "apo.fail"
local chart_svg, escape = require "apo.plot.chart", require "apo.plot.text"
local extension, style = require "apo.data.extension", require "apo.plot.style"

local function page(title, subtitle, charts)
  local figures = {}
  for _, chart in ipairs(charts) do
    if not chart.is_empty then
      figures[#figures + 1] = "<figure>" .. chart_svg(chart) .. "</figure>"
    end
  end
  if #figures == 0 then figures[1] = "<p>There are no points to plot.</p>" end
  return table.concat{
    '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">\n<meta name="viewport" ',
    'content="width=device-width, initial-scale=1">\n<title>', escape(title), "</title>\n<style>\n",
    style, "</style></head>\n<body><main>\n<h1>", escape(title), "</h1>\n<p>", escape(subtitle),
    '</p>\n<div class="charts">\n', table.concat(figures, "\n"),
    "\n</div>\n</main></body></html>\n",
  }
end

-- A chart as a file of its own.
local function drawing(charts, title)
  if #charts > 1 then
    fail(("plot: an .svg file holds one chart, got %d; .html holds several"):format(#charts))
  end
  local chart = charts[1]
  chart.title = chart.title ~= "" and chart.title or title ~= "" and title or chart.y_label
  if chart.is_empty then
    chart.note, chart.series = "There are no points to plot.", {}
    chart.has_no_axes = true
  end
  return chart_svg(chart, "<style>\n" .. style .. "</style>\n<rect width=\"100%\" height=\"100%\" "
    .. "fill=\"var(--card)\"/>\n") .. "\n"
end

local function is_finite(value) return value - value == 0 end

-- A series' points, without those that are NaN or infinite, and on a logarithmic axis without those
-- that have no place there, which are counted in `hidden`.
local function points_of(given, name, chart, hidden)
  local lists = {"x", "y"}
  if given.low or given.high then lists = {"x", "y", "low", "high"} end
  local s = {name = given.name, style = given.style, color = given.color}
  for _, list in ipairs(lists) do
    if type(given[list]) ~= "table" or #given[list] ~= #given.y then
      fail(("%s needs %s, lists of numbers of the same length"):format(
        name, #lists == 2 and "x and y" or "x, y, low and high"))
    end
    s[list] = {}
  end
  for k = 1, #given.y do
    local keep, has_place = true, true
    for _, list in ipairs(lists) do
      local value = given[list][k]
      if type(value) ~= "number" then
        fail(("%s: point %d: %s is not a number"):format(name, k, list))
      end
      keep = keep and is_finite(value)
      local scale = list == "x" and chart.x_scale or list ~= "x" and chart.y_scale
      has_place = has_place and (scale ~= "log" or value > 0)
    end
    if keep and not has_place then hidden.count = hidden.count + 1
    elseif keep then
      for _, list in ipairs(lists) do table.insert(s[list], given[list][k]) end
    end
  end
  return s
end

local function check_range(chart, place)
  local range = chart.y_range
  if range == nil then return end
  local low, high = table.unpack(type(range) == "table" and range or {})
  if type(low) ~= "number" or type(high) ~= "number" or not is_finite(low) or not is_finite(high)
    or low >= high or #range ~= 2 then
    fail(("plot: %s: 'y_range' must be two numbers, the lower one first"):format(place))
  elseif chart.y_scale == "log" and low <= 0 then
    fail(("plot: %s: 'y_range' of a logarithmic axis must be above 0, got %s"):format(place, low))
  end
end

local function check_scale(chart, name, place)
  local scale = chart[name]
  if scale ~= nil and scale ~= "linear" and scale ~= "log" then
    fail(("plot: %s: '%s' must be linear or log, got '%s'"):format(place, name, tostring(scale)))
  end
end

-- Makes sure that a chart can be drawn.
local function checked(chart, place)
  if type(chart.series) ~= "table" or #chart.series == 0 then
    fail(("plot: %s has no series"):format(place))
  end
  check_scale(chart, "x_scale", place)
  check_scale(chart, "y_scale", place)
  check_range(chart, place)
  local series, hidden, is_empty = {}, {count = 0}, true
  for i, given in ipairs(chart.series) do
    local name = ("plot: series %d of %s"):format(i, place)
    if type(given.y) ~= "table" then
      fail(name .. " needs x and y, lists of numbers of the same length")
    end
    series[i] = points_of(given, name, chart, hidden)
    is_empty = is_empty and #series[i].y == 0
  end
  local note = hidden.count == 1 and "1 point at 0 or below is not shown"
    or hidden.count > 1 and ("%d points at 0 or below are not shown"):format(hidden.count) or nil
  if is_empty and note then
    fail(("plot: %s: a logarithmic axis shows values above 0 only, and there are none")
      :format(place))
  end
  return {title = chart.title, x_label = chart.x_label, y_label = chart.y_label,
          x_scale = chart.x_scale, y_scale = chart.y_scale, y_range = chart.y_range,
          series = series, note = note, is_empty = is_empty}
end

-- Formats that people ask for and that are not written.
local other_formats = {png = true, jpg = true, jpeg = true, gif = true, webp = true, pdf = true,
                       eps = true}

local function check_format(path)
  local name = extension.of(path)
  if other_formats[name] then
    fail(("plot: %s: %s is not written; use .svg, which programs such as rsvg-convert turn into "
      .. "%s, or .html"):format(apo.system.shown(path), name:upper(), name:upper()))
  end
  return extension.check(path, "plot", {"html", "svg"}, true)
end

return documented{
  name = "apo.plot", summary = "Plots lines to an HTML page or an SVG file.",
  details = "A series is a table of `name`, lists `x` and `y`, and a `style`: `line` (the "
    .. "default), `dots` (a line with markers) or `faint` (a thin line without a name). With "
    .. "lists `low` and `high` the area between them is shaded. The page is one file without "
    .. "scripts; values appear on hover. NaN and infinite points are left out, and so are charts "
    .. "whose series are all empty.",
  options = {
    {name = "path", type = "string",
     text = "file to write: an `.html` page, or an `.svg` with one chart"},
    {name = "title", type = "string", default = "", text = "over the page"},
    {name = "subtitle", type = "string", default = "", text = "under the title"},
    {name = "x_label", type = "string", default = "", text = "of the horizontal axis"},
    {name = "y_label", type = "string", default = "", text = "what is drawn"},
    {name = "x_scale", one_of = {"linear", "log"}, default = "linear",
     text = "of the horizontal axis"},
    {name = "y_scale", one_of = {"linear", "log"}, default = "linear",
     text = "of the vertical axis. `log` leaves out points at 0 or below; the chart says how many"},
    {name = "y_range", type = "list of numbers", optional = true,
     text = "limits of the vertical axis"},
    {name = "series", type = "list of tables", optional = true, text = "the lines"},
    {name = "charts", type = "list of tables", optional = true,
     text = "several charts instead of `series`, each with `title`, `x_label`, `x_scale`, "
       .. "`y_scale`, `y_range`, `series`"},
  },
  example = [[apo.plot{
  path = "reward.html", title = "Reward", x_label = "step",
  series = {{name = "A*-PO", x = {1, 2, 3}, y = {0.2, 0.4, 0.5}}},
}]],
  call = function(options)
    local there = apo.system.exists(options.path)  -- what is no file is refused when it is written
    local format = (not there or there == "file")
      and check_format(options.path)
    local given = options.charts or {{title = options.y_label, x_label = options.x_label,
                                      x_scale = options.x_scale, y_scale = options.y_scale,
                                      y_range = options.y_range, series = options.series}}
    local charts = {}
    for i, chart in ipairs(given) do charts[i] = checked(chart, "chart " .. i) end
    apo.system.write_file(options.path, format == "svg" and drawing(charts, options.title)
      or page(options.title, options.subtitle, charts))
  end,
}
