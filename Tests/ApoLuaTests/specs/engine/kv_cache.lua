-- Models whose keys and values are rounded to bfloat16.

local apo, check = require "apo", require "check"
local test, eq, raises = check.test, check.eq, check.raises

local function config(kv_cache_dtype)
  return {
    model_type = "qwen2", hidden_size = 64, num_hidden_layers = 2, num_attention_heads = 2,
    num_key_value_heads = 1, intermediate_size = 24, max_position_embeddings = 128, seed = 3,
    initializer_range = 0.2, tie_word_embeddings = true,
    tokenizer = apo.char_tokenizer{alphabet = "0123456789+="}, kv_cache_dtype = kv_cache_dtype,
  }
end

test("what is sampled is what is scored and trained", function()
  local model, exact = apo.new_model(config("bfloat16")), apo.new_model(config())
  eq(model.kv_cache_dtype, "bfloat16")
  eq(exact.kv_cache_dtype, "float32")
  eq(model.config.kv_cache_dtype, nil)
  eq(model:parameter("model.norm.weight"), exact:parameter("model.norm.weight"))
  local rollout = model:generate({{1, 2}, {3}}, {n = 3, max_tokens = 70, ignore_eos = true})
  eq(model:logprobs(rollout):detach(), rollout:logprobs())
  assert(exact:logprobs(rollout):sum():item() ~= rollout:logprobs():sum():item())
  model:logprobs(rollout):mean():backward()
  assert(model:parameter("model.layers.0.self_attn.k_proj.weight").grad)
end)

test("copies keep it, folders do not", function()
  local model = apo.new_model(config("bfloat16"))
  local reference = model:clone():freeze()
  eq(reference.kv_cache_dtype, "bfloat16")
  eq(reference:checksum(), model:checksum())
  local rollout = model:generate({{1, 2}}, {max_tokens = 9, ignore_eos = true})
  eq(reference:logprobs(rollout), rollout:logprobs())
  eq(model:clone{dtype = "bfloat16"}.kv_cache_dtype, "bfloat16")
  local folder = temporary .. "/rounded"
  model:save(folder)
  local plain = apo.load(folder)
  eq(plain.kv_cache_dtype, "float32")
  eq(plain:checksum(), apo.new_model(config()):checksum())
  assert(plain:checksum() ~= model:checksum())
  local again = apo.load(folder, {kv_cache_dtype = "bfloat16"})
  eq(again:checksum(), model:checksum())
  eq(again:logprobs(rollout):detach(), rollout:logprobs())
  model:add_adapter{r = 2}
  eq(model.kv_cache_dtype, "bfloat16")
  eq(model:base_model().kv_cache_dtype, "bfloat16")
  eq(model:logprobs(rollout):detach(), rollout:logprobs())
end)

test("the cache takes half the memory", function()
  local function cache(options)
    return apo.memory_estimate{
      policy = options.policy, kv_cache_dtype = options.kv_cache_dtype, batch_size = 8,
    }.cache
  end
  local whole = cache{policy = apo.new_model(config())}
  eq(2 * cache{policy = apo.new_model(config("bfloat16"))}, whole)
  local folder = temporary .. "/sized"
  apo.new_model(config()):save(folder)
  eq(cache{policy = folder}, whole)
  eq(2 * cache{policy = folder, kv_cache_dtype = "bfloat16"}, whole)
end)

test("other values are named", function()
  raises("new_model: field 'kv_cache_dtype' must be one of 'float32', 'bfloat16', got 'fp8'",
    function() apo.new_model(config("fp8")) end)
  raises("new_model: field 'kv_cache_dtype' must be one of 'float32', 'bfloat16', got number",
    function() apo.new_model(config(16)) end)
  raises("load: option 'kv_cache_dtype' must be one of 'float32', 'bfloat16', got 'fp8'",
    function() apo.load(temporary .. "/sized", {kv_cache_dtype = "fp8"}) end)
  raises("memory_estimate: option 'kv_cache_dtype' must be one of 'float32', 'bfloat16', got 'auto'",
    function() apo.memory_estimate{policy = temporary .. "/sized", kv_cache_dtype = "auto"} end)
end)
