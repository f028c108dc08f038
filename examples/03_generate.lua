-- Sample completions from a language model, and compute their log-probabilities.
local apo = require "apo"
apo.seed(1)
local here = arg[0]:match("^(.*/)") or ""

-- any Hugging Face folder of a known family
local model = apo.load(here .. "models/arithmetic")
print(model)
print("token ids of '128+346=':", table.concat(model.tokenizer:encode("128+346="), " "))

-- A rollout holds n completions of every prompt. temperature = 0 would always take the most likely
-- token.
local rollout = model:generate({"128+346=", "457+268="}, {n = 3, max_tokens = 6, temperature = 1})
for i, completion in ipairs(rollout) do
  print(("%d  %s%-5s ended by %s, probability %.3f"):format(
    i, completion.prompt, completion.text, completion.finish_reason, math.exp(completion.logprob)))
end

-- The same log-probabilities as a differentiable tensor: every loss is built from it.
local logp = model:logprobs(rollout)
print("scored again:", logp)
print("difference from the sampler:", (logp - rollout:logprobs()):abs():max():item())

-- Given text is scored in the same way; the negative is the loss of supervised fine-tuning.
local recorded = apo.rollout{
  {prompt = "128+346=", text = "474", eos = true}, {prompt = "128+346=", text = "999", eos = true},
}
print("right and wrong answer:", model:logprobs(recorded))
