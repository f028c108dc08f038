-- Log-probabilities of fresh samples are the sampler's, and backward() alone computes the layers. Every way in which they would
-- not be the model's any more has a test here: the values must then be those of a pass without gradients, which always computes.

local apo, check = require "apo", require "check"
local test, eq, close, raises = check.test, check.eq, check.close, check.raises

local tokenizer = apo.char_tokenizer{alphabet = "0123456789+="}

local function model(changes)
  local config = {
    model_type = "llama", hidden_size = 16, num_hidden_layers = 2, num_attention_heads = 4,
    intermediate_size = 24, max_position_embeddings = 32, tokenizer = tokenizer, seed = 5,
    initializer_range = 0.3,
  }
  for key, value in pairs(changes or {}) do config[key] = value end
  return apo.new_model(config)
end

local function sampled(policy, options)
  local all = {n = 3, max_tokens = 9, seed = 4, step = 1}
  for key, value in pairs(options or {}) do all[key] = value end
  return policy:generate({"1=", "2+2=", "98="}, all)
end

-- Computed by the layers, for certain.
local function computed(policy, rollout, options)
  return apo.no_grad(policy.logprobs, policy, rollout, options)
end

-- Bytes that the log-probabilities keep for backward().
local function kept(policy, rollout, options)
  collectgarbage()
  local before = storage_bytes()
  local logp <const> = policy:logprobs(rollout, options)
  collectgarbage()
  return storage_bytes() - before, logp
end

local function is_fresh(policy, rollout, options)
  local all = {micro_batch = 2}
  for key, value in pairs(options or {}) do all[key] = value end
  local _, logp = kept(policy, rollout, all)
  all.micro_batch = nil
  eq(logp, computed(policy, rollout, all))
  assert(logp.requires_grad)
  return true
end

local function gradients(policy, rollout, options)
  (policy:logprobs(rollout, options) ^ 2):mean():backward()
  local list = {}
  for i, parameter in ipairs(policy:parameters()) do
    list[i] = parameter.grad:totable()
    parameter.grad = nil
  end
  return list
end

test("without micro_batch fresh samples keep no activations, and have the gradient of the whole", function()
  local policy = model()
  local rollout = policy:generate({"1=", "2+2=", "98="}, {n = 60, max_tokens = 12, ignore_eos = true, seed = 1})
  local fresh, logp = kept(policy, rollout)
  local records = {}
  for i, completion in ipairs(rollout) do records[i] = completion end
  local again = apo.rollout(records)
  local whole, other = kept(policy, again)
  assert(fresh < whole / 50, ("%d of %d bytes"):format(fresh, whole))
  eq(logp, other)
  eq(logp, rollout:logprobs())
  eq(policy:logprobs(rollout, {per_token = true}), rollout:logprobs{per_token = true})
  local all, parts, few = gradients(policy, again), gradients(policy, rollout), gradients(policy, rollout, {micro_batch = 7})
  for i, list in ipairs(all) do
    close(parts[i], list, 1e-4)
    close(few[i], list, 1e-4)
  end
  local twice = gradients(policy, rollout)
  for i, list in ipairs(parts) do eq(twice[i], list) end
end)

test("values equal those of scoring, whatever was sampled by", function()
  for _, options in ipairs{
    {}, {temperature = 0.7}, {temperature = 0}, {top_k = 3}, {top_p = 0.5}, {min_p = 0.2}, {stop = {"1", "3+"}},
    {stop_token_ids = {4}}, {ignore_eos = true}, {max_tokens = {1, 5, 9}}, {max_num_seqs = 2},
  } do
    local policy = model()
    local rollout = sampled(policy, options)
    assert(is_fresh(policy, rollout))
    assert(is_fresh(policy, rollout:slice(2, 5)))
    assert(is_fresh(policy, rollout, {per_token = true}))
    gradients(policy, rollout, {micro_batch = 2})  -- finds the same values again, or raises
  end
end)

test("another temperature is computed", function()
  local policy = model()
  for _, temperature in ipairs{1, 0.7, 0} do
    local rollout = sampled(policy, {temperature = temperature})
    assert(is_fresh(policy, rollout, {temperature = 1.3}))
    gradients(policy, rollout, {micro_batch = 2, temperature = 1.3})
  end
end)

test("changed weights are computed, as in a second update", function()
  local policy = model()
  local optimizer = apo.optim.adamw(policy, {lr = 1e-2})
  local rollout = sampled(policy)
  local first = policy:logprobs(rollout, {micro_batch = 2})
  first:mean():backward()
  optimizer:step()
  local second = policy:logprobs(rollout, {micro_batch = 2})
  eq(second, computed(policy, rollout))
  assert((second - first):abs():max():item() > 1e-3)
  second:mean():backward()

  for i, name in ipairs{"model.norm.weight", "model.embed_tokens.weight"} do
    rollout = sampled(policy, {step = i})
    apo.no_grad(function() policy:parameter(name):mul_(1.5) end)
    assert(is_fresh(policy, rollout))
    gradients(policy, rollout, {micro_batch = 2})
  end
end)

