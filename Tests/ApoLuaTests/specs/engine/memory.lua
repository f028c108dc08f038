-- How models are held and saved, and what a run needs.

local apo, check = require "apo", require "check"
local test, eq, close, raises = check.test, check.eq, check.close, check.raises

local function config(changes)
  local result = {
    model_type = "qwen2", hidden_size = 16, num_hidden_layers = 2, num_attention_heads = 4,
    num_key_value_heads = 2, intermediate_size = 24, max_position_embeddings = 32,
    tie_word_embeddings = true, tokenizer = apo.char_tokenizer{alphabet = "0123456789+="},
  }
  for key, value in pairs(changes or {}) do result[key] = value end
  return result
end

test("a model held as bfloat16", function()
  local model = apo.new_model(config())
  local held = model:clone{dtype = "bfloat16"}
  eq(model.dtype, "float32")
  eq(held.dtype, "bfloat16")
  eq(held:num_parameters(), model:num_parameters())
  assert(not held:parameter("model.norm.weight").requires_grad)
  assert(not held:parameter("model.layers.0.mlp.up_proj.weight").requires_grad)
  local twin = held:clone{dtype = "float32"}
  eq(held:logits{1, 2, 3}, twin:logits{1, 2, 3})
  eq(held:checksum(), twin:checksum())
  assert(twin:parameter("model.norm.weight").requires_grad)
  eq(held:clone().dtype, "bfloat16")
  eq(#held:parameters(), #model:parameters())
  for name, weights in held:named_parameters() do eq(weights, twin:parameter(name)) end

  local rollout = held:generate({{1, 2}, {3}}, {max_tokens = 6, ignore_eos = true})
  eq(held:logprobs(rollout), rollout:logprobs())
  raises("backward: the tensor does not depend on anything that requires a gradient",
    function() held:logprobs(rollout):sum():backward() end)
  raises("adamw: the model's weights are held as bfloat16 and "
    .. 'collect no gradients; clone{dtype = "float32"} gives a copy that does',
    function() apo.optim.adamw(held) end)
  raises("dtype",
    function() model:clone{dtype = "int8"} end)

  local folder = temporary .. "/held"
  held:save(folder)
  eq(apo.load(folder).config.torch_dtype, "bfloat16")
  eq(apo.load(folder, {dtype = "bfloat16"}):checksum(), held:checksum())
  eq(apo.load(folder, {dtype = "bfloat16"}).dtype, "bfloat16")
  eq(apo.load(folder):checksum(), held:checksum())
end)

test("an adapter of a model held as bfloat16 is trained", function()
  local held = apo.new_model(config()):clone{dtype = "bfloat16"}
  local function trained(model)
    apo.seed(5)
    model:add_adapter{r = 2, target_modules = "all-linear"}
    local optimizer = apo.optim.adamw(model, {lr = 0.1})
    for step = 1, 2 do
      local rollout = model:generate({{1, 2}, {3}}, {max_tokens = 6, ignore_eos = true, step = step})
      eq(model:logprobs(rollout):detach(), rollout:logprobs())
      model:logprobs(rollout):mean():backward()
      optimizer:step{}
    end
    return model
  end
  local twin = trained(held:clone{dtype = "float32"})
  eq(trained(held):checksum(), twin:checksum())
  eq(held.dtype, "bfloat16")
  local copy = held:clone()
  eq(copy:checksum(), twin:checksum())
  assert(copy:parameters()[1].requires_grad)
  eq(apo.memory_estimate{policy = held}.reference, 0)
  local folder = temporary .. "/merged"
  held:save(folder)
  close(apo.load(folder):logits{1, 2, 3}, held:logits{1, 2, 3}, 0.05)
  held:merge_adapter()
  eq(held.dtype, "bfloat16")
  eq(held:logits{1, 2, 3}, apo.load(folder, {dtype = "bfloat16"}):logits{1, 2, 3})
end)

test("halves and shards", function()
  local model = apo.new_model(config())
  local folder = temporary .. "/shards"
  model:save(folder, {dtype = "float16", max_shard_size = 1000})
  eq(apo.load(folder).config.torch_dtype, "float16")
  local shards = {}
  for _, name in ipairs(apo.system.list(folder)) do
    if name:find("^model%-") then shards[#shards + 1] = name end
  end
  eq(shards[3], ("model-00003-of-%05d.safetensors"):format(#shards))
  eq(apo.system.exists(folder .. "/model.safetensors"), nil)
  for name, weights in apo.load(folder):named_parameters() do
    close(weights, model:parameter(name), 1e-4)
  end
  model:save(folder, {max_shard_size = "10MB"})
  eq(apo.load(folder):checksum(), model:checksum())
  eq(apo.system.exists(folder .. "/model.safetensors.index.json"), nil)
  for _, name in ipairs(shards) do eq(apo.system.exists(folder .. "/" .. name), nil) end
  apo.no_grad(function() model:parameter("model.norm.weight"):fill_(70000) end)
  raises("model.safetensors: tensor "
    .. "'model.norm.weight' holds 70000.0, which float16 cannot (its largest number is 65504); "
    .. "save as bfloat16 or float32",
    function() model:save(folder, {dtype = "float16"}) end)
  raises([[save: option 'max_shard_size' must be a size as "5GB", "500MB" or "2GiB", got "5 apples"]],
    function() model:save(folder, {max_shard_size = "5 apples"}) end)
end)

test("an estimate of memory", function()
  local model = apo.new_model(config())
  local estimate, text = apo.memory_estimate{
    policy = model, batch_size = 8, prompt_tokens = 6, max_tokens = 10,
  }
  eq(estimate.weights, 4 * model:num_parameters())
  eq(estimate.optimizer, 8 * model:num_parameters())
  assert(estimate.fits and #estimate.advice == 0)
  assert(estimate.total > estimate.needed and estimate.available > estimate.needed)
  assert(text:find("^memory: about .* available$"), text)
  local sizes = config()
  sizes.hidden_size, sizes.intermediate_size, sizes.vocab_size = 64, 128, 64
  local wide = apo.new_model(sizes)
  local halves = apo.memory_estimate{policy = wide, reference_dtype = "bfloat16"}
  assert(halves.reference < apo.memory_estimate{policy = wide}.reference * 0.6)
  eq(apo.memory_estimate{policy = model, reference = false}.reference, 0)
  eq(apo.memory_estimate{policy = model, train = false}.update, 0)
  eq(apo.memory_estimate{policy = model:clone{dtype = "bfloat16"}}.optimizer, 0)
  local huge = apo.memory_estimate{
    policy = model, batch_size = 1 << 23, max_tokens = 1 << 14, micro_batch = 1 << 22,
  }
  assert(not huge.fits)
  assert(huge.advice[1]:find("^micro_batch = 16 %(saves "), huge.advice[1])
  raises("no/such/folder/config.json",
    function() apo.memory_estimate{policy = "no/such/folder"} end)
  raises("memory_estimate: batch_size = 1048576 with n = 1048576 is too much",
    function() apo.memory_estimate{policy = model, batch_size = 1 << 20, n = 1 << 20} end)

  local folder = temporary .. "/large"  -- the sizes of Llama 3 8B
  apo.system.make_folder(folder)
  apo.json.write(folder .. "/config.json", {
    model_type = "llama", hidden_size = 4096, num_hidden_layers = 32, num_attention_heads = 32,
    num_key_value_heads = 8, intermediate_size = 14336, vocab_size = 128256, max_position_embeddings = 8192,
  })
  for _, fresh in ipairs{true, false} do
    for _, kv_cache_dtype in ipairs{"float32", "bfloat16"} do
      for tokens = 0, 24, 4 do
        local ok, result = pcall(apo.memory_estimate, {
          policy = folder, fresh = fresh, kv_cache_dtype = kv_cache_dtype, batch_size = 1 << 24,
          prompt_tokens = 1 << tokens, max_tokens = 1 << tokens,
        })
        if ok then
          assert(result.total > 0 and not result.fits)
        else
          assert(tokens > 8, result)
          local expected = ("memory_estimate: batch_size = 16777216, n = 1, prompt_tokens = %d and "
            .. "max_tokens = %d with models of 16060522496 weights may come to more than 2^60 bytes; "
            .. "smaller ones expected"):format(1 << tokens, 1 << tokens)
          assert(result:find(expected, 1, true), result)
        end
      end
    end
  end
end)
