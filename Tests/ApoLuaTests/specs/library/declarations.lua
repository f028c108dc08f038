-- What is declared once holds everywhere: each sampling option of generate reaches the sampler from
-- every function that samples, and each option of apo.train is compared where a run goes on, or
-- declared as free to change.
local spec = ...
local apo = require "apo"
local getenv = os.getenv
os.getenv = function(name) return name == "TRACKIO_DIR" and spec.folder or getenv(name) end
local equal = spec.equal
local declared, options = require "apo.declared", require "apo.train.options"

local function load_model() return apo.load(spec.fixtures .. "/models/tiny-qwen2-tied") end
local list = {}
for i = 1, 4 do list[i] = {prompt = "What is " .. i .. " plus 2?"} end
local data = apo.dataset(list)
local function reward(_, completion) return #completion.text % 3 / 2 end

-- Sampling: every call of model:generate is seen.
local given_options = {
  temperature = 0.7, top_k = 3, top_p = 0.9, min_p = 0.1, max_tokens = 3, stop = "7", stop_token_ids = {5},
  ignore_eos = true, max_num_seqs = 2, overlong = "truncate_left",
}
local model = load_model()
local class, calls = debug.getmetatable(model), {}
local index = class.__index
local generate = model.generate
function class.__index(self, name)
  if name ~= "generate" then
    if type(index) == "table" then return index[name] end
    return index(self, name)
  end
  return function(this, prompts, o)
    calls[#calls + 1] = o
    return generate(this, prompts, o)
  end
end

local function with(name, value, more)
  local o = {quiet = true, data = data, reward = reward, max_tokens = 2}
  for key, other in pairs(more) do o[key] = other end
  o[name] = value
  return o
end

local function train_with(name, value, more)
  return apo.train(with(name, value, {
    policy = load_model(), target = function(s) return s.reward end, lr = 1e-3, max_steps = 1, eval = more,
  }))
end

local functions = {
  ["model:generate"] = function(name, value) model:generate(list, {[name] = value}) end,
  ["apo.estimate_values"] = function(name, value)
    apo.estimate_values(with(name, value, {model = model, n = 1}))
  end,
  ["apo.evaluate"] = function(name, value) apo.evaluate(with(name, value, {model = model})) end,
  ["apo.train"] = train_with,
  ["eval of apo.train"] = function(name, value)
    train_with("max_tokens", 2, {data = data, every = 1, [name] = value})
  end,
}

for _, option in ipairs(declared.sampling) do
  local value = given_options[option.name]
  assert(value ~= nil, "give a value of the option " .. option.name)
  for title, call in pairs(functions) do
    calls = {}
    call(option.name, value)
    local reached = false
    for _, o in ipairs(calls) do reached = reached or o[option.name] == value end
    assert(reached, ("%s: '%s' does not reach the sampler"):format(title, option.name))
  end
end

-- An evaluation ends completions as the training does, and samples from the whole distribution.
calls = {}
apo.train(with("stop", "7", {
  policy = load_model(), target = function(s) return s.reward end, lr = 1e-3, max_steps = 1, top_k = 3,
  temperature = 0.5, eval = {data = data, every = 1},
}))
equal({calls[1].stop, calls[1].top_k, calls[1].temperature, calls[2].top_k, calls[2].stop},
  {"7", 0, 0, 3, "7"})
class.__index = index

-- Defaults are those of the compiled functions.
for _, option in ipairs(options.declared) do
  for _, of_adamw in ipairs(declared.adamw) do
    if option.name == of_adamw.name and option.name ~= "lr" then equal(option.default, of_adamw.default) end
  end
end

-- Resuming: a finished run, and for each option another value of it.
local function changed_model()
  local other = load_model()
  apo.no_grad(function() other:parameters()[1]:mul_(1.5) end)
  return other
end
local values = apo.estimate_values{
  model = model, data = data, reward = reward, n = 2, max_tokens = 2, seed = 1, quiet = true,
}
local function base(dir)
  return {
    policy = load_model(), data = data, values = values, reward = reward, lr = 1e-3, batch_size = 4,
    max_tokens = 2, seed = 7, quiet = true, dir = dir, eval = {data = data, n = 1},
  }
end
local another = data:take(3)
local target = spec.folder .. "/target.lua"
spec.write(target, "return function(s) return s.reward end")
local algorithm = spec.read(spec.checkout .. "/Sources/Scripts/lua/algorithms/astarpo.lua")

local others = {  -- another value of each option, or what changes the options
  policy = changed_model(), reference = changed_model():freeze(),
  algorithm = load(algorithm:gsub('name = "astarpo"', 'name = "another"'), "@another.lua")()(),
  data = another, reward = function(_, c) return #c.text end, weights = {reward = 2}, reward_timeout = 31,
  reward_memory = "1 GB", values = values:with_beta(0.1), target = function(s) return s.reward end,
  loss = function(b) return ((b.logp - b.target) ^ 2):mean() end, beta = 0.5, lr = 2e-3,
  watch = function(o) o.watch, o.target = true, target end,
  optimizer = function(o) o.lr, o.optimizer = nil, apo.optim.adamw(o.policy, {lr = 1e-3}) end,
  betas = {0.8, 0.999}, eps = 1e-7, weight_decay = 0.02, schedule = "cosine", warmup = 1,
  max_grad_norm = 2, entropy_coef = 0.1, batch_size = 2, mini_batch = 2, micro_batch = 1, epochs = 2,
  max_steps = 2, shuffle = false, drop_last = true, seed = 8, log_every = 2, log_completions = 1, log_tokens = 2,
  eval = function(o) o.eval = nil end, save_every = 1, save_minutes = 1, state = {}, keep = {last = 1},
  attach = false, tensorboard = true, trackio = "declarations", on_step = function() end, on_eval = function() end, columns = {"loss"}, quiet = true,
  resume = true, dir = false,  -- each case has a folder of its own
}
for name, value in pairs(given_options) do others[name] = value end
local others_of_eval = {
  data = another, every = 2, n = 2, reward = function() return 1 end, weights = {reward = 2}, correct = 0.7,
  patience = 9,
}
for name, value in pairs(given_options) do others_of_eval[name] = value end

local whole, count = spec.folder .. "/whole", 0
apo.train(base(whole))

-- Goes on with the run in a copy of its folder.
local function go_on(change, resume)
  count = count + 1
  local dir = ("%s/copy-%d"):format(spec.folder, count)
  assert(os.execute(("cp -a '%s' '%s'"):format(whole, dir)))
  local o = base(dir)
  o.resume = resume
  change(o)
  return pcall(apo.train, o)
end

local function check(option, name, is_free, change)
  local ok, message = go_on(change, true)
  if is_free then return assert(ok, ("'%s' is free to change, but: %s"):format(name, tostring(message))) end
  assert(not ok, ("'%s' is another, and the run went on"):format(name))
  assert(message:find("was started with other settings", 1, true), name .. ": " .. tostring(message))
  local ok, problem = go_on(change, "force")
  assert(ok, ("'%s' cannot be forced: %s"):format(name, tostring(problem)))
end

assert(go_on(function() end, true))
for _, option in ipairs(options.declared) do
  local name, other = option.name, others[option.name]
  assert(other ~= nil, "give another value of the option " .. name)
  check(option, name, option.notes and option.notes.resume, function(o)
    if type(other) == "function" and (name == "watch" or name == "optimizer" or name == "eval") then other(o)
    elseif name ~= "dir" and name ~= "resume" then o[name] = other end
  end)
  for _, field in ipairs(name == "eval" and option.fields or {}) do
    assert(others_of_eval[field.name] ~= nil, "give another value of the option eval." .. field.name)
    check(field, "eval." .. field.name, field.notes and field.notes.resume,
      function(o) o.eval[field.name] = others_of_eval[field.name] end)
  end
end

-- A schedule over all steps may be given up: then the run has no number of steps to keep to.
do
  local dir = spec.folder .. "/cosine"
  local o = base(dir)
  o.schedule, o.epochs, o.max_steps = "cosine", 3, 1
  apo.train(o)
  o = base(dir)
  o.epochs, o.resume = 3, "force"
  assert(apo.train(o).steps > 1)
end

-- Values of other samples are noticed, and a run.json that does not name an option has its default.
local ok, message = go_on(function(o)
  o.values = apo.estimate_values{
    model = model, data = data, reward = function() return 0.25 end, n = 2, max_tokens = 2, quiet = true,
  }
end, true)
equal({ok, message:find("the values of the rows are others", 1, true) ~= nil}, {false, true})
local about = apo.json.read(whole .. "/run.json")
for _, name in ipairs{"top_k", "top_p", "ignore_eos", "overlong", "algorithm", "kv_cache_dtype", "watch"} do
  assert(about.settings[name] ~= nil, name)
  about.settings[name] = nil
end
apo.json.write(whole .. "/run.json", about)
assert(go_on(function() end, true))
ok, message = go_on(function(o) o.top_k = 5 end, true)
equal({ok, message:find("(top_k was 0, now 5)", 1, true) ~= nil}, {false, true})
