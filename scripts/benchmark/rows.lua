-- What is measured: for a model, a list of rows. A row says what is done once (`spec`, which a worker of any engine
-- gets as JSON), how many tokens that is, the work in it, and which engines do it.
--
-- Work counts 2 operations per weight and token that needs it, 6 with the backward pass: the layers for all tokens, but
-- behind the last attention only for those with a distribution that is asked for, and the head for these. Attention,
-- norms, sampling and the optimiser are not counted. Bytes are what must be read and written at least, for weights that do
-- not fit into the last cache.
local models = require "models"

local engines = {
  ours = {title = "apo-lua", worker = "ours"},
  ours_bf16 = {title = "apo-lua bf16", worker = "ours", changes = {dtype = "bfloat16"}},
  ours_kv16 = {title = "apo-lua kv16", worker = "ours", changes = {kv_cache_dtype = "bfloat16"}},
  ours_bf16kv = {title = "apo bf16kv", worker = "ours",
                 changes = {dtype = "bfloat16", kv_cache_dtype = "bfloat16"}},
  alone = {title = "no prompts", worker = "ours", changes = {prompt = 1, n = 1}, other_work = true},
  equal = {title = "equal lengths", worker = "ours", changes = {spread = 0}, other_work = true},
  hf = {title = "Hugging Face", worker = "torch", changes = {loop = "generate"}},
  tight = {title = "tight PyTorch", worker = "torch", changes = {loop = "tight"}},
  torch = {title = "PyTorch", worker = "torch"},
  torch_bf16 = {title = "PyTorch bf16", worker = "torch", changes = {dtype = "bfloat16"}},
  llama = {title = "llama.cpp", worker = "llama", changes = {dtype = "float32"}},
  llama_bf16 = {title = "llama.cpp bf16", worker = "llama", changes = {dtype = "bfloat16"}},
  trl = {title = "TRL", worker = "trl"},
}

local settings = {
  T = {prompt = 64, new = 128, batches = {1, 16, 64}, score = 32, train = 32, rounds = 5},
  S = {prompt = 64, new = 128, batches = {1, 16, 64}, score = 32, train = 32, rounds = 3},
  Q = {prompt = 64, new = 32, batches = {1, 8, 16}, score = 8, train = 2, rounds = 3},
  tiny = {prompt = 8, new = 16, batches = {1, 3}, score = 3, train = 2, rounds = 1},
}
local completion = 128                                -- of scoring and training, whatever is generated

