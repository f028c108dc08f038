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

-- Logarithmic axes: ticks at powers of ten, 1, 2 and 5 between few of them, round numbers between
-- none; positions by the logarithm.
local function log_ticks(low, high, exact)
  local labels = {}
  for i, tick in ipairs(plot_axis.logarithmic({{low, high, 0, -1}}, 0, 100, 4, exact).ticks) do
    labels[i] = tick.label
  end
  return labels
end
equal(log_ticks(0.003, 40), {"0.001", "0.01", "0.1", "1", "10", "100"})
equal(log_ticks(3, 70), {"2", "5", "10", "20", "50", "100"})
equal(log_ticks(1, 60, true), {"1", "2", "5", "10", "20", "50"})
equal(log_ticks(1e-9, 1e9), {"1e-9", "1e-6", "0.001", "1", "1000", "1e6", "1e9"})
equal(log_ticks(3, 3.9, true), {"3.0", "3.5"})
equal(log_ticks(5, 5), {"2", "5", "10"})
do
  local axis = plot_axis.logarithmic({{1, 1000}}, 0, 300, 4)
  equal({axis.low, axis.high}, {1, 1000})
  for i = 0, 3 do spec.close(axis.position(10 ^ i), 100 * i, 1e-9) end
end

local function page(options)
  options.path = path
  apo.plot(options)
  return spec.read(path)
end
text = page{y_scale = "log", series = {{x = {1, 2, 3, 4}, y = {0, 1, -2, 100}}}}
assert(text:find(">2 points at 0 or below are not shown<", 1, true))
assert(text:find('d="M58.0 256.0L528.0 40.0"', 1, true), text:match 'd="[^"]*"')
text = page{x_scale = "log", series = {{x = {0, 1, 10}, y = {-1, -1, 0}}}}
assert(text:find(">1 point at 0 or below is not shown<", 1, true))
raises("a logarithmic axis shows values above 0 only", page,
  {y_scale = "log", series = {{x = {1}, y = {0}}}})
raises("option 'y_scale' must be one of", page, {y_scale = "symlog", series = {{x = {1}, y = {1}}}})
raises("chart 1: 'x_scale' must be linear or log, got 'logit'", page,
  {charts = {{x_scale = "logit", series = {{x = {1}, y = {1}}}}}})
raises("'y_range' of a logarithmic axis must be above 0, got 0", page,
  {y_scale = "log", y_range = {0, 1}, series = {{x = {1}, y = {1}}}})
for _, range in ipairs{{1, 0}, {1}, {0, 0 / 0}, {0, 1, 2}} do
  raises("must be two numbers, the lower one first", page,
    {y_range = range, series = {{x = {1}, y = {1}}}})
end

-- What is outside of the range that was given is cut off at its ends.
text = page{y_range = {0, 1}, series = {{x = {0, 1, 2, 3, 4}, y = {-1, 1, 3, 0.5, 0.5}}}}
assert(text:find('d="M116.8 256.0L175.5 40.0M387.0 40.0L410.5 148.0L528.0 148.0"', 1, true),
  text:match 'd="[^"]*"')

-- Charts without points are left out; nothing at all is said so.
text = page{charts = {{series = {{x = {}, y = {}}}}, {series = {{x = {1}, y = {1}}}}}}
equal(select(2, text:gsub("<svg", "")), 1)
text = page{series = {{x = {1}, y = {0 / 0}}}}
assert(text:find("There are no points to plot.", 1, true) and not text:find("<svg", 1, true))
apo.plot{path = spec.folder .. "/none.svg", title = "T", series = {{x = {}, y = {}}}}
text = spec.read(spec.folder .. "/none.svg")
assert(text:find("There are no points to plot.", 1, true) and not text:find("<line", 1, true))

-- Formats that are not written, by name.
for _, name in ipairs{"png", "PNG", "pdf", "jpg", "gif"} do
  raises(("plot: x.%s: %s is not written; use .svg"):format(name, name:upper()), apo.plot,
    {path = "x." .. name, series = {{x = {1}, y = {1}}}})
end
raises("x.csv must end in .html or .svg", apo.plot, {path = "x.csv", series = {{x = {1}, y = {1}}}})
