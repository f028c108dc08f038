-- The algorithms that come with apo-lua, each in a file of its own under algorithms/, and what
-- apo.train makes of its option `algorithm`.

local documented, fail = require "apo.documented", require "apo.fail"

local names = {
  "astarpo", "dapo", "dr_grpo", "grpo", "oapl", "online_dpo", "ppo", "rebel", "reinforce", "rloo",
}

local algorithms = documented{
  module = "apo.algorithms", summary = "Training algorithms for apo.train.",
  details = "Each takes a table of options and gives an `algorithm` for apo.train. "
    .. "`apo-lua --copy NAME` writes one into a file, to be read and changed.",
}
for _, name in ipairs(names) do algorithms[name] = require("apo.algorithms." .. name) end
return algorithms
