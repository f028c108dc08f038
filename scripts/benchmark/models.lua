-- The models of the benchmark: Qwen2's architecture, tied embeddings, random weights from a fixed seed, float32, saved
-- as Hugging Face folders that all engines read. Q has the sizes of Qwen2.5-0.5B; `tiny` is for trying a row out.
local apo = require "apo"

local models = {
  T = {hidden_size = 256, num_hidden_layers = 4, num_attention_heads = 4, num_key_value_heads = 2,
       intermediate_size = 1024, vocab_size = 512},
  S = {hidden_size = 512, num_hidden_layers = 8, num_attention_heads = 8, num_key_value_heads = 4,
       intermediate_size = 1408, vocab_size = 8192},
  Q = {hidden_size = 896, num_hidden_layers = 24, num_attention_heads = 14, num_key_value_heads = 2,
       intermediate_size = 4864, vocab_size = 151936},
  tiny = {hidden_size = 64, num_hidden_layers = 2, num_attention_heads = 2, num_key_value_heads = 1,
          intermediate_size = 96, vocab_size = 128},
}

-- Weights that multiply: of all layers, of the head, and of a layer behind its attention. The tied table counts once, as
-- the head.
local function weights(size)
  local kv = size.hidden_size // size.num_attention_heads * size.num_key_value_heads
  local layer = 2 * size.hidden_size ^ 2 + 2 * size.hidden_size * kv
    + 3 * size.hidden_size * size.intermediate_size
  return layer * size.num_hidden_layers, size.hidden_size * size.vocab_size,
    size.hidden_size ^ 2 + 3 * size.hidden_size * size.intermediate_size
end

-- The folder of a model, which is made the first time.
local function folder(name, under)
  local path = under .. "/" .. name
  if apo.system.exists(path .. "/config.json") then return path end
  local config = {model_type = "qwen2", tie_word_embeddings = true, max_position_embeddings = 1024, seed = 1}
  for key, value in pairs(models[name]) do config[key] = value end
  apo.new_model(config):save(path)
  return path
end

return {sizes = models, weights = weights, folder = folder}
