-- How values come from rewards: the options of apo.estimate_values and apo.values_from.

local declarations, correct = require "apo.data.declarations", require "apo.rewards.correct"

local options = declarations.all(require "apo.declared".value, {
  beta = {default = 0.5, text = "beta1: 0 gives the best sample, infinity the mean"},
  mode = {text = "how values are computed from rewards"},
})

return declarations.append(options, {
  {name = "drop_unsolved", type = "boolean", default = false,
   text = "whether apo.train drops the rows that no sample solved"},
  correct.declared("the reward"),
})
