-- Pre-trains the model that examples/train.lua starts from, and writes the problems that it is
-- trained and tested on.
--
-- The model imitates a crowd of imperfect solvers of additions such as 457+268= (every problem has
-- a carry): 30 % add correctly, 50 % forget the carries, 20 % are off by one in some digit. It
-- learns all three behaviours well, so about 30 % of its sampled answers are right: the skill is
-- there, and reinforcement learning has to bring it out. It is a test bench and not a general
-- model.
--
-- It takes seven minutes on two busy cores: apo-lua pretrain.lua [FOLDER for the model and data]
local apo = require "apo"
apo.seed(1)
local folder = arg[1] or arg[0]:match("^(.*)/") or "."

local function problem()
  while true do
    local a, b = math.random(100, 999), math.random(100, 999)
    local carries = a % 10 + b % 10 > 9 or a // 10 % 10 + b // 10 % 10 > 9
    if carries and a + b < 1000 then return a, b end
  end
end

local function without_carries(a, b)
  local sum = 0
  for _, place in ipairs{1, 10, 100} do
    sum = sum + (a // place % 10 + b // place % 10) % 10 * place
  end
  return sum
end

local function off_by_one(a, b)
  local place = 10 ^ math.random(0, 2) // 1 | 0
  local digit = (a + b) // place % 10
  local wrong = (digit + (math.random() < 0.5 and 1 or 9)) % 10
  return a + b + (wrong - digit) * place
end

local function crowd(a, b)
  local who = math.random()
  if who < 0.3 then return a + b end
  return who < 0.8 and without_carries(a, b) or off_by_one(a, b)
end

-- The problems for reinforcement learning: 4,096 to train on and 512 others to test on.
local seen = {}
local function write(path, count)
  local lines = {}
  while #lines < count do
    local a, b = problem()
    local prompt = ("%d+%d="):format(a, b)
    if not seen[prompt] then
      seen[prompt] = true
      lines[#lines + 1] = apo.json.encode{prompt = prompt, answer = tostring(a + b)}
    end
  end
  apo.system.write_file(path, table.concat(lines, "\n") .. "\n")
end
apo.system.make_folder(folder .. "/data/arithmetic")
write(folder .. "/data/arithmetic/test.jsonl", 512)
write(folder .. "/data/arithmetic/train.jsonl", 4096)

local model = apo.new_model{
  model_type = "llama", hidden_size = 128, num_hidden_layers = 4, num_attention_heads = 4,
  num_key_value_heads = 4, intermediate_size = 352, max_position_embeddings = 64,
  tie_word_embeddings = true, rms_norm_eps = 1e-5,
  tokenizer = apo.char_tokenizer{alphabet = "0123456789+="},
}
print(("%d weights"):format(model:num_parameters()))

local steps, batch_size = 2000, 192
local optimizer = apo.optim.adamw(model, {lr = 2e-3, weight_decay = 0.01, betas = {0.9, 0.98}})
local rate = apo.schedule.cosine{lr = 2e-3, warmup_steps = 100, total_steps = steps}
local started = apo.system.clock()
for step = 1, steps do
  local batch = {}
  for i = 1, batch_size do
    local a, b = problem()
    batch[i] = {prompt = ("%d+%d="):format(a, b), text = tostring(crowd(a, b)), eos = true}
  end
  optimizer.lr = rate(step)
  local logp = model:logprobs(apo.rollout(batch, {tokenizer = model.tokenizer}))
  -- supervised learning: the negative log-likelihood
  local loss = -logp:mean()
  loss:backward()
  local norm = optimizer:step{max_grad_norm = 1}
  if step % 50 == 0 then
    print(("step %4d  loss %.3f  grad_norm %.2f  %.0f s"):format(
      step, loss:item(), norm, apo.system.clock() - started))
  end
end

model:save(folder .. "/models/arithmetic", {dtype = "bfloat16"})
local test = apo.dataset(folder .. "/data/arithmetic/test.jsonl")
local function reward(row, completion) return completion.text == row.answer and 1 or 0 end
print("sampled accuracy", apo.evaluate{
  model = apo.load(folder .. "/models/arithmetic"), data = test, reward = reward,
  n = 8, temperature = 1, max_tokens = 6,
}.mean)
