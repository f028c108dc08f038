-- Checkpoints: dir/checkpoint/step-N with the policy (a Hugging Face folder, float32; of a policy
-- with an adapter, the adapter's folder), the optimiser's moments, state.json, and what the
-- algorithm keeps (algorithm_state.lua). A checkpoint is written under another name and renamed
-- when it is complete, so there is always a whole one; the one before is then removed.

local apo = require "apo"
local algorithm_state = require "apo.algorithm_state"
local fail = require "apo.fail"
local json, system = apo.json, apo.system

-- The step of the latest complete checkpoint and its folder; nil when there is none.
local function latest(dir)
  local best
  for _, name in ipairs(system.list(dir .. "/checkpoint")) do
    local step = math.tointeger(tonumber(name:match("^step%-(%d+)$")))
    if step and (not best or step > best) then best = step end
  end
  return best, best and ("%s/checkpoint/step-%d"):format(dir, best)
end

local function remove_others(dir, kept)
  for _, name in ipairs(system.list(dir .. "/checkpoint")) do
    local path = dir .. "/checkpoint/" .. name
    if name:match("^%.?step%-%d+") and path ~= kept then system.remove_folder(path) end
  end
end

-- Saves a run at its step, with what else `state` holds; gives the folder.
local function save(dir, run, state)
  local target = ("%s/checkpoint/step-%d"):format(dir, state.step)
  local unfinished = ("%s/checkpoint/.step-%d"):format(dir, state.step)
  system.remove_folder(unfinished)
  system.make_folder(unfinished)
  algorithm_state.save_model(run.policy, unfinished .. "/policy")
  run.optimizer:save(unfinished .. "/optimizer.safetensors")
  state.algorithm = algorithm_state.save(run.state, unfinished)
  json.write(unfinished .. "/state.json", state)
  system.remove_folder(target)
  system.rename(unfinished, target)
  remove_others(dir, target)
  return target
end

-- The state that a file holds, checked: a run goes on counting from its numbers.
local function read_state(path)
  local state = json.read(path)
  if type(state) ~= "table" then fail(path .. ": must be an object, got " .. type(state)) end
  local function check(name, value, is_good, expected)
    if not is_good then
      fail(("%s: field '%s' must be %s, got %s"):format(path, name, expected, tostring(value)))
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
  algorithm_state.load_model(run.policy, folder .. "/policy")
  run.optimizer:load(folder .. "/optimizer.safetensors")
  local state = read_state(folder .. "/state.json")
  algorithm_state.load(run.state, folder, state.algorithm)
  return state
end

return {latest = latest, save = save, load = load, read_state = read_state}
