-- On-policy distillation (arXiv 2306.13649): the student samples, the teacher scores every token,
-- and the student moves towards the teacher: a policy gradient of the reverse KL per token.
local apo = require "apo"
apo.seed(1)
local examples = (arg[0]:match("^(.*/)") or "") .. "../"
local steps, dir = tonumber(arg[1]) or 60, arg[2] or "runs/distill"

local teacher   = apo.load(arg[3] or examples .. "models/arithmetic"):freeze()
local student   = apo.new_model{
  model_type = "llama", hidden_size = 64, num_hidden_layers = 2, num_attention_heads = 4,
  num_key_value_heads = 4, intermediate_size = 176, max_position_embeddings = 64,
  tie_word_embeddings = true, rms_norm_eps = 1e-5, tokenizer = teacher.tokenizer,
}
local optimizer = apo.optim.adamw(student, {lr = 1e-3})
local train     = apo.dataset(examples .. "data/arithmetic/train.jsonl")

local run = apo.run{
  dir = dir, total = steps, data = train, batch_size = 64, epochs = 100,
  save = {student = student, optimizer = optimizer}, settings = {lr = 1e-3},
}
for _, rows in run:steps() do
  local rollout = student:generate(rows, {max_tokens = 6})
  local logp    = student:logprobs(rollout, {per_token = true})
  local gap     = teacher:logprobs(rollout, {per_token = true}) - logp:detach()
  local loss    = -(gap * logp):mean()
  loss:backward()
  run:log{reverse_kl = -gap:mean(), loss = loss, grad_norm = optimizer:step{max_grad_norm = 1}}
end
print(("reverse KL %.3f nats per token after %d steps"):format(run.metrics.reverse_kl, run.step))
