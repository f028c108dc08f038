local spec = ...
local apo = require "apo"
local equal, raises = spec.equal, spec.raises

-- Round ticks and their labels.
local plot_axis = require "apo.plot.axis"
local function ticks(low, high, exact)
  local labels = {}
  for i, tick in ipairs(plot_axis.axis({{low, high}}, 0, 100, 4, exact).ticks) do
    labels[i] = tick.label
  end
  return labels
end
equal(ticks(0.31, 0.78), {"0.2", "0.4", "0.6", "0.8"})
equal(ticks(0, 200, true), {"0", "50", "100", "150", "200"})
equal(ticks(3, 187, true), {"50", "100", "150"})
equal(ticks(-0.002, 0.0031), {"-0.002", "0", "0.002", "0.004"})
equal(ticks(5, 5), {"4.5", "5.0", "5.5"})
equal(ticks(0, 0), {"-1.0", "-0.5", "0", "0.5", "1.0"})
equal(ticks(0, 4e6), {"0", "1e6", "2e6", "3e6", "4e6"})
local axis = plot_axis.axis({{0, 10}}, 200, 0, 5)
equal({axis.position(0), axis.position(10)}, {200, 0})

local path = spec.folder .. "/plot.html"
apo.plot{path = path, title = "A & B", y_label = "<r>",
  series = {{name = "one", x = {1, 2, 3}, y = {0.1, 0 / 0, 0.3}}, {name = "two", x = {}, y = {}}}}
local text = spec.read(path)
assert(text:find("<h1>A &amp; B</h1>", 1, true) and text:find("&lt;r&gt;", 1, true))
assert(not text:find("<script", 1, true) and not text:find("nan", 1, true))
local _, drawn = text:gsub('<g class="point">', "")
equal(drawn, 2)

raises("plot: chart 1 has no series", apo.plot, {path = path})
raises("plot: series 1 of chart 1 needs x and y", apo.plot, {path = path, series = {{x = {1}}}})
raises("series 1 of chart 1: point 2: y is not a number", apo.plot,
  {path = path, series = {{x = {1, 2}, y = {1, "a"}}}})
raises("series 1 of chart 1 needs x, y, low and high, lists", apo.plot,
  {path = path, series = {{x = {1, 2}, y = {1, 2}, low = {0, 1}}}})
apo.plot{path = path, series = {{x = {1, 2}, y = {2, 3}, low = {1, 0 / 0}, high = {3, 4}}}}
local _, bands = spec.read(path):gsub('<path class="band"', "")
equal(bands, 1)
raises("nothing/plot.html: cannot be written", apo.plot,
  {path = "nothing/plot.html", series = {{x = {1}, y = {1}}}})
