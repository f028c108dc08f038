-- Speed on models with random weights, as ratios to the machine's limit measured in the same run. See scripts/bench.
--
-- Work is counted as 2 operations per weight and token, 6 with the backward pass; attention is not counted. The limit is
-- the rate of large products on the engine's own kernel, with all threads.
--
-- apo-lua bench.lua [T | S | Q] [folder to save the model in]
local apo = require "apo"
apo.seed(1)

local models = {                                      -- sizes as in docs/performance.md
  T = {hidden_size = 256, num_hidden_layers = 4, num_attention_heads = 4, num_key_value_heads = 2,
       intermediate_size = 1024, vocab_size = 512, batches = {1, 16, 64}, new = 128, train = 32},
  S = {hidden_size = 512, num_hidden_layers = 8, num_attention_heads = 8, num_key_value_heads = 4,
       intermediate_size = 1408, vocab_size = 8192, batches = {1, 16, 64}, new = 128, train = 32},
  Q = {hidden_size = 896, num_hidden_layers = 24, num_attention_heads = 14, num_key_value_heads = 2,
       intermediate_size = 4864, vocab_size = 151936, batches = {1, 8, 16}, new = 32, train = 2},
}
local prompt_length = 64

local function median(times, f)
  local seconds = {}
  for i = 1, times do
    local start = apo.system.clock()
    f()
    seconds[i] = apo.system.clock() - start
  end
  table.sort(seconds)
  return seconds[(times + 1) // 2]
end

local function ids(count, vocabulary, offset)
  local list = {}
  for i = 1, count do list[i] = (i * 7 + offset * 31) % math.min(vocabulary, 500) end
  return list
end

-- Floating-point operations per second of large products: a wide layer on many short sequences, at its best.
local function limit()
  local layer = apo.new_model{
    model_type = "llama", hidden_size = 1024, num_hidden_layers = 1, num_attention_heads = 16,
    intermediate_size = 4096, vocab_size = 16, max_position_embeddings = 64,
  }:freeze()
  local records = {}
  for i = 1, 64 do records[i] = {prompt_ids = ids(32, 16, i), ids = {1}} end
  local rollout = apo.rollout(records)
  local best = math.huge
  for _ = 1, 10 do best = math.min(best, median(1, function() layer:logprobs(rollout) end)) end
  return 2 * 64 * 32 * (4 * 1024 ^ 2 + 3 * 1024 * 4096) / best
end

local function report(row, seconds, tokens, work, peak)
  print(("  %-22s %9.3f s %9.0f tokens/s %7.0f GFLOP/s %5.0f %% of the limit"):format(
    row, seconds, tokens / seconds, work / seconds / 1e9, 100 * work / seconds / peak))
end

local function bench(name, folder)
  local size = models[name]
  local config = {model_type = "qwen2", tie_word_embeddings = true, max_position_embeddings = 1024}
  for key, value in pairs(size) do if math.type(value) == "integer" then config[key] = value end end
  config.new, config.train = nil, nil
  local model = apo.new_model(config)
  if folder then model:save(folder .. "/" .. name) end
  local weights = 0                                   -- those that multiply: the tied table counts once, as the head
  for _, w in model:named_parameters() do if #w:shape() == 2 then weights = weights + w:numel() end end
  local peak = limit()
  print(("%s: %.1f M weights, limit %.0f GFLOP/s"):format(name, weights / 1e6, peak / 1e9))

  for _, batch in ipairs(size.batches) do
    local prompts = {}
    for i = 1, batch do prompts[i] = ids(prompt_length, size.vocab_size, i) end
    local seconds = median(3, function()
      model:generate(prompts, {max_tokens = size.new, ignore_eos = true, seed = 1, step = 1})
    end)
    report("generate, batch " .. batch, seconds, batch * size.new,
      2 * weights * batch * (prompt_length + size.new), peak)
  end

  local records = {}
  for i = 1, size.train do
    records[i] = {prompt_ids = ids(prompt_length, size.vocab_size, i), ids = ids(128, size.vocab_size, i + 1)}
  end
  local rollout = apo.rollout(records)
  local tokens = size.train * (prompt_length + 128)
  report("score", median(3, function()
    apo.no_grad(function() return model:logprobs(rollout) end)
  end), tokens, 2 * weights * tokens, peak)

  local optimizer = apo.optim.adamw(model, {lr = 1e-4})
  report("train", median(3, function()
    model:logprobs(rollout):mean():backward()
    optimizer:step{max_grad_norm = 1}
  end), tokens, 6 * weights * tokens, peak)
end

print("threads: " .. (os.getenv("APO_THREADS") or apo.system.cores()))
bench(arg[1] or "T", arg[2])
local _, peak = apo.system.memory()
print(("peak memory %.0f MB"):format(peak / 2 ^ 20))
