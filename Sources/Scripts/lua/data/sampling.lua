-- The sampling options, which model:generate declares, for the functions that sample the rows of a
-- data set: how these declare them, and how they pass them on. One that generate gets has all of
-- them take.

local declarations, overlong = require "apo.data.declarations", require "apo.data.overlong"

-- What is otherwise where rows of a data set are sampled. train/options.lua explains `resume`.
local options = declarations.all(require "apo.declared".sampling, {
  temperature = {minimum = 0},
  max_tokens = {type = "integer", minimum = 1, is_needed = true, text = "longest completion"},
  max_num_seqs = {notes = {resume = "free"}},  -- no result depends on it
  overlong = overlong,
})

-- The options of model:generate that the options of such a function stand for, with `more`.
local function for_generate(o, more)
  local given = {}
  for _, option in ipairs(options) do given[option.name] = o[option.name] end
  if given.overlong == "drop" then given.overlong = nil end  -- those rows are left out already
  for name, value in pairs(more) do given[name] = value end
  return given
end

-- Adds the sampling options of an evaluation within a training: its own, else the training's, but
-- for those of the distribution, which is the whole one unless `eval` says otherwise.
local function evaluated(given, eval, o)
  for _, option in ipairs(options) do
    local name = option.name
    given[name] = eval[name]
    if given[name] == nil and not option.notes.is_distribution then given[name] = o[name] end
  end
  return given
end

return {
  options = options, evaluated = evaluated, for_generate = for_generate,
  -- The declarations of a function, with its own changes.
  declared = function(changes) return declarations.all(options, changes) end,
}
