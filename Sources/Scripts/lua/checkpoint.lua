-- Checkpoints: dir/checkpoint/step-N with the policy (a Hugging Face folder, float32), the
-- optimiser's moments and state.json. A checkpoint is written under another name and renamed when
-- it is complete, so there is always a whole one; the one before is then removed.

local apo = require "apo"
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

-- Saves policy, optimiser and state; gives the folder.
local function save(dir, policy, optimizer, state)
  local target = ("%s/checkpoint/step-%d"):format(dir, state.step)
  local unfinished = ("%s/checkpoint/.step-%d"):format(dir, state.step)
  system.remove_folder(unfinished)
  system.make_folder(unfinished)
  policy:save(unfinished .. "/policy", {dtype = "float32"})
  optimizer:save(unfinished .. "/optimizer.safetensors")
  json.write(unfinished .. "/state.json", state)
  system.remove_folder(target)
  system.rename(unfinished, target)
  remove_others(dir, target)
  return target
end

-- Puts the saved weights and moments into a policy and its optimiser; gives the state.
local function load(folder, policy, optimizer)
  local saved = apo.load(folder .. "/policy")
  apo.no_grad(function()
    for name, parameter in policy:named_parameters() do
      local weights = saved:parameter(name)
      if table.concat(weights:shape(), ",") ~= table.concat(parameter:shape(), ",") then
        fail(("%s: the parameter '%s' has another shape than the policy's"):format(folder, name))
      end
      parameter:copy_(weights)
    end
  end)
  optimizer:load(folder .. "/optimizer.safetensors")
  return json.read(folder .. "/state.json")
end

return {latest = latest, save = save, load = load}
