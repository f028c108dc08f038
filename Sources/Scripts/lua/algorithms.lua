-- `apo.algorithms`: the training algorithms that come with apo-lua.

local documented = require "apo.documented"

local algorithms = documented{
  module = "apo.algorithms", summary = "Training algorithms for apo.train.",
  details = "Each takes a table of options and returns an `algorithm` for apo.train. `apo-lua "
    .. "copy NAME` copies one into a file to read and edit.",
}
for _, name in ipairs(require "apo.algorithms.shipped".names) do
  algorithms[name] = require("apo.algorithms." .. name)
end
return algorithms
