-- Checkpoints: dir/checkpoint/step-N with the policy (a Hugging Face folder, float32; of a policy
-- with an adapter, the adapter's folder), the optimizer's moments, state.json, what the algorithm
-- keeps (algorithm_state.lua), and the checksums of all files (checksums.lua). A checkpoint is
-- written under another name and renamed when it is complete and on disk; then dir/checkpoint.json
-- records its step, so that a deleted one is noticed; then those not kept are removed
-- (run/kept.lua).

local apo = require "apo"
local algorithm_state = require "apo.step.algorithm_state"
local checksums, kept = require "apo.run.checksums", require "apo.run.kept"
local fail = require "apo.fail"
local json, system, shown = apo.json, apo.system, apo.system.shown

-- The step of the latest complete checkpoint and its folder; nil when there is none.
local function latest(dir)
  local steps = kept.steps(dir)
  local step = steps[#steps]
  return step, step and kept.folder(dir, step)
end

local function note(dir, step) json.write(dir .. "/checkpoint.json", {step = step}) end

-- The step of the latest checkpoint, or nil.
local function noted(dir)
  local path = dir .. "/checkpoint.json"
  if not system.exists(path) then return nil end
  local about = json.read(path)
  local step = type(about) == "table" and about.step
  if math.type(step) ~= "integer" or step < 0 then
    fail(shown(path) .. ": field 'step' must be the step of the last checkpoint")
  end
  return step
end

local function write(folder, run, state)
  system.make_folder(folder)
  algorithm_state.save(run:objects(), folder)
  json.write(folder .. "/state.json", state)
  checksums.write(folder)
  run.journal:check()
end

-- Removes what a failed save has written. If the folder was removed meanwhile, the save may have
-- recreated part of it, which is removed too if empty.
local function give_up(dir, unfinished, run)
  pcall(system.remove_folder, unfinished)
  if not pcall(run.journal.check, run.journal) then
    os.remove(dir .. "/checkpoint")
    os.remove(dir)
  end
end

-- Saves a run at its step, with what else `state` holds; gives the folder.
local function save(dir, run, state)
  local target = kept.folder(dir, state.step)
  local unfinished = ("%s/checkpoint/.step-%d"):format(dir, state.step)
  run.journal:check()
  system.remove_folder(unfinished)
  local ok, problem = pcall(write, unfinished, run, state)
  if not ok then
    give_up(dir, unfinished, run)
    error(problem, 0)
  end
  if system.exists(target) then kept.remove(dir, state.step) end
  system.rename(unfinished, target)
  note(dir, state.step)
  kept.remove_others(dir, run)
  return target
end

-- Advice if the checkpoint of a step is missing.
local function way_out(dir, step)
  local steps = kept.steps(dir)
  for i = #steps, 1, -1 do
    if steps[i] < step and not checksums.problem(kept.folder(dir, steps[i])) then
      return ('; the one before it is whole: resume = "step-%d" goes on from there')
        :format(steps[i])
    end
  end
  return "; there is no whole one before it: put it back, or start the run anew in another folder"
end

-- The folder of the checkpoint to resume from: the latest, or a named one; nil if none was saved. A
-- damaged or missing one is an error that names the alternatives, because resuming from an earlier
-- one discards what was logged since.
local function choose(dir, name)
  local step = latest(dir)
  if name then
    step = math.tointeger(tonumber(name:match "%d+"))
    if not step or not system.exists(kept.folder(dir, step)) then
      local there = kept.steps(dir)
      for i, other in ipairs(there) do there[i] = "step-" .. other end
      fail(("%s/checkpoint has no %s; there is %s"):format(
        shown(dir), name, there[1] and table.concat(there, ", ") or "none"))
    end
  else
    local saved = noted(dir)
    if saved and (not step or step < saved) then
      fail(("%s is gone, the checkpoint that this run saved last%s"):format(
        shown(kept.folder(dir, saved)), way_out(dir, saved)))
    end
  end
  if not step then return nil end
  local problem = checksums.problem(kept.folder(dir, step))
  if problem then
    fail(("the checkpoint of step %d is damaged: %s%s"):format(step, problem, way_out(dir, step)))
  end
  return kept.folder(dir, step)
end

-- Makes the checkpoint of a step the latest; later ones will be saved again.
local function go_back(dir, step)
  for _, other in ipairs(kept.steps(dir)) do
    if other > step then kept.remove(dir, other) end
  end
  if noted(dir) ~= step then note(dir, step) end
end

-- The checked state of a file, from which a run continues counting.
local function read_state(path)
  local state = json.read(path)
  if type(state) ~= "table" then fail(shown(path) .. ": must be an object, got " .. type(state)) end
  local function check(name, value, is_good, expected)
    if not is_good then
      fail(("%s: field '%s' must be %s, got %s"):format(
        shown(path), name, expected, tostring(value)))
    end
  end
  local function is_count(value) return math.type(value) == "integer" and value >= 0 end
  for _, name in ipairs{"step", "num_tokens"} do
    check(name, state[name], is_count(state[name]), "a count")
  end
  local evaluated, seconds, sizes = state.evaluated, state.seconds, state.sizes
  check("evaluated", evaluated, evaluated == nil or is_count(evaluated), "a count or missing")
  check("seconds", seconds, type(seconds) == "number" and seconds >= 0, "a number")
  local algorithm = state.algorithm
  check("algorithm", algorithm, algorithm == nil or type(algorithm) == "table", "an object")
  check("sizes", sizes, type(sizes) == "table", "an object of the sizes of files")
  for name, size in pairs(sizes) do check("sizes." .. name, size, is_count(size), "a count") end
  return state
end

-- Puts what was saved into a run; gives the state.
local function load(folder, run)
  algorithm_state.load(run:objects(), folder)
  local state = read_state(folder .. "/state.json")
  for name, value in pairs(state.algorithm or {}) do  -- of older checkpoints
    run.algorithm_state[name] = value
  end
  return state
end

return {
  latest = latest, choose = choose, go_back = go_back, save = save, load = load,
  read_state = read_state,
  problem = checksums.problem, check_keep = kept.check_name, is_new_best = kept.is_new_best,
  best = kept.best, recover = kept.recover, tidy = kept.tidy, remove_others = kept.remove_others,
}
