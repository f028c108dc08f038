-- A*-PO on GSM8K (Cobbe et al. 2021) with the authors' settings. They trained Qwen2.5-1.5B for 25
-- epochs; here, use the model and time you have.
--
--   apo-lua examples/gsm8k.lua models/Qwen2.5-0.5B data/gsm8k limit=512 batch_size=64 epochs=2
--
-- The second folder holds train.jsonl and test.jsonl as OpenAI published them (question, answer).
-- These options can be set on the command line; the values are their defaults.
local apo = require "apo"
local options = {
  limit = 0, test = 0,                  -- rows of each file; 0 is all of them
  n = 8, batch_size = 256, epochs = 25, lr = 1e-6, max_tokens = 1024, max_prompt = 256,
  -- sequences per backward pass: bounds memory, changes results only by rounding
  micro_batch = 8,
  format_score = 0,                     -- reward for giving an answer at all, right or wrong
  drop_unsolved = false,                -- drop problems that no sample of stage 1 solved
  seed = 1, dir = "runs/gsm8k", resume = false,
}

local model_folder, data_folder = arg[1], arg[2]
if not data_folder then error("usage: gsm8k.lua MODEL_FOLDER GSM8K_FOLDER [name=value …]", 0) end
for i = 3, #arg do
  local name, text = arg[i]:match("^([%w_]+)=(.*)$")
  local kind = type(options[name])
  local value = text
  if kind == "number" then value = tonumber(text) end
  if kind == "boolean" then value = ({["true"] = true, ["false"] = false})[text] end
  if kind == "nil" or value == nil then error("gsm8k.lua: what is '" .. arg[i] .. "'?", 0) end
  options[name] = value
end
apo.seed(options.seed)

local policy    = apo.load(model_folder)
local reference = policy:clone():freeze()

local function read(name, limit)
  local data = apo.dataset(data_folder .. "/" .. name, {prompt = apo.presets.gsm8k_prompt})
  data = apo.presets.longest_prompt(data, policy.tokenizer, options.max_prompt)
  return limit > 0 and data:take(limit) or data
end
local train, test = read("train.jsonl", options.limit), read("test.jsonl", options.test)

-- The authors score stage 1 by the last number of a completion, and stage 2 by the number that
-- follows "#### ".
local flexible = apo.rewards.gsm8k{mode = "flexible", format_score = options.format_score}
local strict   = apo.rewards.gsm8k{mode = "strict", format_score = options.format_score}

local function accuracy(title)                             -- greedy, by both scorers
  local flexible_right, answer = apo.rewards.gsm8k{mode = "flexible"}
  local result = apo.evaluate{
    model = policy, data = test, max_tokens = options.max_tokens, title = title,
    reward = {strict = apo.rewards.gsm8k{mode = "strict"}, flexible = flexible_right},
    answer = answer,
  }
  print(("%s: %d problems, strict %.3f, flexible %.3f"):format(
    title, #test, result.rewards.strict, result.rewards.flexible))
end

accuracy("before")

local values = apo.estimate_values(apo.presets.values{     -- stage 1
  model = reference, data = train, reward = flexible, n = options.n,
  max_tokens = options.max_tokens,
  drop_unsolved = options.drop_unsolved, path = options.dir .. "/values.jsonl",
})
print(values)

apo.train(apo.presets.gsm8k{                               -- stage 2
  policy = policy, reference = reference, data = train, values = values, reward = strict,
  lr = options.lr, batch_size = options.batch_size,
  mini_batch = math.max(1, options.batch_size // 2),
  epochs = options.epochs, max_tokens = options.max_tokens, micro_batch = options.micro_batch,
  dir = options.dir .. "/run", resume = options.resume, save_every = 50,
})

accuracy("after")
policy:save(options.dir .. "/model")
