-- Makes the countdown task of examples/compare.lua: the problems, and a model pre-trained on
-- answers.
--
-- A problem is "3 7 12=33:" and an answer "7*3+12": each number once, no brackets. Half of the
-- answers that the model sees are right; the others use the numbers in random order, with random
-- operators. It learns both, and about a quarter of its sampled answers are right. Test problems
-- are not trained on.
--
--   apo-lua compare/pretrain.lua FOLDER [STEPS]
local apo = require "apo"
apo.seed(1)
local folder, steps = arg[1], tonumber(arg[2] or 800)

local operators, random = {"+", "-", "*"}, math.random
local function expression(a, b, c)
  return a .. operators[random(3)] .. b .. operators[random(3)] .. c
end

local function guess(numbers)
  local order = ({{1, 2, 3}, {1, 3, 2}, {2, 1, 3}, {2, 3, 1}, {3, 1, 2}, {3, 2, 1}})[random(6)]
  return expression(numbers[order[1]], numbers[order[2]], numbers[order[3]])
end

local function problem()
  while true do
    local numbers = {random(20), random(20), random(20)}
    local solution = expression(table.unpack(numbers))
    local target = load("return " .. solution)()
    if target > 0 and target < 1000 then
      -- so that their order does not give the answer away
      table.sort(numbers)
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
  tie_word_embeddings = true, rms_norm_eps = 1e-5,
  tokenizer = apo.char_tokenizer{alphabet = "0123456789+-*=: "},
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
    local answer = random() < 0.5 and row.solution or guess(row.numbers)
    batch[i] = {prompt = row.prompt, text = answer, eos = true}
  end
  optimizer.lr = rate(step)
  local loss = -model:logprobs(apo.rollout(batch, {tokenizer = model.tokenizer})):mean()
  loss:backward()
  optimizer:step{max_grad_norm = 1}
  bar:advance(1, ("loss %.3f"):format(loss:item()))
end
bar:finish()
model:save(folder .. "/model")
