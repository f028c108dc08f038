-- Keeps the state after the last complete step, so that a run can be saved at any time. A step
-- abandoned before its first update has changed only what is kept here: the script's state, the
-- algorithm's state, and what was written to the folder. If a step makes several updates, weights
-- and Adam moments are copied before the first one, and restored if the step is abandoned after it.
-- Without a copy the step must be finished, so a signal waits; if an error ends it there, the
-- previous checkpoint stays.

local apo = require "apo"
local fail = require "apo.fail"
local algorithm_state = require "apo.step.algorithm_state"
local plain_data = require "apo.data.plain_data"

local counters = {"step", "num_tokens", "epoch", "evaluated"}

-- Lets pending signals end the run.
local function release(run)
  if run.is_updating and not run.has_copy then apo.system.hold_stop(false) end
  run.is_updating, run.has_copy = false, false
end

-- What a checkpoint holds of the algorithm's and the script's state.
local function kept(run)
  return {
    algorithm = run.algorithm_state
      and plain_data.encode(algorithm_state.plain(run.algorithm_state), "state"),
    script = run.state and plain_data.encode(run.state, run.state_name),
  }
end

-- Marks the current state as complete. `data` is `kept(run)` if the caller has it.
local function mark(run, data)
  run.whole = {sizes = run.journal:sizes(), steps = {}, counters = {}, kept = data or kept(run)}
  for optimizer in pairs(run.base_lr) do run.whole.steps[optimizer] = optimizer.steps end
  for _, name in ipairs(counters) do run.whole.counters[name] = run[name] end
  release(run)
end

-- Makes signals wait until the step is complete.
local function hold(run)
  apo.system.hold_stop(true)
  run.has_copy, run.is_updating = false, true
end

-- Takes back that the state was marked: `before` is run.whole from then.
local function unmark(run, before)
  run.whole = before
  hold(run)
end

-- Copies everything that the updates of a step change; false if there is no memory for it.
local function copy(run)
  local has_room, problem = pcall(function()
    for optimizer in pairs(run.base_lr) do optimizer:snapshot() end
    run.whole.models = algorithm_state.other_weights(run)
  end)
  if has_room then return true end
  run.copies = false
  run.console:warning(("signals wait for the end of a step, and after an error in mid-step the "
    .. "run resumes from the previous checkpoint: %s"):format(tostring(problem)))
  return false
end

-- Called before each update; `count` is the number of updates so far in the step.
local function before_update(run, count)
  if not run.is_updating then
    local has_copy = run.options.dir ~= nil and run.copies and copy(run) or false
    if not has_copy then return hold(run) end
    run.has_copy, run.is_updating = true, true
  elseif count > 0 and run.copies == nil then
    run.copies = true  -- the algorithm said that it makes one; from the next step on
  end
end

-- Whether the models are those of the last complete step, i.e. no optimizer has stepped since.
local function is_whole(run)
  if not run.is_updating then return true end
  if run.is_unguarded then return false end  -- weights may have changed without an optimizer
  for optimizer, steps in pairs(run.whole.steps) do
    if optimizer.steps ~= steps then return false end
  end
  return true
end

-- Undoes what an abandoned step did to the run and to weights; returns whether the run is back at
-- the previous step, which it is not after an update without a copy.
local function roll_back(run)
  local was_whole = is_whole(run)
  for _, name in ipairs(counters) do run[name] = run.whole.counters[name] end
  if not was_whole then
    if not run.has_copy then return false end
    for optimizer in pairs(run.base_lr) do optimizer:rollback() end
    apo.no_grad(function()
      for weights, before in pairs(run.whole.models) do weights:copy_(before) end
    end)
  end
  return true
end

-- Frees the copies.
local function drop(run)
  for optimizer in pairs(run.base_lr) do optimizer:snapshot(false) end
  if run.whole then run.whole.models = nil end
end

-- Restores a checkpoint's data into the tables of the script and the algorithm.
local function restore(run, data, place)
  if type(data) ~= "table" then return end
  local function fill(into, saved, field)
    local value = plain_data.decode(saved, ("%s: field '%s'"):format(place, field))
    for key in pairs(into) do
      if type(into[key]) ~= "userdata" then into[key] = nil end
    end
    for key, inner in pairs(value) do into[key] = inner end
  end
  if type(data.algorithm) == "table" and run.algorithm_state then
    fill(run.algorithm_state, data.algorithm, "kept.algorithm")
  end
  if type(data.script) == "table" then
    if not run.state then
      fail(place .. " holds the script's state, but the option 'state' is not given")
    end
    fill(run.state, data.script, "kept.script")
  end
end

return {kept = kept, mark = mark, unmark = unmark, hold = hold, is_whole = is_whole,
        release = release, restore = restore, before_update = before_update,
        roll_back = roll_back, drop = drop}
