local spec = ...
local apo = require "apo"
local equal, close, raises = spec.equal, spec.close, spec.raises
local system = apo.system

local list = {}
for i = 1, 12 do list[i] = {prompt = "What is " .. i .. " plus 2?"} end
local data = apo.dataset(list)
local function reward(_, completion) return #completion.text % 3 / 2 end

local values
local function train(changes)
  local policy = apo.load(spec.fixtures .. "/models/tiny-qwen2-tied")
  local options = {
    policy = policy, data = data, reward = reward, beta = 1e-2, lr = 3e-3, batch_size = 4,
    epochs = 2, max_tokens = 6, seed = 7, quiet = true,
  }
  values = values or apo.estimate_values{model = policy, data = data, reward = reward, n = 4,
                                         max_tokens = 6, seed = 7, quiet = true}
  options.values = values
  for name, value in pairs(changes) do options[name] = value or nil end
  return apo.train(options), policy
end

local changing = {"seconds", "step_time", "started", "timing_s/%w+", "timing_s/update_actor",
                  "perf/throughput", "perf/peak_memory", "perf/resident_memory"}
local function without_times(path)
  local text = spec.read(path)
  for _, name in ipairs(changing) do text = text:gsub('"' .. name .. '":[%d.e+-]+,?', "") end
  return text
end

local function same_run(a, b)
  equal(without_times(a .. "/metrics.jsonl"), without_times(b .. "/metrics.jsonl"))
  equal(spec.read(a .. "/completions.jsonl"), spec.read(b .. "/completions.jsonl"))
  equal(spec.read(a .. "/events.jsonl"), spec.read(b .. "/events.jsonl"))
  for _, name in ipairs{"policy/model.safetensors", "optimizer.safetensors"} do
    assert(spec.read(a .. "/checkpoint/step-6/" .. name) == spec.read(b .. "/checkpoint/step-6/" .. name))
  end
end

