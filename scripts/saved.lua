-- The part of scripts/prove_saved that apo-lua does: trains models, saves them, says what they compute when loaded again.
--
--   apo-lua saved.lua OUT FOLDER …     the first folder's tokenizer is also that of the new models

local apo = require "apo"
apo.seed(1)

local out, folders = arg[1], {table.unpack(arg, 2)}
local formats = {
  {name = "float32", options = {}},
  {name = "bfloat16", options = {dtype = "bfloat16"}},
  {name = "float16", options = {dtype = "float16"}},
  {name = "shards", options = {dtype = "float32", max_shard_size = 20000}},
}
local texts = {"12 + 34 = ", "7*8=", "1", "3 - 15", " 22 +  9"}
local sizes = {
  hidden_size = 32, intermediate_size = 48, num_hidden_layers = 2, num_attention_heads = 4, num_key_value_heads = 2,
  max_position_embeddings = 128, initializer_range = 0.2,
}
local families = {
  {model_type = "gpt2", n_embd = 32, n_layer = 2, n_head = 4, n_positions = 128, initializer_range = 0.2},
  {model_type = "llama", attention_bias = true, mlp_bias = true,
    rope_scaling = {rope_type = "llama3", factor = 4.0, low_freq_factor = 1.0, high_freq_factor = 4.0,
      original_max_position_embeddings = 32}},
  {model_type = "mistral", sliding_window = 6},
  {model_type = "olmo2", head_dim = 16},
  {model_type = "smollm3", num_hidden_layers = 4},
  {model_type = "qwen2", tie_word_embeddings = true},
  {model_type = "qwen3", head_dim = 16, rope_theta = 1000000.0},
}

--- Three steps, so that no weight is what it was at the start.
local function train(model)
  local optimizer = apo.optim.adamw(model, {lr = 1e-2})
  for step = 1, 3 do
    local rollout = model:generate(texts, {n = 2, max_tokens = 8, seed = step, step = step, ignore_eos = true})
    local loss = (model:logprobs(rollout) * apo.randn(#rollout)):mean()
    loss:backward()
    optimizer:step()
  end
end

--- Ids of tokens; a model may have rows that belong to none.
local function known(ids, count)
  local result = {}
  for _, id in ipairs(ids) do
    if id < count then result[#result + 1] = id end
  end
  return result
end

local cases = {}

--- Saves the model in every format and notes what the folders compute.
local function prove(name, model)
  train(model)
  for _, format in ipairs(formats) do
    local folder = ("%s/%s-%s"):format(out, name, format.name)
    model:save(folder, format.options)
    local saved = apo.load(folder)
    local tokenizer = saved.tokenizer
    local rollout = saved:generate(texts, {max_tokens = 16, temperature = 0, ignore_eos = true})
    local case = {folder = folder, name = name, format = format.name, texts = {}}
    for i, text in ipairs(texts) do
      local ids = tokenizer:encode(text)
      case.texts[i] = {
        text = text, ids = ids, logits = saved:logits(ids):reshape(-1):totable(), greedy = rollout[i].ids,
        decoded = tokenizer:decode(known(rollout[i].ids, #tokenizer)),
      }
    end
    cases[#cases + 1] = case
  end
end

for _, family in ipairs(families) do
  local config = {tokenizer = folders[1]}
  for key, value in pairs(family.model_type == "gpt2" and {} or sizes) do config[key] = value end
  for key, value in pairs(family) do config[key] = value end
  prove(family.model_type, apo.new_model(config))
end
for i, folder in ipairs(folders) do
  prove(folder:match("([^/]+)/*$") or "model-" .. i, apo.load(folder))
end
apo.json.write(out .. "/cases.json", cases)
