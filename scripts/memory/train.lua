-- The most that the process holds in a short training, and what was predicted.
--
-- Arguments: full (A*-PO), lora (A*-PO) or the name of an algorithm; the model: small (18M random
-- weights), 135m (random ones too) or a folder; prompts of a step; tokens of a completion; a folder
-- to record the run in, if it is to be recorded.

local apo = require "apo"

local kind, shape = arg[1] or "full", arg[2] or "small"
local batch_size, max_tokens = math.tointeger(arg[3] or 8), math.tointeger(arg[4] or 16)

local config = ({
  small = {hidden_size = 256, num_hidden_layers = 8, num_attention_heads = 4,
           num_key_value_heads = 2, intermediate_size = 704},
  ["135m"] = {hidden_size = 576, num_hidden_layers = 30, num_attention_heads = 9,
              num_key_value_heads = 3, intermediate_size = 1536},
})[shape]

local function model()
  if not config then return apo.load(shape) end
  config.model_type, config.vocab_size, config.tie_word_embeddings = "llama", 49152, true
  config.max_position_embeddings = 2048
  config.tokenizer = apo.char_tokenizer{alphabet = "0123456789+="}
  return apo.new_model(config)
end

local function resident_peak()
  for line in io.lines "/proc/self/status" do
    local kilobytes = line:match "^VmHWM:%s+(%d+) kB"
    if kilobytes then return tonumber(kilobytes) * 1024 end
  end
  error "/proc/self/status says no VmHWM"
end

apo.seed(1)
local policy = model()
if kind == "lora" then policy:add_adapter{r = 16, target_modules = "all-linear"} end

local rows = {}
for i = 1, 3 * batch_size do
  local ids = {}
  for k = 1, 24 do ids[k] = 1 + (i * 31 + k * 7) % 1000 end
  rows[i] = {prompt = ids}
end

local own = {grpo = {n = 4}, oapl = {n = 4}}
local algorithm = kind ~= "full" and kind ~= "lora" and apo.algorithms[kind](own[kind] or {}) or nil
local options = {
  policy = policy, data = apo.dataset(rows), lr = 1e-4, batch_size = batch_size, max_steps = 3,
  max_tokens = max_tokens, ignore_eos = true, algorithm = algorithm,
  dir = arg[5],
  reward = function(_, completion) return completion.ids[1] % 2 end,
  target = not algorithm and function(s) return s.reward end or nil,
}

-- The first line that apo.train shows is the estimate.
local show, said = print, nil
function print(...)
  said = said or (...):match "^memory: .*"
  show(...)
end
apo.train(options)
print = show

local number, unit = said:match "about ([%d.]+) (%a+)"
local predicted = tonumber(number) * (unit == "GB" and 1e9 or 1e6)
print(("%s %s: peak %.0f MB, predicted %.0f MB (%.3f of the peak)"):format(
  kind, shape, resident_peak() / 1e6, predicted / 1e6, predicted / resident_peak()))