test("weights that change before backward are noticed", function()
  local policy = model()
  local loss = policy:logprobs(sampled(policy), {micro_batch = 2}):sum()
  apo.no_grad(function() policy:parameter "model.norm.weight":mul_(2) end)
  raises("weights of the model were changed in place after 'logprobs'", loss.backward, loss)
end)

test("weights that are frozen before backward are named, unless the graph was kept", function()
  local changes = {
    {"model.embed_tokens.weight was frozen", function(policy) policy:freeze() end},
    {"model.embed_tokens.weight was frozen", function(policy) policy:add_adapter{} end},
    {"model.norm.weight was frozen", function(policy)
      policy:parameter "model.norm.weight":requires_grad_(false)
    end},
    {"model.norm.weight was unfrozen", function(policy)
      policy:parameter "model.norm.weight":requires_grad_()
    end, true},
  }
  for _, case in ipairs(changes) do
    local text, change, starts_frozen = table.unpack(case)
    for kind = 1, 3 do
      local policy = model()
      local norm = policy:parameter "model.norm.weight"
      norm:requires_grad_(not starts_frozen)
      local rollout = policy:generate({"1=", "2+2="}, {n = 60, max_tokens = 20, ignore_eos = true})
      if kind < 3 then
        local records = {}  -- their log-probabilities are computed
        for i, completion in ipairs(rollout) do records[i] = completion end
        rollout = apo.rollout(records)
      end
      local loss = policy:logprobs(rollout, kind == 2 and {micro_batch = 10} or nil):mean()
      change(policy)
      if kind == 1 then
        loss:backward()
        eq(norm.grad ~= nil, not starts_frozen)
      else
        raises("backward: " .. text .. " after 'logprobs', whose layers backward() recomputes with "
          .. "the current weights; call logprobs again", loss.backward, loss)
        eq(norm.grad, nil)
      end
    end
  end
end)

test("samples of another model are computed", function()
  local policy, other = model(), model{seed = 6}
  local rollout = sampled(other)
  assert(is_fresh(policy, rollout))
  assert((policy:logprobs(rollout, {micro_batch = 2}) - rollout:logprobs()):abs():max():item() > 0.1)
  gradients(policy, rollout, {micro_batch = 2})
  -- A model that is gone leaves its numbers to nobody.
  other = nil
  collectgarbage()
  assert(is_fresh(model{seed = 7}, rollout))
end)

test("with and without the adapter are two models", function()
  for _, dtype in ipairs{"float32", "bfloat16"} do
    local policy = model():clone{dtype = dtype}:add_adapter{target_modules = "all-linear", seed = 1}
    apo.no_grad(function()
      for _, parameter in ipairs(policy:parameters()) do parameter:add_(0.1) end
    end)
    local with, without = sampled(policy), sampled(policy, {adapter = false})
    assert(is_fresh(policy, with))
    gradients(policy, with, {micro_batch = 2})
    local values = policy:logprobs(without, {micro_batch = 2})
    eq(values, computed(policy, without))
    assert((values - without:logprobs()):abs():max():item() > 1e-3)
    gradients(policy, without, {micro_batch = 2})
    local of_base = sampled(policy:base_model())
    assert(is_fresh(policy, of_base))
    local other = policy:base_model():add_adapter{target_modules = "all-linear", seed = 2}
    assert(is_fresh(other, with))
    apo.no_grad(function() policy:parameters()[1]:mul_(3) end)
    assert(is_fresh(policy, with))
  end
end)

test("edited and recorded completions are computed", function()
  local policy = model()
  local rollout = sampled(policy)
  local records = {}
  for i, completion in ipairs(rollout) do
    completion.ids[1] = (completion.ids[1] + 1) % 12
    records[i] = completion  -- with the logprobs of what it was
  end
  local edited = apo.rollout(records)
  assert(is_fresh(policy, edited))
  assert((policy:logprobs(edited, {micro_batch = 2}) - rollout:logprobs()):abs():max():item() > 1e-3)
  eq(policy:logprobs(rollout, {micro_batch = 2}), computed(policy, rollout))  -- the rollout stayed as it was
  local wrong = {prompt = "1=", ids = {1, 2}, logprobs = {-5, -5}}
  local invented = apo.rollout{wrong, wrong, wrong}
  eq(policy:logprobs(invented, {micro_batch = 1}), computed(policy, invented))
end)

test("entropies are computed", function()
  local policy = model()
  local rollout = sampled(policy)
  for _, micro_batch in ipairs{1, 2, 100} do
    local logp, entropy = policy:logprobs(rollout, {micro_batch = micro_batch, entropy = true})
    local expected, expected_entropy = computed(policy, rollout, {entropy = true})
    eq(logp, expected)
    eq(entropy, expected_entropy)
    assert(entropy:min():item() > 0)
    ;(logp + entropy):mean():backward()
  end
end)

test("a saved and loaded policy is another model", function()
  local policy = model()
  local rollout = sampled(policy)
  policy:save(temporary .. "/policy")
  assert(is_fresh(apo.load(temporary .. "/policy"), rollout))
  assert(is_fresh(policy:clone(), rollout))
end)
