-- The table of steps: a blank between any two figures, whatever they are.
local spec = ...
local console = require "apo.terminal.console"

local figures = {0, 0.328, -0.000977, -1.49e-08, 1.23456789e-300, -1.2345e+250, 12345.678, -98765.4321,
                 1e15, -1 / 3, 0 / 0, math.huge, -math.huge}
local names = {"reward", "v_star", "loss", "kl", "grad_norm", "completions/mean_length",
  "completions/clipped_ratio", "learning_rate", "timing_s/gen", "timing_s/ref", "timing_s/update_actor"}
local said = {}
local before = print
print = function(text) said[#said + 1] = text end
local shown = console{total = 100, columns = "usual"}
shown.is_quiet = false
for i, figure in ipairs(figures) do
  local record = {step = 10 ^ (i % 8) // 1 | 0}
  for k, name in ipairs(names) do
    if k ~= i then record[name] = figure end
  end
  shown:step(record)
end
print = before
for _, line in ipairs(said) do
  local count = select(2, line:gsub("%S+", ""))
  if line:find "step" then spec.equal(count, 15) else spec.equal({line, count}, {line, 12}) end
  assert(not line:find("%-%-"), line)
end
spec.equal(#said, #figures + 1)
