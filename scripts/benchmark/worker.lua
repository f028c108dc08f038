-- One row on our engine, in a process of its own. The first line of standard input is the row's specification, as JSON;
-- each further line is a number of runs to do now. The answers are lines of JSON: the seconds of a run, and the peak
-- memory in bytes so far.
local apo = require "apo"
local kinds = {}

local function ids(count, vocabulary, offset)
  local list = {}
  for i = 1, count do list[i] = (i * 7 + offset * 31) % math.min(vocabulary, 500) end
  return list
end

local function prompts(s, vocabulary)
  local list = {}
  for i = 1, s.batch // (s.n or 1) do list[i] = ids(s.prompt, vocabulary, i) end
  return list
end

-- Lengths from new - spread to new + spread, mixed; their mean is `new`.
local function lengths(s)
  local list = {}
  for i = 1, s.batch do
    list[i] = math.floor(s.new - s.spread + i * 53 % s.batch * 2 * s.spread / (s.batch - 1) + 0.5)
  end
  return list
end

function kinds.generate(s, model)
  model:freeze()
  local list = prompts(s, model.config.vocab_size)
  local longest = (s.spread or 0) > 0 and lengths(s) or s.new
  local options = {n = s.n, max_tokens = longest, ignore_eos = true, seed = 1, step = 1}
  return function() model:generate(list, options) end
end

local function recorded(s, vocabulary)
  local records = {}
  for i = 1, s.batch do
    records[i] = {prompt_ids = ids(s.prompt, vocabulary, i), ids = ids(s.new, vocabulary, i + 1)}
  end
  return apo.rollout(records)
end

function kinds.score(s, model)
  local rollout = recorded(s, model.config.vocab_size)
  model:freeze()
  return function() model:logprobs(rollout):free() end
end

function kinds.train(s, model)
  local rollout = recorded(s, model.config.vocab_size)
  local optimizer = apo.optim.adamw(model, {lr = 1e-4})
  return function()
    model:logprobs(rollout):mean():backward()
    optimizer:step{max_grad_norm = 1}
  end
end

-- A step of the shipped algorithm on rows whose reward costs nothing.
function kinds.rl(s, model)
  local rows = prompts(s, model.config.vocab_size)
  for i, list in ipairs(rows) do rows[i] = {prompt = list} end
  local is_astarpo = s.algorithm == "astarpo"
  local options = {
    policy = model, data = apo.dataset(rows), batch_size = #rows, max_steps = 1, max_tokens = s.new, quiet = true,
    reward = function(_, completion) return completion.ids[1] % 2 end,
    reference = is_astarpo and model:clone():freeze() or nil,
    target = is_astarpo and function(sample) return sample.reward - 0.5 end or nil,
    algorithm = is_astarpo and "astarpo" or apo.algorithms.grpo{n = s.n, kl_coef = 0},
    optimizer = apo.optim.adamw(model, {lr = 1e-6}),
  }
  return function() apo.train(options) end
end

-- The limits of the machine: two ways to multiply, and two to read.
function kinds.limits(s)
  local width, sequences = s.width, {}
  local layer = apo.new_model{
    model_type = "llama", hidden_size = width, num_hidden_layers = 1, num_attention_heads = 16,
    intermediate_size = width, vocab_size = 16, max_position_embeddings = 64, seed = 1,
  }:freeze()
  for i = 1, 1024 do sequences[i] = {prompt_ids = {i % 16}, ids = {1}} end
  local rollout = apo.rollout(sequences)
  local a, b, long = apo.rand(width, width), apo.rand(width, width), apo.ones(s.floats)
  local function rate(amount, f)
    local start = apo.system.clock()
    f()
    return amount / (apo.system.clock() - start)
  end
  local passes = 33                                   -- over the weights, to decode as many tokens
  return function()
    return {
      packed = rate(2 * 1024 * 7 * width ^ 2, function() layer:logprobs(rollout):free() end),
      matmul = rate(2 * width ^ 3, function() a:matmul(b):free() end),
      sum = rate(4 * s.floats, function() long:sum():free() end),
      decoding = rate(4 * 7 * width ^ 2 * passes, function()
        layer:generate({{1}}, {max_tokens = passes, ignore_eos = true})
      end),
    }
  end
end

function kinds.call(s)
  local t = apo.rand(64)
  return function() for _ = 1, s.count do t:numel() end end
end

function kinds.tensor(s)
  local a, b = apo.rand(64), apo.rand(64)
  return function() for _ = 1, s.count do local _ = a + b end end
end

local function peak()
  for line in io.lines("/proc/self/status") do
    local kilobytes = line:match("^VmHWM:%s*(%d+) kB")
    if kilobytes then return tonumber(kilobytes) * 1024 end
  end
end

local function answer(value)
  value.memory = peak()
  print(apo.json.encode(value))
  io.stdout:flush()
end

apo.seed(1)
local s = apo.json.decode(io.read())
local run = kinds[s.kind](s, s.folder and apo.load(s.folder, {
  dtype = s.dtype, kv_cache_dtype = s.kv_cache_dtype,
}))
answer{ready = true}
for line in io.lines() do
  local times, rates = math.tointeger(tonumber(line))
  local start = apo.system.clock()
  for _ = 1, times do rates = run() end
  answer{seconds = (apo.system.clock() - start) / times, rates = rates}
end
