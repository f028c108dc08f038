-- Reads recorded completions for apo.replay; not all runs record the same.

local apo = require "apo"
local fail = require "apo.fail"

local hints = {
  ref_logp = "; a run that has a reference records it; give losses that do without",
  target = "; its algorithm notes none: give `target`, or a loss that does without",
}

-- A figure of all samples as a tensor.
local function tensor_of(samples, name, default)
  local list = {}
  for i, sample in ipairs(samples) do
    list[i] = sample[name] or default
    if type(list[i]) ~= "number" then
      fail(("replay: step %d was recorded without '%s'"):format(sample.step, name)
        .. (hints[name] or ""))
    end
  end
  return apo.tensor(list)
end

local function all_have(samples, name)
  for _, sample in ipairs(samples) do
    if type(sample[name]) ~= "number" then return false end
  end
  return true
end

-- The completions that the run learned from: those with a target, where some have one.
local function used(rollout, samples)
  local records, kept = {}, {}
  for i, sample in ipairs(samples) do
    if type(sample.target) == "number" then
      records[#records + 1], kept[#kept + 1] = rollout[i], sample
    end
  end
  if #kept == 0 or #kept == #samples then return rollout, samples end
  return apo.rollout(records), kept
end

-- What not all runs record is read when a loss asks for it.
local recorded_only_by_some = {
  __index = function(b, name)
    if name ~= "ref_logp" and name ~= "target" then return nil end
    local tensor = tensor_of(b.samples, name)
    rawset(b, name, tensor)
    return tensor
  end,
}

local function copies(samples)
  local list = {}
  for i, sample in ipairs(samples) do
    list[i] = {}
    for name, value in pairs(sample) do list[i][name] = value end
  end
  return list
end

return {tensor = tensor_of, all_have = all_have, used = used, copies = copies,
        lazily = recorded_only_by_some}
