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
for _, option in ipairs(require "apo.train_options") do known[option.name] = true end
for name in pairs(options) do assert(known[name], name) end
equal(apo.presets.gsm8k_prompt{question = "1+1?"},
  '1+1? Let\'s think step by step and output the final answer after "####".')

-- A bar that is quiet says nothing and counts all the same.
local bar = apo.progress{total = 3, quiet = true}
bar:advance(2, "note")
bar:print("line")
bar:finish()
equal({bar.done, bar.note}, {2, "note"})
