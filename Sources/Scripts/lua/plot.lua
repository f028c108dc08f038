-- Plots as self-contained web pages: SVG inside HTML, no scripts, light or dark like the reader's
-- system.

local apo = require "apo"
local documented, fail = require "apo.documented", require "apo.fail"
local chart_svg, escape = require "apo.plot.chart", require "apo.plot.text"
local extension, style = require "apo.data.extension", require "apo.plot.style"

local function page(title, subtitle, charts)
  local figures = {}
  for i, chart in ipairs(charts) do figures[i] = "<figure>" .. chart_svg(chart) .. "</figure>" end
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
  return chart_svg(chart, "<style>\n" .. style .. "</style>\n<rect width=\"100%\" height=\"100%\" "
    .. "fill=\"var(--card)\"/>\n") .. "\n"
end

local function is_finite(value) return value - value == 0 end

-- A series' points, without those that are NaN or infinite.
local function points_of(given, name)
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
    local keep = true
    for _, list in ipairs(lists) do
      local value = given[list][k]
      if type(value) ~= "number" then
        fail(("%s: point %d: %s is not a number"):format(name, k, list))
      end
      keep = keep and is_finite(value)
    end
    if keep then
      for _, list in ipairs(lists) do table.insert(s[list], given[list][k]) end
    end
  end
  return s
end

-- Makes sure that a chart can be drawn.
local function checked(chart, place)
  if type(chart.series) ~= "table" or #chart.series == 0 then
    fail(("plot: %s has no series"):format(place))
  end
  local series = {}
  for i, given in ipairs(chart.series) do
    local name = ("plot: series %d of %s"):format(i, place)
    if type(given.y) ~= "table" then
      fail(name .. " needs x and y, lists of numbers of the same length")
    end
    series[i] = points_of(given, name)
  end
  return {title = chart.title, x_label = chart.x_label, y_label = chart.y_label,
          y_range = chart.y_range, series = series}
end

return documented{
  name = "apo.plot", summary = "Plots lines to an HTML page or an SVG file.",
  details = "A series is a table of `name`, lists `x` and `y`, and a `style`: `line` (the "
    .. "default), `dots` (a line with markers) or `faint` (a thin line without a name). With "
    .. "lists `low` and `high` the area between them is shaded. The page is one file without "
    .. "scripts; values appear on hover.",
  options = {
    {name = "path", type = "string",
     text = "file to write: an `.html` page, or an `.svg` with one chart"},
    {name = "title", type = "string", default = "", text = "over the page"},
    {name = "subtitle", type = "string", default = "", text = "under the title"},
    {name = "x_label", type = "string", default = "", text = "of the horizontal axis"},
    {name = "y_label", type = "string", default = "", text = "what is drawn"},
    {name = "y_range", type = "list of numbers", optional = true,
     text = "limits of the vertical axis"},
    {name = "series", type = "list of tables", optional = true, text = "the lines"},
    {name = "charts", type = "list of tables", optional = true,
     text = "several charts instead of `series`, each with `title`, `x_label`, `y_range`, "
       .. "`series`"},
  },
  example = [[apo.plot{
  path = "reward.html", title = "Reward", x_label = "step",
  series = {{name = "A*-PO", x = {1, 2, 3}, y = {0.2, 0.4, 0.5}}},
}]],
  call = function(options)
    local there = apo.system.exists(options.path)  -- what is no file is refused when it is written
    local format = (not there or there == "file")
      and extension.check(options.path, "plot", {"html", "svg"}, true)
    local given = options.charts or {{title = options.y_label, x_label = options.x_label,
                                      y_range = options.y_range, series = options.series}}
    local charts = {}
    for i, chart in ipairs(given) do charts[i] = checked(chart, "chart " .. i) end
    apo.system.write_file(options.path, format == "svg" and drawing(charts, options.title)
      or page(options.title, options.subtitle, charts))
  end,
}
