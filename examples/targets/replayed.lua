-- Off-policy: a policy learns from the completions of another run, without sampling. Only at the
-- first step are its weights those that sampled them; after that, V* changes the gradient's
-- direction too, not only its variance (docs/algorithm.md).
local apo = require "apo"
local common = dofile((arg[0]:match("^.*/") or "") .. "common.lua")

local dir = os.tmpname()
os.remove(dir)
common.train{dir = dir}

local student = common.reference:clone()
local optimizer = apo.optim.adamw(student, {lr = 2e-4, weight_decay = 0.01})
for step, rollout, samples in apo.recorded(dir) do
  local target, ref_logp = {}, {}
  for i, s in ipairs(samples) do target[i], ref_logp[i] = s.reward - s.value, s.ref_logp end
  local logp = student:logprobs(rollout)
  local loss = ((1e-3 * (logp - apo.tensor(ref_logp)) - apo.tensor(target)) ^ 2):mean()
  loss:backward()
  optimizer:step{max_grad_norm = 1}
  if step % 8 == 0 then print(("step %d  loss %.3f"):format(step, loss:item())) end
end
apo.system.remove_folder(dir)
print(("accuracy of the student %.3f"):format(apo.evaluate{
  model = student, data = common.test, reward = common.reward, n = 4, temperature = 1,
  max_tokens = common.longest, quiet = true,
}.mean))
