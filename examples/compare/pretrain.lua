-- Makes the countdown task of examples/compare.lua: problems, and a model that has seen solutions for a minute.
--
-- A problem is "7 3 12=33:", an answer "7*3+12": each number once, no brackets. The model learns from random problems
-- with one of their solutions, until a sampled answer is right in about a third of cases; the test problems are others.
--
--   apo-lua compare/pretrain.lua FOLDER [STEPS]
local apo = require "apo"
apo.seed(1)
local folder, steps = arg[1], tonumber(arg[2] or 600)

local operators = {"+", "-", "*"}
local function problem()
  local random = math.random
  while true do
    local numbers = {random(20), random(20), random(20)}
    local solution = numbers[1] .. operators[random(3)] .. numbers[2] .. operators[random(3)] .. numbers[3]
    local target = load("return " .. solution)()
    if target > 0 and target < 1000 then
      table.sort(numbers)                                  -- their order must not give the answer away
      local prompt = ("%d %d %d=%d:"):format(numbers[1], numbers[2], numbers[3], target)
      return {prompt = prompt, numbers = numbers, target = target, solution = solution}
    end
  end
end

local seen = {}
local function write(name, count)
  local lines = {}
  while #lines < count do
    local row = problem()
    if not seen[row.prompt] then
      seen[row.prompt] = true
      lines[#lines + 1] = apo.json.encode(row)
    end
  end
  apo.system.write_file(("%s/%s.jsonl"):format(folder, name), table.concat(lines, "\n") .. "\n")
end

local model = apo.new_model{
  model_type = "llama", hidden_size = 128, num_hidden_layers = 4, num_attention_heads = 4,
  num_key_value_heads = 4, intermediate_size = 352, max_position_embeddings = 64,
  tie_word_embeddings = true, rms_norm_eps = 1e-5, tokenizer = apo.char_tokenizer{alphabet = "0123456789+-*=: "},
}
local optimizer = apo.optim.adamw(model, {lr = 2e-3, weight_decay = 0.01, betas = {0.9, 0.98}})
local rate = apo.schedule.cosine{lr = 2e-3, warmup_steps = steps // 5, total_steps = steps}
apo.system.make_folder(folder)
write("test", 256)
write("train", 512)
local bar = apo.progress{title = "pretraining", total = steps}
for step = 1, steps do
  local batch = {}
  for i = 1, 192 do
    local row = problem()
    while seen[row.prompt] do row = problem() end
    batch[i] = {prompt = row.prompt, text = row.solution, eos = true}
  end
  optimizer.lr = rate(step)
  local loss = -model:logprobs(apo.rollout(batch, {tokenizer = model.tokenizer})):mean()
  loss:backward()
  optimizer:step{max_grad_norm = 1}
  bar:advance(1, ("loss %.3f"):format(loss:item()))
end
bar:finish()
model:save(folder .. "/model")
