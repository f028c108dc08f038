-- The library as a whole: parts are read when they are used, every part can be listed.
local spec = ...
local apo = require "apo"
local equal = spec.equal

equal(package.loaded["apo.train"], nil)
equal(rawget(apo, "dataset"), nil)
equal(type(apo.dataset), "function")
equal(rawget(apo, "dataset"), apo.dataset)
equal(package.loaded["apo.train"], nil)
equal(apo.no_such_part, nil)
local names = {}
for name, value in pairs(apo) do names[name] = type(value) end
equal({names.train, names.evaluate, names.rewards, names.presets, names.json, names.tensor},
  {"function", "function", "table", "table", "table", "function"})
assert(package.loaded["apo.train"])

-- The presets are the authors' settings, and options that apo.train knows.
local options = apo.presets.gsm8k{batch_size = 4}
equal({options.batch_size, options.mini_batch, options.lr, options.epochs}, {4, 128, 1e-6, 25})
local known = {}
for _, option in ipairs(require "apo.train.options".declared) do known[option.name] = true end
for name in pairs(options) do assert(known[name], name) end
equal(apo.presets.gsm8k_prompt{question = "1+1?"},
  '1+1? Let\'s think step by step and output the final answer after "####".')

-- A bar that is quiet says nothing and counts all the same.
local bar = apo.progress{total = 3, quiet = true}
bar:advance(2, "note")
bar:print("line")
bar:finish()
equal({bar.done, bar.note}, {2, "note"})

-- What a training says fits into 100 columns, in columns.
local said = {}
local print_before = print
print = function(text) said[#said + 1] = text end
local console = require "apo.terminal.console"{total = 3, columns = "usual"}
console.is_quiet, console.bar.is_quiet = false, true
console:step{step = 123456, reward = 0, v_star = 0.125, loss = 1.5e-8, kl = -123.4567, grad_norm = 0,
  reward_std = 0, learning_rate = 1e-6, ["completions/mean_length"] = 1000.25,
  ["completions/clipped_ratio"] = 1, ["timing_s/gen"] = 1234.5}
console:evaluation{step = 2, ["eval/reward"] = 0.5, ["eval/pass@1"] = 0.25}
print = print_before
local all = table.concat(said, "\n")
for line in all:gmatch("[^\n]+") do
  if not line:find("warning", 1, true) then assert(#line <= 100, line) end
end
for _, text in ipairs{"grad_norm", "evaluation  reward 0.500  pass@1 0.250"} do
  assert(all:find(text, 1, true), text)
end
