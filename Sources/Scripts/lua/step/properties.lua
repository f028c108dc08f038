-- What an algorithm says of itself. Whatever runs, estimates or records it reads these properties
-- and knows no algorithm by name, so that a copy under another name is treated as the original.

local hook = require "apo.script.hook"

local properties = {
  {name = "name", type = "string", text = "a short name, for logs and errors"},
  {name = "options", type = "list of tables", default = {},
   text = "its options: `name`, `type`, `text`, `default` or `optional`, `minimum`, `maximum`"},
  {name = "takes", type = "table", default = {},
   text = "those of apo.train's options `values`, `target`, `loss`, `beta` that it uses: a list of "
     .. "names; the second argument of `start` and `step` has them beside the own options"},
  {name = "needs_reference", type = "boolean or function", default = false,
   text = "whether it uses the reference policy, or a function of the options that says so"},
  {name = "n", type = "integer or function", minimum = 1, optional = true,
   text = "completions per prompt, or a function of the options that gives them; else its option "
     .. "`n`, or 1. For the estimate of memory"},
  {name = "single_update", type = "boolean or function", default = false,
   text = "whether a step updates once where `mini_batch` does not part it, or a function of the "
     .. "options that says so; other runs with `dir` copy the trained weights and averages "
     .. "before a step's first update, to go back to where a step is stopped half way"},
  {name = "fresh_samples", type = "boolean or function", default = false,
   text = "whether the policy is updated by rollouts of `generate` by the policy, as they came and "
     .. "once: not of another model, not chosen by `select`. Such an update holds the "
     .. "activations of some samples at a time, which the estimate of memory then counts"},
  {name = "critic", type = "any", optional = true,
   text = "the critic that it trains beside the policy: an apo.ValueModel, an apo.Model or its "
     .. "folder, `true` for one of the policy's size, or a function of the options that gives "
     .. "one of these. For the estimate of memory"},
  {name = "sampler", type = "boolean or function", default = false,
   text = "whether it keeps a frozen copy of the policy and samples from that. For the estimate of "
     .. "memory"},
  {name = "warnings", type = "table", default = {},
   text = "functions by the name of a warning of apo.train (`zero_gradient`, `nothing_updated` …): "
     .. "gets the figures of a step that is to be warned of, gives a better text, or nil"},
  {name = "start", type = "function", optional = true,
   text = "called before the first step with the run (`policy`, `reference`, `options`, which are "
     .. "apo.train's, and `run:adamw(parameters, lr)`, an optimiser with its settings) and the own "
     .. "options; gives a table of models, optimisers, numbers and strings that the "
     .. "steps keep in `s.state` and checkpoints hold; models in it a step changes after its "
     .. "first update, or so that a step that is begun again does the same"},
  {name = "step", type = "function", text = "one step: gets an apo.Step and the own options"},
  {name = "loss", type = "function", optional = true,
   text = "the formula, for tests and scripts"},
}

-- What the algorithm says where its options are these: functions of the options are called.
local function resolve(declared, options)
  local result = {options = options}
  for _, property in ipairs(properties) do
    local name = property.name
    local value = declared[name]
    local may_be_function = property.type:find " or function$" or property.type == "any"
    if may_be_function and type(value) == "function" then
      value = hook.call("algorithm", value, options)
    end
    if name ~= "options" then result[name] = value end
    if result[name] == nil then result[name] = property.default end
  end
  result.n = result.n or math.type(options.n) == "integer" and options.n or 1
  return result
end

return {declared = properties, resolve = resolve}
