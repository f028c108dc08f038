-- One run of examples/compare.lua, as a separate process: one task, algorithm, learning rate and
-- seed.
--
--   apo-lua compare/run.lua TASK ALGORITHM LR SEED SECONDS RESULT.json WORK_FOLDER SHARED_FOLDER
--
-- Time is counted for stage 1 of A*-PO and for the training steps, not for reading files and
-- testing. Peak memory is read before the KL is measured, because that needs the reference, which
-- some algorithms do without.
local apo = require "apo"
local name, algorithm, lr, seed, limit, path, work, shared = table.unpack(arg)
local here = arg[0]:match("^(.*/)")
local tasks = dofile(here .. "tasks.lua")
local task = tasks[name]{examples = here .. "../", work = work, shared = shared}
lr, seed, limit = tonumber(lr), math.tointeger(seed), tonumber(limit)
apo.seed(seed)

-- sequences per backward pass: bounds the memory of every algorithm
local micro_batch = 64
local policy = apo.load(task.model)
local sampling = {max_tokens = task.max_tokens, temperature = task.temperature}
local clock, tokens, points = 0, 0, {}

local function reward(row, completion)                     -- also counts the sampled tokens
  tokens = tokens + #completion.ids
  return task.reward(row, completion)
end

-- The test completions, in batches no larger than a step's, so that testing does not determine the
-- peak memory.
local function test_rollouts()
  local list = {}
  for _, rows in task.test:batches{size = task.batch_size} do
    list[#list + 1] = policy:generate(rows, {
      n = task.test_samples, seed = 1, step = 0, max_tokens = sampling.max_tokens,
        temperature = sampling.temperature})
  end
  return list
end

local function accuracy()
  local sum, count = 0, 0
  for _, rollout in ipairs(test_rollouts()) do
    sum, count = sum + apo.score(rollout, task.reward):sum():item(), count + #rollout
  end
  return sum / count
end

local function measure(steps)
  points[#points + 1] = {seconds = clock, tokens = tokens, steps = steps, reward = accuracy()}
end

-- nats per completion, over the test completions
local function kl()
  local reference, sum, count = apo.load(task.model), 0, 0
  for _, rollout in ipairs(test_rollouts()) do
    sum = sum + (rollout:logprobs() - reference:logprobs(rollout)):sum():item()
    count = count + #rollout
  end
  return sum / count
end

measure(0)
local values, stage1 = nil, 0
if algorithm == "astarpo" then
  local started = apo.system.clock()
  values = apo.estimate_values{
    model = policy, data = task.train, reward = reward, n = 8, beta = 0.5, quiet = true,
    batch_size = task.batch_size,
    max_tokens = sampling.max_tokens, temperature = sampling.temperature,
  }
  stage1 = apo.system.clock() - started
  clock = stage1
  measure(0)
end

-- The authors' critic has a learning rate of 1e-5 for a policy at 1e-6; here it has the policy's,
-- as in TRL.
local with_options = algorithm == "ppo" and apo.algorithms.ppo{critic_lr = lr} or algorithm
local due = clock + limit / 12
apo.train{
  policy = policy, algorithm = with_options, data = task.train, values = values, reward = reward,
  lr = lr, batch_size = task.batch_size, micro_batch = micro_batch, epochs = 1000000, quiet = true,
  seed = seed,
  max_tokens = sampling.max_tokens, temperature = sampling.temperature,
  on_step = function(record)
    clock = clock + record.step_time
    if clock >= math.min(due, limit) then
      measure(record.step)
      due = clock + limit / 12
    end
    return clock < limit
  end,
}

local _, peak = apo.system.memory()
local result = {task = name, algorithm = algorithm, lr = lr, seed = seed, points = points,
  stage1 = stage1,
                peak_memory = peak, kl = kl()}
apo.system.write_file(path, apo.json.encode(result) .. "\n")
print(("%-10s %-8s lr %g seed %d: %.3f after %d steps, KL %.1f"):format(
  name, algorithm, lr, seed, points[#points].reward, points[#points].steps, result.kl))