-- A run and what it leaves; the same run gives the same bytes.
local one, two = spec.folder .. "/one", spec.folder .. "/two"
local full = {dir = one, entropy_coef = 0.001, mini_batch = 2, eval = {data = data:take(3), every = 2}}
local result, policy = train(full)
equal({result.steps, result.checkpoint}, {6, one .. "/checkpoint/step-6"})
equal({#result.history, result.history[1].step, result.metrics.step}, {10, 0, 6})
equal(apo.load(result.checkpoint .. "/policy"):checksum(), policy:checksum())
for _, name in ipairs{"completions.jsonl", "report.html", "metrics.jsonl", "run.json"} do
  equal(system.exists(one .. "/" .. name), "file")
end
local about = apo.json.read(one .. "/run.json")
equal({about.steps, about.settings.seed, about.settings.mini_batch}, {6, 7, 2})
for _, name in ipairs{"loss", "policy_loss", "grad_norm", "learning_rate", "epoch", "num_tokens",
  "step_time", "reward", "reward_std", "rewards/reward/mean", "kl", "entropy", "v_star", "advantage",
  "implicit_reward", "completions/mean_length", "completions/clipped_ratio", "apo/residual_rms",
  "apo/explained_var", "apo/v_star_zero_frac", "timing_s/gen", "timing_s/update_actor",
  "update/weight_delta_norm", "sampling/sampling_logp_difference/max", "perf/peak_memory"} do
  assert(type(result.metrics[name]) == "number", name .. " is missing")
end
equal(result.metrics["sampling/sampling_logp_difference/max"], 0.0)
local warning = apo.json.read_lines(one .. "/events.jsonl")()
equal({warning.event, warning.step, warning.text:sub(1, 39)},
  {"warning", 3, "max_tokens cut off every completion, so"})

-- Calibration of V*: by hand, from what was recorded of the last step (4 rows, bins of 5).
local rows, least, most = {}, math.huge, -math.huge
for line in apo.json.read_lines(one .. "/completions.jsonl") do
  if line.step == 6 then
    rows[#rows + 1] = line
    least, most = math.min(least, line.v_star), math.max(most, line.v_star)
  end
end
local gaps = {0, 0, 0, 0, 0}
for _, line in ipairs(rows) do
  local bin = math.min(5, 1 + math.floor((line.v_star - least) / (most - least) * 5))
  gaps[bin] = gaps[bin] + line.reward - line.v_star
end
local calibration = 0
for _, gap in ipairs(gaps) do calibration = calibration + math.abs(gap) / #rows end
close(result.metrics["apo/v_star_calibration"], calibration)
full.dir = two
train(full)
same_run(one, two)

-- The script's text is kept where there is a script.
local script = arg
arg = {[0] = spec.folder .. "/script.lua"}
spec.write(arg[0], "-- the script\n")
train{dir = spec.folder .. "/scripted", max_steps = 1}
equal(spec.read(spec.folder .. "/scripted/script.lua"), "-- the script\n")
arg = script

-- Killed between checkpoints and resumed: the same bytes.
for _, crash in ipairs{1, 4, 6} do
  local dir = ("%s/crash%d"):format(spec.folder, crash)
  full.dir, full.save_every = dir, 3
  full.on_step = function(record) if record.step == crash then error("killed") end end
  raises("killed", train, full)
  full.on_step = nil
  raises(dir .. " already holds a run: resume = true continues it", train, full)
  full.resume = true
  equal(train(full).steps, 6)
  same_run(one, dir)
  equal(system.list(dir .. "/checkpoint"), {crash == 4 and "step-4" or "step-3", "step-6"})
  equal(train(full).steps, 6)   -- a complete run is left as it is
  same_run(one, dir)
  full.resume = nil
end
full.resume, full.lr = true, 0.5
raises("run.json: the run was started with other settings (lr was 0.003, now 0.5)", train, full)
full.lr, full.target = nil, function() return 1 end
raises("(target was null, now", train, full)

full.target = nil

-- Other rows are noticed, as many as they are; rows that are the same again are not.
local function rows(changed)
  local copy = {}
  for i, row in ipairs(list) do copy[i] = {prompt = row.prompt, answer = i == changed and 1 or i} end
  return apo.dataset(copy)
end
local of_rows = {dir = spec.folder .. "/rows", max_steps = 1, values = false, data = rows(),
                 target = function(s) return s.reward end, eval = {data = rows()}}
train(of_rows)
of_rows.resume, of_rows.data, of_rows.eval.data = true, rows(), rows()
train(of_rows)
of_rows.data = rows(3)
raises("the run was started with other settings (the rows of data are others); use", train, of_rows)
of_rows.data, of_rows.eval.data = rows(), rows(4)
raises("other settings (the rows of eval.data are others); use", train, of_rows)
of_rows.eval.data = rows():shuffle(1)
raises("other settings (the rows of eval.data are others); use", train, of_rows)

-- The target and the loss as functions.
local plain = train{max_steps = 2}
local same = train{max_steps = 2, target = function(s) return s.reward - s.value end,
  loss = function(b) return ((b.beta * (b.logp - b.ref_logp) - b.target) ^ 2):mean() end}
equal(same.metrics.loss, plain.metrics.loss)
local seen
train{max_steps = 1, values = false, target = function(s)
  seen = s
  return s.reward
end}
close(seen.logp, seen.ref_logp, 1e-5)
equal({seen.row.prompt, seen.step, seen.value, seen.finish_reason, seen.length},
  {seen.completion.prompt, 1, 0, "length", 6})
equal(train{on_step = function(record) return record.step < 3 end}.steps, 3)

-- Clipping and rates: the first update with a warm-up of 2 steps has rate 0, the next one half.
local rates = {}
train{warmup = 2, schedule = "linear", on_step = function(r) rates[r.step] = r.learning_rate end}
close(rates[1], 0)
close(rates[2], 1.5e-3)
close(rates[3], 3e-3)
close(rates[6], 3e-3 / 4)
train{schedule = function(step, total) return step / total end,
  on_step = function(r) rates[r.step] = r.learning_rate end}
close(rates[3], 1.5e-3)

-- Misuse.
raises("train: option 'values' is missing (an apo.Values", train, {values = false})
raises("train: option 'lr' is missing (a number)", train, {lr = false})
for _, norm in ipairs{0, -1, 0 / 0} do
  raises("train: max_grad_norm: a number above 0 expected (math.huge for no clipping), got ",
    train, {max_grad_norm = norm, dir = spec.folder .. "/clipping"})
  equal(system.exists(spec.folder .. "/clipping"), nil)
end
for steps = 1, 2 do
  train{max_grad_norm = math.huge, max_steps = steps, dir = spec.folder .. "/unclipped",
        resume = steps == 2}
end
raises("train: the policy is frozen; train a policy:clone()", train,
  {policy = apo.load(spec.fixtures .. "/models/tiny-qwen2-tied"):freeze()})
raises("policy and reference are the same model; the reference must be a copy", train,
  {policy = policy, reference = policy})

-- What the cache holds is a part of the model: of a run that goes on, and of a policy and its reference.
do
  local function model(kv_cache_dtype)
    return apo.load(spec.fixtures .. "/models/tiny-qwen2-tied", {kv_cache_dtype = kv_cache_dtype})
  end
  for first, second in pairs{bfloat16 = "float32", float32 = "bfloat16"} do
    local dir = spec.folder .. "/" .. first
    train{policy = model(first), dir = dir, max_steps = 1}
    raises(('kv_cache_dtype was "%s", now "%s"'):format(first, second),
      train, {policy = model(second), dir = dir, resume = true})
    train{policy = model(first), dir = dir, max_steps = 2, resume = true}
    raises(('train: the reference has kv_cache_dtype = "%s" and the policy "%s": with equal weights they '
      .. "would compute different functions; load both with the same one, or omit 'reference'"):format(second, first),
      train, {policy = model(first), reference = model(second)})
    train{policy = model(first), reference = model(first), max_steps = 1}
  end
end

-- Gradients that something left behind, such as a backward() that was stopped, are not those of the first step.
do
  local _, expected = train{max_steps = 1}
  local used = apo.load(spec.fixtures .. "/models/tiny-qwen2-tied")
  used:logits{1, 2, 3}:sum():backward()
  train{policy = used, max_steps = 1}
  equal(used:checksum(), expected:checksum())
end

raises("the target function returned nan for sample 1 of step 1", train,
  {target = function() return -(0 / 0) end})
raises("the target function returned nil for sample 1", train, {target = function() end})
raises("the loss function must return an apo.Tensor, got number", train, {loss = function() return 1 end})
raises("got a tensor of shape [4]; :mean() is missing", train, {loss = function(b) return b.logp end})
raises("the loss does not depend on the policy", train,
  {loss = function(b) return b.logp:detach():mean() end})
raises("the loss of step 1 is", train, {loss = function(b) return (b.logp * (0 / 0)):mean() end})
raises("option 'schedule' must be constant, linear, cosine or a function, got 'step'", train,
  {schedule = "step"})
raises("the function 'schedule' returned string for step 1; it must return a finite number of at least 0", train,
  {schedule = function() return "1" end})
raises("the function 'schedule' returned -1 for step 1", train, {schedule = function() return -1 end})
raises("the target function returned string for sample 1", train, {target = function() return "1" end})
raises("train: 12 rows do not fill a batch of 100, and drop_last is set", train,
  {batch_size = 100, drop_last = true})
raises("train: option 'resume' needs 'dir'", train, {resume = true})
raises("train: pass 'lr' or 'optimizer'", train, {optimizer = apo.optim.adamw(policy)})
local clone = policy:clone()
local of_policy = {policy = policy, lr = false, max_steps = 1}
of_policy.optimizer = apo.optim.adamw(clone, {lr = 1e-3})
raises("train: option 'optimizer' updates no parameter of the policy: it was made for another model",
  train, of_policy)
of_policy.optimizer = apo.optim.adamw(policy, {lr = 1e-3})
equal({train(of_policy).steps, of_policy.optimizer.steps}, {1, 1})
equal({of_policy.optimizer:updates(policy:parameters()[1]), of_policy.optimizer:updates(clone:parameters()[1])},
  {true, false})
raises("option 'epochs' must be an integer from 1 to 1000000000", train, {epochs = math.maxinteger})

-- One training at a time in a folder; afterwards, also after an error, the next one may.
local shared = {dir = spec.folder .. "/shared", max_steps = 1}
shared.on_step = function()
  shared.on_step, shared.resume = nil, true
  raises("shared: another run is writing to this folder; wait until it ends", train, shared)
  error("killed")
end
raises("killed", train, shared)
equal(train(shared).steps, 1)
equal(train(shared).steps, 1)

-- A folder that holds something else is left as it is.
local other = spec.folder .. "/other"
system.make_folder(other)
spec.write(other .. "/metrics.jsonl", "mine")
for _, resume in ipairs{false, true} do
  raises("other has a metrics.jsonl but no run.json, so it is not a run folder; choose another",
    train, {dir = other, resume = resume})
end
equal({spec.read(other .. "/metrics.jsonl"), system.list(other)}, {"mine", {"metrics.jsonl"}})
raises("unknown option 'learning_rate'", train, {learning_rate = 1})
raises("train: there are no rows", train, {data = data:take(0)})
raises("the reward function returned nil for row", train, {reward = function() end})

-- Samples that are not drawn from what is trained: said at the start and in run.json.
local filtered, said, print_before = spec.folder .. "/filtered", {}, print
print = function(text) said[#said + 1] = text end
local trained, problem = pcall(train, {dir = filtered, max_steps = 2, top_k = 5, top_p = 1, min_p = 0.1,
                                       quiet = false})
print = print_before
assert(trained, problem)
local warning = "with min_p = 0.1, top_k = 5 the samples are not drawn from the trained distribution"
if not os.getenv "APO_QUIET" then
  equal(said[1]:match("^memory: about "), "memory: about ")
  equal(said[2]:find("warning: " .. warning, 1, true), 1)
end
for i = 3, #said do assert(not said[i]:find(warning, 1, true)) end
local warnings = apo.json.read(filtered .. "/run.json").warnings
equal({#warnings, warnings[1]:sub(1, #warning)}, {1, warning})
equal(about.warnings, nil)
train{dir = spec.folder .. "/greedy", max_steps = 1, temperature = 0}
assert(apo.json.read(spec.folder .. "/greedy/run.json").warnings[1]:find("with temperature = 0 the", 1, true))

-- A reward that loops for ever ends the training with its name.
raises("took more than 0.02 s for row", train,
  {reward = function() while true do end end, reward_timeout = 0.02})
