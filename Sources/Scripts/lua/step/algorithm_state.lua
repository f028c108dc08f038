-- Checkpoints of an algorithm's state: models as folders, optimizers as files, plain data in
-- state.json (step/whole_state.lua). It is restored into the objects that `start` created.

local apo = require "apo"
local fail = require "apo.fail"

-- Copies all weights of a model into another.
local function copy_weights(from, to, place)
  apo.no_grad(function()
    for name, parameter in to:named_parameters() do
      local weights = from:parameter(name)
      if table.concat(weights:shape(), ",") ~= table.concat(parameter:shape(), ",") then
        fail(("%s: the parameter '%s' has a different shape from the policy's"):format(place, name))
      end
      parameter:copy_(weights)
    end
  end)
end

-- The trained part of a model: all of it, or its adapter.
local function save_model(model, path)
  local write = model.adapter and model.save_adapter or model.save
  write(model, path, {dtype = "float32"})
end

local function load_model(model, path)
  local saved = model.adapter and model:base_model():load_adapter(path) or apo.load(path)
  copy_weights(saved, model, path)
end

local kinds = {  -- by what tostring begins with
  ["apo.Model"] = {save = save_model, load = load_model},
  ["apo.ValueModel"] = {
    save = function(model, path) model:save(path) end,
    load = function(model, path) copy_weights(apo.load_value_model(path), model, path) end,
  },
  ["apo.Optimizer"] = {
    save = function(optimizer, path) optimizer:save(path .. ".safetensors") end,
    load = function(optimizer, path) optimizer:load(path .. ".safetensors") end,
  },
}

local function kind(value)
  if type(value) ~= "userdata" then return nil end
  local name = tostring(value):match "^apo%.%a+" or debug.getmetatable(value).__name
  return name, kinds[name] or fail("an algorithm cannot keep an object of type " .. name)
end

local is_plain = {number = true, string = true, boolean = true, table = true}

local reserved = {policy = true, optimizer = true, state = true}  -- the run's own files

-- Checks that a checkpoint can store the algorithm's state.
local function check(state)
  for name, value in pairs(state) do
    if type(name) ~= "string" or not name:find "^[%w_]+$" or reserved[name] then
      fail(("an algorithm cannot keep something as '%s': a name of letters, digits and _ expected, "
        .. "other than optimizer, policy, state"):format(tostring(name)))
    elseif not kind(value) then
      if not is_plain[type(value)] then
        fail(("an algorithm cannot keep a %s ('%s'): models, optimizers, numbers and strings, "
          .. "booleans and tables of these"):format(type(value), name))
      end
    end
  end
  return state
end

-- What is plain data of it; whoever writes it down finds what is none within tables.
local function plain(state)
  local data = {}
  for name, value in pairs(check(state)) do
    if not kind(value) then data[name] = value end
  end
  return data
end

-- Writes models and optimizers into the folder.
local function save(objects, folder)
  for name, value in pairs(objects) do
    local _, of_kind = kind(value)
    of_kind.save(value, folder .. "/" .. name)
  end
end

local function load(objects, folder)
  for name, value in pairs(objects) do
    local _, of_kind = kind(value)
    of_kind.load(value, folder .. "/" .. name)
  end
end

-- The models and optimizers among the values of a table, by name; an error for other objects.
local function objects(values)
  local found = {}
  for name, value in pairs(values) do
    if kind(value) then found[name] = value end
  end
  return found
end

-- The base learning rate of each optimizer of a run.
local function learning_rates(run)
  local rates = {}
  for _, value in pairs(run:objects()) do
    if kind(value) == "apo.Optimizer" then rates[value] = value.lr end
  end
  return rates
end

-- The weights of a model that may change; matrices that are held as bfloat16 do not.
local function changeable(model)
  local name = kind(model)
  if name == "apo.ValueModel" or name == "apo.Model"
    and (model.adapter or model.dtype ~= "bfloat16") then
    return model:parameters()
  end
  return {}
end

-- Whether models hold trainable weights that none of the optimizers updates.
local function has_other_weights(models, optimizers)
  for _, model in pairs(models) do
    for _, weights in ipairs(changeable(model)) do
      local is_updated = not weights.requires_grad
      for optimizer in pairs(optimizers) do
        is_updated = is_updated or optimizer:updates(weights)
      end
      if not is_updated then return true end
    end
  end
  return false
end

-- Copies, by weight, of weights that an algorithm keeps but no optimizer of the run updates, such
-- as a second sampler's.
local function other_weights(run)
  local copies = {}
  for _, value in pairs(run.algorithm_state or {}) do
    for _, weights in ipairs(changeable(value)) do
      local is_updated = false
      for optimizer in pairs(run.base_lr) do
        is_updated = is_updated or optimizer:updates(weights)
      end
      if not is_updated then copies[weights] = weights:detach():clone() end
    end
  end
  return copies
end

return {copy_weights = copy_weights, plain = plain, objects = objects, save = save, load = load,
        learning_rates = learning_rates, has_other_weights = has_other_weights,
        other_weights = other_weights}
