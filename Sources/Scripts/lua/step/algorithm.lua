-- What an algorithm is: a table that says what it is called, which options it has, and what one
-- step of it does. `apo.algorithm{…}` checks the table and gives the function that takes the
-- options; what that one gives is the `algorithm` of apo.train. Those that come with apo-lua are in
-- algorithms/, a page each.

local documented = require "apo.documented"
local properties = require "apo.step.properties"

local options = {  -- of apo.algorithm: the properties, and what the manual says
  {name = "summary", type = "string", text = "what it is, in one sentence"},
  {name = "details", type = "string", default = "", text = "what else the manual says"},
}
table.move(properties.declared, 2, #properties.declared, #options + 1, options)
table.insert(options, 1, properties.declared[1])  -- the name comes first

return documented{
  name = "apo.algorithm", summary = "Declares a training algorithm.",
  details = "Gives a function that checks the options and makes what `apo.train{algorithm = …}` "
    .. "takes: a table of these properties. The algorithms of "
    .. "`apo.algorithms` are made so; `apo-lua --copy grpo` writes one into a file, to be changed "
    .. "and used by `algorithm = dofile \"grpo.lua\"`.",
  options = options,
  returns = {{type = "function", text = "gives the algorithm for a table of its options"}},
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
