-- Real problems with the authors' settings, end to end on a tiny model: no answer will be right.
local spec = ...
local apo = require "apo"
local equal = spec.equal

apo.seed(1)
local policy = apo.load(spec.fixtures .. "/models/tiny-qwen2-tied")
local data = apo.dataset(spec.fixtures .. "/data/gsm8k/train.jsonl", {prompt = apo.presets.gsm8k_prompt})
equal(#data, 7473)
assert(data[1].prompt:find("and May? Let's think step by step and output the final answer after", 1, true))
local short = apo.presets.longest_prompt(data:take(20), policy.tokenizer, 150)
assert(#short > 4 and #short < 20)
local few = short:take(4)

local flexible = apo.rewards.gsm8k{mode = "flexible"}
local values = apo.estimate_values(apo.presets.values{
  model = policy, data = few, reward = flexible, n = 2, max_tokens = 8, quiet = true,
})
local result = apo.train(apo.presets.gsm8k{
  policy = policy, data = few, values = values, reward = apo.rewards.gsm8k(), batch_size = 4,
  mini_batch = 2, epochs = 2, max_tokens = 8, quiet = true,
})
equal({result.steps, result.metrics.reward}, {2, 0.0})
assert(result.metrics.entropy > 1 and result.metrics.learning_rate == 1e-6)

-- The data's own solutions are right by both rules.
local strict = apo.rewards.gsm8k()
for i = 1, 200 do
  equal(strict(data[i], {text = data[i].answer}), 1)
end
