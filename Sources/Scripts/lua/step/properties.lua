-- The declared properties of an algorithm. The code that runs, estimates or records it reads these
-- and knows no algorithm by name, so a renamed copy is treated like the original.

local hook = require "apo.script.hook"

local properties = {
  {name = "name", type = "string", text = "a short name, for logs and errors"},
  {name = "options", type = "list of tables", default = {},
   text = "its options: `name`, `type`, `text`, `default` or `optional`, `minimum`, `maximum`"},
  {name = "takes", type = "table", default = {},
   text = "which of apo.train's options `values`, `target`, `loss`, `beta` it uses: a list of "
     .. "names; they are added to its own options in the second argument of `start` and `step`"},
  {name = "needs_reference", type = "boolean or function", default = false,
   text = "whether it uses the reference policy, or a function of the options that returns this"},
  {name = "n", type = "integer or function", minimum = 1, optional = true,
   text = "completions per prompt, or a function of the options that returns this; default: its "
     .. "option `n`, or 1. Used for the memory estimate"},
  {name = "single_update", type = "boolean or function", default = false,
   text = "whether a step makes one update if `mini_batch` does not split it, or a function of "
     .. "the options that returns this; otherwise runs with `dir` copy the trained weights and "
     .. "Adam moments before a step's first update, to restore them if the step is stopped "
     .. "midway"},
  {name = "fresh_samples", type = "boolean or function", default = false,
   text = "whether it makes one update per rollout, on the complete rollout that the policy just "
     .. "sampled with `generate`: not of another model, not chosen by `select`. Such an update "
     .. "holds the activations of only some samples at a time; used for the memory estimate"},
  {name = "critic", type = "any", optional = true,
   text = "the critic that it trains in addition to the policy: an apo.ValueModel, an apo.Model "
     .. "or its folder, `true` for one of the policy's size, or a function of the options that "
     .. "returns one of these. Used for the memory estimate"},
  {name = "sampler", type = "boolean or function", default = false,
   text = "whether it keeps a frozen copy of the policy to sample from. Used for the memory "
     .. "estimate"},
  {name = "warnings", type = "table", default = {},
   text = "functions by the name of a warning of apo.train (`zero_gradient`, `nothing_updated` "
     .. "…): receives the metrics of the step, returns a better text, or nil"},
  {name = "start", type = "function", optional = true,
   text = "called before the first step with the run (`policy`, `reference`, `options`, which are "
     .. "apo.train's, and `run:adamw(parameters, lr)`, an optimizer with its settings) and its own "
     .. "options; returns a table of models, optimizers, numbers and strings, which becomes "
     .. "`s.state` and is saved in checkpoints. A step may change models in it only after its "
     .. "first update, or in a way that repeating the step repeats"},
  {name = "step", type = "function", text = "one step: receives an apo.Step and its own options"},
  {name = "loss", type = "function", optional = true,
   text = "the formula, for tests and scripts"},
}

-- The value of a property for given options; functions of the options are called.
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
