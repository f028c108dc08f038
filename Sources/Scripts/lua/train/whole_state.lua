-- What of a run can be saved: its state after the last whole step. A step that was abandoned before
-- its first update changed nothing but what is kept here: the script's state, what the algorithm
-- keeps, and what was written to the folder. After the first update the step has to be finished, so
-- a signal waits until it is; when an error ends it there, the checkpoint before it stays.

local apo = require "apo"
local fail = require "apo.fail"
local algorithm_state, plain_data = require "apo.step.algorithm_state",
  require "apo.data.plain_data"

-- Lets signals that wait end the training.
local function release(run)
  if not run.is_updating then return end
  run.is_updating = false
  apo.system.hold_stop(false)
end

-- The run is whole as it is now.
local function mark(run)
  run.whole = {
    sizes = run.journal:sizes(), steps = {},
    kept = {algorithm = plain_data.encode(algorithm_state.plain(run.state), "state"),
            script = run.options.state and plain_data.encode(run.options.state, "option 'state'")},
  }
  for optimizer in pairs(run.base_lr) do run.whole.steps[optimizer] = optimizer.steps end
  release(run)
end

-- Whether the models are those of the last whole step: no optimiser has taken one since.
local function is_whole(run)
  if not run.is_updating then return true end
  for optimizer, steps in pairs(run.whole.steps) do
    if optimizer.steps ~= steps then return false end
  end
  return true
end

-- Puts what a checkpoint kept back into the tables of the script and the algorithm.
local function restore(run, kept, place)
  if type(kept) ~= "table" then return end
  local function fill(into, data, field)
    local value = plain_data.decode(data, ("%s: field '%s'"):format(place, field))
    for key in pairs(into) do
      if type(into[key]) ~= "userdata" then into[key] = nil end
    end
    for key, inner in pairs(value) do into[key] = inner end
  end
  if type(kept.algorithm) == "table" then fill(run.state, kept.algorithm, "kept.algorithm") end
  if type(kept.script) == "table" then
    if not run.options.state then
      fail(place .. " holds the script's state, and the option 'state' is not given")
    end
    fill(run.options.state, kept.script, "kept.script")
  end
end

return {mark = mark, is_whole = is_whole, release = release, restore = restore}
