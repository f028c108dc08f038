-- The value model against Hugging Face's LlamaForSequenceClassification (transformers 5.23, torch 2.15)
-- on the model of the examples with a head of known numbers: values, loss and norm of the gradient
-- of mean(v^2).
local spec = ...
local apo = require "apo"
local equal, close, raises = spec.equal, spec.close, spec.raises

local folder = spec.checkout .. "/examples/models/arithmetic"
local critic = apo.load_value_model(folder)
local rollout = apo.rollout{{prompt_ids = {3, 5, 7}, ids = {4, 2, 9}}, {prompt_ids = {6}, ids = {8, 1}}}

equal(critic:values(rollout):totable(), {0.0, 0.0, 0.0, 0.0, 0.0})   -- the head starts with zeros

local head, numbers = critic:parameter("score.weight"), {}
for i = 1, head:numel() do numbers[i] = (i * 37 % 101 - 50) / 1000 end
apo.no_grad(function() head:copy_(apo.tensor(numbers):reshape(1, -1)) end)

local function gradient(options)
  for _, parameter in ipairs(critic:parameters()) do parameter.grad = nil end
  local value = critic:values(rollout, options)
  local loss, squares = (value ^ 2):mean(), 0
  loss:backward()
  for _, parameter in ipairs(critic:parameters()) do
    squares = squares + (parameter.grad ^ 2):sum():item()
  end
  return value:totable(), loss:item(), squares ^ 0.5
end

local expected = {0.98195165, 0.79707217, 0.98198193, 1.01981544, 0.99324054}
for _, options in ipairs{{}, {micro_batch = 1}} do
  local values, loss, norm = gradient(options)
  for i, value in ipairs(values) do close(value, expected[i], 1e-5) end
  close(loss, 0.91807842, 1e-5)
  close(norm / 26.0334778, 1, 1e-5)
end

-- The value before a token does not depend on that token or on later ones.
local other = apo.rollout{{prompt_ids = {3, 5, 7}, ids = {4, 6, 1}}}
local values = critic:values(other):totable()
close(values[2], expected[2], 1e-5)
assert(math.abs(values[3] - expected[3]) > 1e-3)

-- Saved and read again: the same bits, under the class that reads such a head.
critic:save(spec.folder .. "/critic")
local again = apo.load_value_model(spec.folder .. "/critic")
equal(again:checksum(), critic:checksum())
equal(apo.json.read(spec.folder .. "/critic/config.json").architectures,
  {"LlamaForSequenceClassification"})
raises("'score.weight'", apo.load, spec.folder .. "/critic")
raises("the value model has no 'lm_head'", critic.parameter, critic, "lm_head")
raises("the token ids of completion 1 are not known yet", critic.values, critic,
  apo.rollout{{prompt = "1+1=", text = "2"}})
raises("values: completion 1: token id 99999 is outside of", critic.values, critic,
  apo.rollout{{prompt_ids = {1}, ids = {99999}}})

-- A copy of a language model is its own: training it leaves the other alone.
local policy = apo.load(folder)
local before = policy:checksum()
local copy = apo.load_value_model(policy)
assert(copy:num_parameters() == policy:num_parameters() + head:numel())
local optimizer = apo.optim.adamw(copy:parameters(), {lr = 1e-2})
for _ = 1, 3 do
  ((copy:values(rollout) - 1) ^ 2):mean():backward()
  optimizer:step()
end
assert(copy:values(rollout):mean():item() > 0.1)
equal(policy:checksum(), before)
