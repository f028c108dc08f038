-- An algorithm is a table with its name, its options, and its step. `apo.algorithm{…}` checks the
-- table and returns a function of the options, whose result is the `algorithm` of apo.train. The
-- shipped ones are in algorithms/, one page each.

local documented = require "apo.documented"
local properties = require "apo.step.properties"

local options = {  -- of apo.algorithm: the properties, and what the manual says
  {name = "summary", type = "string", text = "one-sentence description"},
  {name = "details", type = "string", default = "", text = "further text for the reference"},
}
table.move(properties.declared, 2, #properties.declared, #options + 1, options)
table.insert(options, 1, properties.declared[1])  -- the name comes first

return documented{
  name = "apo.algorithm", summary = "Declares a training algorithm.",
  details = "Returns a function that checks the options and returns a table of these "
    .. "properties, for `apo.train{algorithm = …}`. The algorithms in `apo.algorithms` are "
    .. "declared this way; `apo-lua copy grpo` copies one into a file, to edit and use with "
    .. "`algorithm = dofile \"grpo.lua\"`.",
  options = options,
  returns = {{type = "function", text = "makes the algorithm from its options"}},
  example = [[local best_of = apo.algorithm{
  name = "best_of", summary = "Imitates the best of n samples.",
  options = {{name = "n", type = "integer", minimum = 2, default = 4, text = "samples"}},
  step = function(s, o)
    local rollout = s:generate{n = o.n}
    local reward = s:score(rollout)
    local is_best = reward:reshape(#s.rows, o.n)
    is_best = is_best:ge(is_best:max(2, true)):reshape(#rollout)
    for part in s:minibatches(rollout, {n = o.n}, {is_best = is_best}) do
      s:update(-(part.is_best * s:logprobs(part)):mean())
    end
  end,
}]],
  call = function(declaration)
    return documented{
      name = "apo.algorithms." .. declaration.name, summary = declaration.summary,
      details = declaration.details, options = declaration.options,
      returns = {{type = "table", text = "the algorithm, for apo.train"}},
      call = function(options) return properties.resolve(declaration, options) end,
    }
  end,
}
