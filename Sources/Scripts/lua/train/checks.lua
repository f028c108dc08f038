-- Checks of apo.train's options beyond types: mistakes that would train nothing, or without a
-- reference, and unusable rows.

local fail, check_data = require "apo.fail", require "apo.data.check"

local function models(o)
  local is_trainable = false
  for _, parameter in ipairs(o.policy:parameters()) do
    is_trainable = is_trainable or parameter.requires_grad
  end
  if o.policy.dtype == "bfloat16" and not o.policy.adapter then
    fail('train: the policy is held as bfloat16; train a policy:clone{dtype = "float32"}, or an '
      .. "adapter: policy:add_adapter{}")
  elseif not is_trainable then
    fail("train: the policy is frozen; train a policy:clone()")
  end
  if o.reference and rawequal(o.reference, o.policy) then
    fail("train: policy and reference are the same model; the reference must be a copy: "
      .. (o.policy.adapter and "policy:base_model()" or "policy:clone():freeze()"))
  elseif o.reference and o.reference.kv_cache_dtype ~= o.policy.kv_cache_dtype then
    fail(('train: the reference has kv_cache_dtype = "%s" and the policy "%s": with equal '
      .. "weights they would compute different functions; load both with the same one, or omit "
      .. "'reference'"):format(o.reference.kv_cache_dtype, o.policy.kv_cache_dtype))
  end
end

local function clipping(o)
  if o.max_grad_norm > 0 then return end
  fail(("train: max_grad_norm: a number above 0 expected (math.huge for no clipping), got %.14g")
    :format(o.max_grad_norm))
end

-- Checks that all rows can be used, and drops those to be dropped. Returns messages about them.
local function rows(o)
  local texts, _ = {}, nil
  if #o.data > 0 then
    o.data, _, texts[1] = check_data{
      name = "train", model = o.policy, data = o.data, reward = o.reward, values = o.values,
      max_tokens = o.max_tokens, overlong = o.overlong, quiet = o.quiet,
    }
  end
  if o.eval and #o.eval.data > 0 then
    local text
    o.eval.data, _, text = check_data{
      name = "train: eval", model = o.policy, data = o.eval.data,
      reward = o.eval.reward or o.reward, max_tokens = o.eval.max_tokens or o.max_tokens,
      overlong = o.eval.overlong or o.overlong, quiet = o.quiet,
    }
    texts[#texts + 1] = text and "evaluation: " .. text
  end
  return texts
end

-- The number of steps of an epoch, and of the run, with these rows.
local function steps(o, data)
  local per_epoch = (o.drop_last and #data or #data + o.batch_size - 1) // o.batch_size
  if #data == 0 and #o.data > 0 then
    fail(("train: there are no rows to train on: drop_unsolved dropped all %d, for which no "
      .. "reference sample had a reward above 0"):format(#o.data))
  elseif #data == 0 then
    fail("train: there are no rows to train on")
  elseif per_epoch == 0 then
    fail(("train: %d rows do not fill a batch of %d, and drop_last is set"):format(
      #data, o.batch_size))
  end
  return per_epoch, math.min(per_epoch * o.epochs, o.max_steps or math.huge)
end

return {models = models, clipping = clipping, rows = rows, steps = steps}
