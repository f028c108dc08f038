-- What an algorithm is: a table that says what it is called, which options it has, and what one
-- step of it does. `apo.algorithm{…}` checks the table and gives the function that takes the
-- options; what that one gives is the `algorithm` of apo.train. Those that come with apo-lua are in
-- algorithms/, a page each.

local documented, fail = require "apo.documented", require "apo.fail"

-- The options of apo.train that only some algorithms take.
local takeable = {values = true, target = true, loss = true, beta = true}

local function check(declaration)
  for _, name in ipairs(declaration.takes) do
    if not takeable[name] then
      fail(("algorithm '%s': takes: '%s' is not one of beta, loss, target, values")
        :format(declaration.name, name))
    end
  end
end

-- An algorithm with its options.
local function instance(declaration, options)
  local result = {options = options}
  for _, name in ipairs{"name", "start", "step", "loss", "takes"} do
    result[name] = declaration[name]
  end
  for _, name in ipairs{"needs_reference", "single_update"} do
    local value = declaration[name]
    if type(value) == "function" then result[name] = value(options) else result[name] = value end
  end
  return result
end

return documented{
  name = "apo.algorithm", summary = "Declares a training algorithm.",
  details = "Gives a function that checks the options and makes what `apo.train{algorithm = …}` "
    .. "takes: a table with `name`, `options`, `step`, `start`, `loss`. The algorithms of "
    .. "`apo.algorithms` are made so; `apo-lua --copy grpo` writes one into a file, to be changed "
    .. "and used by `algorithm = dofile \"grpo.lua\"`.",
  options = {
    {name = "name", type = "string", text = "a short name, for logs and errors"},
    {name = "summary", type = "string", text = "what it is, in one sentence"},
    {name = "details", type = "string", default = "", text = "what else the manual says"},
    {name = "options", type = "list of tables", default = {},
     text = "its options: `name`, `type`, `text`, `default` or `optional`, `minimum`, `maximum`"},
    {name = "takes", type = "list of strings", default = {},
     text = "those of apo.train's options `values`, `target`, `loss`, `beta` that it uses"},
    {name = "needs_reference", type = "boolean or function", default = false,
     text = "whether it uses the reference policy, or a function of the options that says so"},
    {name = "single_update", type = "boolean or function", default = false,
     text = "whether a step updates once where `mini_batch` does not part it, or a function of the "
       .. "options that says so; other runs with `dir` copy the trained weights and averages "
       .. "before a step's first update, to go back to where a step is stopped half way"},
    {name = "start", type = "function", optional = true,
     text = "called before the first step with `policy`, `reference`, `options` (apo.train's) and "
       .. "the own options; gives a table of models, optimisers, numbers and strings that the "
       .. "steps keep in `s.state` and checkpoints hold; models in it a step changes after its "
       .. "first update, or so that a step that is begun again does the same"},
    {name = "step", type = "function",
     text = "one step: gets an apo.Step and the own options"},
    {name = "loss", type = "function", optional = true,
     text = "the formula, for tests and scripts"},
  },
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
    check(declaration)
    return documented{
      name = "apo.algorithms." .. declaration.name, summary = declaration.summary,
      details = declaration.details, options = declaration.options,
      returns = {{type = "table", text = "the algorithm, for apo.train"}},
      call = function(options) return instance(declaration, options) end,
    }
  end,
}