local function add(rows, name, engine_names, spec, about)
  local row = {name = name, spec = spec, engines = {}}
  for key, value in pairs(about) do row[key] = value end
  for i, engine in ipairs(engine_names) do row.engines[i] = engines[engine] end
  rows[#rows + 1] = row
end

-- Work and bytes of generating `new` tokens after each of `prompts` prompts, n times.
local function generation(size, cache, s)
  local layers, head, behind = models.weights(size)
  local samples, n = s.batch, s.n or 1
  local prompts = samples // n
  local in_layers = layers * (prompts * s.prompt + samples * (s.new - 1)) - behind * prompts * (s.prompt - 1)
  local bytes = 4 * (layers + head)
  return 2 * (in_layers + head * samples * s.new), bytes > cache and bytes * s.new or 0
end

-- Work and bytes of log-probabilities of `new` tokens after each of `batch` prompts, `passes` of 2 operations: 1
-- forward, 3 with backward. An update reads each weight twice, writes its gradient, and touches it, the gradient and
-- the two moments 7 times.
local function scoring(size, cache, s, passes)
  local layers, head, behind = models.weights(size)
  local in_layers = layers * (s.prompt + s.new - 1) - behind * (s.prompt - 1)
  local work = 2 * passes * s.batch * (in_layers + head * s.new)
  local bytes = 4 * (layers + head)
  return work, bytes > cache and bytes * (passes == 1 and 1 or 10) or 0
end

-- Many completions: several of each prompt, and of lengths that differ.
local function add_batches(rows, size, cache, o, tiny)
  local function generate(name, other, s)
    s.kind, s.batch, s.prompt = "generate", tiny and 4 or 128, o.prompt
    local work, bytes = generation(size, cache, s)
    add(rows, name, {"ours", other}, s, {tokens = s.batch * s.new, work = work, bytes = bytes})
  end
  generate("8 of each prompt", "alone", {n = tiny and 2 or 8, new = o.new})
  local shortest = 8
  local mean = (shortest + o.new) // 2
  generate(("lengths %d to %d"):format(shortest, o.new), "equal", {new = mean, spread = mean - shortest})
end

-- The two ways of learning that are compared whole, on the smaller models.
local function add_steps(rows, size, cache, o, tiny)
  local function rl(batch, n)
    return {kind = "rl", algorithm = n == 1 and "astarpo" or "grpo", batch = batch, n = n,
            prompt = o.prompt, new = o.new}
  end
  local function about(s)
    local sampling, sampling_bytes = generation(size, cache, s)
    local update, update_bytes = scoring(size, cache, s, s.n == 1 and 4 or 3)  -- a reference, or none
    return {tokens = s.batch * s.new, work = sampling + update, bytes = sampling_bytes + update_bytes}
  end
  local prompts, groups, small = tiny and 2 or 32, tiny and 4 or 256, tiny and 4 or 32
  local astarpo = rl(prompts, 1)
  add(rows, ("A*-PO step %d x 1"):format(prompts), {"ours", "torch", "torch_bf16"}, astarpo, about(astarpo))
  local grpo = rl(groups, tiny and 2 or 8)
  add(rows, ("GRPO step %d x %d"):format(groups // grpo.n, grpo.n), {"ours", "trl"}, grpo, about(grpo))
  rows[#rows].rounds = 3                              -- TRL takes half a minute
  local first, first_grpo = rl(prompts, 1), rl(small, grpo.n)
  add(rows, "first A*-PO step", {"ours", "torch"}, first,
    {from_start = true, tokens = prompts * o.new, rounds = 3})
  add(rows, "first GRPO step", {"ours", "trl"}, first_grpo,
    {from_start = true, tokens = small * o.new, rounds = 3})
end

local function add_program(rows, tiny)
  add(rows, "start-up", {"ours", "torch", "trl"}, {kind = "startup"}, 
    {unit = "ms", count = 1, start_up = true, rounds = 3})
  for _, kind in ipairs{"call", "tensor"} do
    local count = tiny and 1000 or kind == "call" and 1000000 or 200000
    add(rows, kind == "call" and "call of a function" or "tensor op on 64", {"ours", "torch"},
      {kind = kind, count = count}, {unit = kind == "call" and "ns" or "us", count = count})
  end
end

-- The rows of a model; `cache` is the size of the last cache in bytes.
local function of(name, cache)
  local size, o, rows = models.sizes[name], settings[name], {}
  for _, batch in ipairs(o.batches) do
    local s = {kind = "generate", batch = batch, prompt = o.prompt, new = o.new}
    local work, bytes = generation(size, cache, s)
    local about = {tokens = batch * o.new, work = work, bytes = bytes}
    add(rows, "generate " .. batch, {"ours", "hf", "tight", "llama", "llama_bf16"}, s, about)
    add(rows, ("generate %d kv16"):format(batch), {"ours_kv16", "llama"}, s, about)
    about.bytes = bytes / 2
    add(rows, ("generate %d bf16"):format(batch), {"ours_bf16", "llama_bf16"}, s, about)
    add(rows, ("generate %d bf16kv"):format(batch), {"ours_bf16kv","llama_bf16"}, s, about)
  end
  if name ~= "Q" then add_batches(rows, size, cache, o, name == "tiny") end
  for _, kind in ipairs{"score", "train"} do
    local s = {kind = kind, batch = o[kind], prompt = o.prompt, new = name == "tiny" and 8 or completion}
    local work, bytes = scoring(size, cache, s, kind == "score" and 1 or 3)
    add(rows, ("%s %d"):format(kind, s.batch), {"ours", "torch", "torch_bf16"}, s,
      {tokens = s.batch * (s.prompt + s.new), work = work, bytes = bytes,
       one_at_a_time = name == "Q" and kind == "train"})
  end
  if name == "T" or name == "tiny" then
    add_steps(rows, size, cache, o, name == "tiny")
    add_program(rows, name == "tiny")
  end
  for _, row in ipairs(rows) do row.rounds = math.min(row.rounds or o.rounds, o.rounds) end
  return rows
end

return {of = of}
