-- Completes the module `apo` with the parts written in Lua. Each part is loaded on first use: a
-- script that only needs tensors does not pay for the rest.
local apo = ...
local leaving = require "apo.run.leaving"  -- a script may keep os.exit in a local from here on
apo.system.time_limit = leaving.limited(apo.system.time_limit)

local parts = {  -- name in `apo`, and what it will be
  "dataset", "score", "estimate_values", "values_from", "train", "run", "fork", "evaluate", "plot",
  "progress", "journal", "rewards", "presets", "algorithm", "algorithms", "terms", "recorded",
  "replay", "sweep", "settings",
}
local files = {  -- the others are in a file of their own name
  dataset = "apo.data.dataset", score = "apo.rewards.score",
  estimate_values = "apo.values", values_from = "apo.values.from_columns",
  algorithm = "apo.step.algorithm", terms = "apo.step.terms", presets = "apo.train.presets",
  progress = "apo.terminal.progress", journal = "apo.run.journal", recorded = "apo.replay.recorded",
  settings = "apo.sweep.settings",
}
local placeholders = {}                          -- lets Tab list the names before they are read
for _, name in ipairs(parts) do placeholders[name] = function() end end

local function part(_, name)
  if not placeholders[name] then return nil end
  local value = require(files[name] or "apo." .. name)
  rawset(apo, name, value)
  return value
end

setmetatable(apo, {
  __index = part,
  __methods = placeholders,
  __pairs = function(table)
    for _, name in ipairs(parts) do part(apo, name) end
    return next, table, nil
  end,
})
