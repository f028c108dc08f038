-- What would another target have done? Scores a recorded run's completions with one set of weights
-- and compares the recorded target with another one: loss, explained variance, and the angle
-- between the two gradients. Nothing is sampled or trained.
--
-- The weights are the same for all steps, because a run keeps only those of its last checkpoint. At
-- the step sampled by these weights, `drift` is 0 and the recorded side is what the run computed;
-- at other steps both gradients use these weights on completions sampled by others.

local received = require "apo.script.received"
local apo = require "apo"
local documented, fail = require "apo.documented", require "apo.fail"
local targets, report = require "apo.step.targets", require "apo.replay.report"
local samples_of = require "apo.replay.samples"
local tensor_of = samples_of.tensor
local shipped = require "apo.algorithms.shipped"
local regression = require("apo.algorithms." .. shipped.default){}.loss

-- The gradients of a loss, by parameter, and their norm; the model has none afterwards.
local function gradients(model, cleaner, loss)
  loss:backward()
  local list, squares = {}, 0
  for name, parameter in model:named_parameters() do
    local gradient = parameter.grad
    if gradient then
      list[name] = gradient:clone()
      squares = squares + (gradient ^ 2):sum():item()
    end
  end
  cleaner:zero_grad()
  return list, math.sqrt(squares)
end

local function inner_product(a, b)
  local sum = 0
  for name, gradient in pairs(a) do
    if b[name] then sum = sum + (gradient * b[name]):sum():item() end
  end
  return sum
end

-- The angle's cosine; nil when one of them has no direction.
local function cosine(product, a, b)
  return a > 0 and b > 0 and math.max(-1, math.min(1, product / (a * b))) or nil
end

-- 1 - var(residual) / var(target), as in the log of a run; nil when all targets are the same.
local function explained(rule, b)
  local is_known = rule.beta and samples_of.all_have(b.samples, "ref_logp")
    and (rule.target or samples_of.all_have(b.samples, "target"))
  return is_known and apo.loss.fit{
    logp = b.logp, ref_logp = b.ref_logp, target = b.target, beta = rule.beta,
  }.explained_variance or nil
end

-- Loss, explained variance and gradients under one rule, which is {target, loss, beta}.
local function side(r, batch, rule)
  if not rule.loss and not rule.beta then
    fail("replay: option 'beta' is missing: the run has none, and the regression needs it")
  end
  local b = setmetatable({policy = r.model, beta = rule.beta}, samples_of.lazily)
  for name, value in pairs(batch) do b[name] = value end
  b.samples = samples_of.copies(batch.samples)  -- the other side has the recorded ones too
  if rule.target then b.target = targets(b.samples, rule.target) end
  b.logp = r.model:logprobs(batch.rollout, {micro_batch = r.options.micro_batch})
  local loss = (rule.loss or regression)(b)
  local result = {
    loss = loss:item(), logp = b.logp:detach(),
    explained_var = explained(rule, b),
  }
  result.gradients, result.norm = gradients(r.model, r.cleaner, loss)
  return result
end

local function replay_step(r, step, rollout, samples)
  rollout, samples = samples_of.used(rollout, samples)
  local batch = {
    step = step, rollout = rollout, samples = samples, rows = {},
    reward = tensor_of(samples, "reward"), value = tensor_of(samples, "value", 0),
    old_logp = tensor_of(samples, "logp"),
  }
  for i, sample in ipairs(samples) do batch.rows[i] = sample.row end
  local recorded_beta = r.betas[step]
  local recorded = side(r, batch, {
    beta = recorded_beta, target = r.base.target, loss = r.base.loss,
  })
  local other = side(r, batch, {
    beta = r.options.beta or recorded_beta, target = r.options.target, loss = r.options.loss,
  })
  local product = inner_product(recorded.gradients, other.gradients)
  return {
    step = step, count = #samples, drift = (recorded.logp - batch.old_logp):abs():mean():item(),
    cosine = cosine(product, recorded.norm, other.norm),
    recorded = {loss = recorded.loss, explained_var = recorded.explained_var,
                grad_norm = recorded.norm},
    other = {loss = other.loss, explained_var = other.explained_var, grad_norm = other.norm},
  }
end

-- The beta of each logged step.
local function betas(dir, settings)
  local list = {}
  for record in apo.json.read_lines(dir .. "/metrics.jsonl") do
    if type(record) ~= "table" then fail(dir .. "/metrics.jsonl: objects expected") end
    local beta = record.beta or settings.beta
    if record.reward and record.step and type(beta) == "number" then list[record.step] = beta end
  end
  return list
end

-- Whether the algorithm of a run is one whose loss is a function of what is recorded: it takes
-- apo.train's option `loss`, and what it minimises without is the regression.
local function minimises_regression(algorithm)
  local make = not algorithm.code and apo.algorithms[algorithm.name]
  if not make then return false end
  local made = make{}
  for _, option in ipairs(made.takes) do
    if option.name == "loss" then return made.loss == regression end
  end
  return false
end

local function check(dir, settings, base)
  local algorithm = type(settings.algorithm) == "table" and settings.algorithm
    or {name = settings.algorithm or shipped.default}
  if not base.loss and not minimises_regression(algorithm) then
    fail(("replay: %s was trained by the algorithm '%s', not by A*-PO: pass its loss as base = "
      .. "{loss = function(b) … end}"):format(dir, tostring(algorithm.name)))
  elseif settings.loss and not base.loss then
    fail(("replay: %s was trained with a custom loss, which is not recorded: pass it as base = "
      .. "{loss = function(b) … end}"):format(dir))
  end
end

-- The weights: a model that was given, or those of the last checkpoint; as a copy that is
-- trainable.
local function model_of(options, settings)
  if options.model then return options.model:clone() end
  local checkpoint = require "apo.run.checkpoint"
  local _, folder = checkpoint.latest(options.dir)
  local problem = folder and checkpoint.problem(folder)
  if problem then
    fail(("replay: the last checkpoint is damaged: %s; pass the weights to score with: model = "
      .. "apo.load(…)"):format(problem))
  elseif not folder then
    fail(("replay: %s has no checkpoint: pass the weights to score with: model = apo.load(…)")
      :format(options.dir))
  end
  if apo.system.exists(folder .. "/policy/adapter_config.json") then
    fail(("replay: %s holds an adapter: pass the model that has it: model = …"):format(folder))
  end
  return apo.load(folder .. "/policy", {kv_cache_dtype = settings.kv_cache_dtype})
end

return documented{
  name = "apo.replay", summary = "Compares another target with that of a recorded run.",
  details = "Reads `completions.jsonl`, scores the completions with one set of weights, and "
    .. "returns for each logged step the loss, explained variance and gradient norm under the "
    .. "recorded and the other target, and the cosine between the two gradients. `print` shows "
    .. "a table. `drift` is the mean absolute difference of the log-probabilities from the "
    .. "recorded ones: 0 if these weights sampled the step; the recorded side is then exactly "
    .. "what the run computed. For a run of another algorithm the recorded targets are its "
    .. "advantages, if it logs them, and `base` gives its loss; completions that it dropped "
    .. "from the update are dropped here.",
  parameters = {{name = "dir", type = "string", text = "the folder of the run"}},
  options = {
    {name = "target", type = "function", optional = true, signature = received.target,
     text = "as for apo.train; default: the recorded targets. `row` has only the prompt"},
    {name = "loss", type = "function", optional = true, signature = received.loss,
     text = "as for apo.train; default: the regression"},
    {name = "beta", type = "number", minimum = 0, optional = true,
     text = "beta2; default: the recorded one"},
    {name = "model", type = "apo.Model", optional = true,
     text = "the weights to score with; default: the run's last checkpoint. For step 1 to be "
       .. "exact, pass the run's initial model"},
    {name = "base", optional = true, text = "what to compare with; default: the recorded "
      .. "targets and the regression", fields = {
        {name = "target", type = "function", optional = true, signature = received.target,
         text = "as for apo.train"},
        {name = "loss", type = "function", optional = true, signature = received.loss,
         text = "as for apo.train"},
      }},
    {name = "first", type = "integer", minimum = 1, default = 1, text = "the first step"},
    {name = "last", type = "integer", minimum = 1, optional = true, text = "the last step"},
    {name = "micro_batch", type = "integer", minimum = 1, optional = true,
     text = "sequences per backward pass"},
  },
  returns = {{type = "table", text = "`steps`, a list of {`step`, `count`, `drift`, `cosine`, "
    .. "`recorded` and `other`, each {`loss`, `explained_var`, `grad_norm`}}; `mean`, the same "
    .. "averaged over all steps; `model`, its checksum; `is_initial`, whether it is the run's "
    .. "initial model"}},
  example = [[apo.train{
  policy = model, data = train, values = values, reward = reward, lr = 1e-4, batch_size = 4,
  max_tokens = 4, max_steps = 2, dir = "runs/replayed", quiet = true,
}
print(apo.replay("runs/replayed", {target = function(s) return s.reward - 0.5 end}))]],
  call = function(dir, options)
    local about = apo.json.read(dir .. "/run.json")
    local settings = type(about) == "table" and about.settings
    if type(settings) ~= "table" then
      fail(dir .. "/run.json: field 'settings' must be an object")
    end
    options.dir = dir
    local base = options.base or {}
    check(dir, settings, base)
    local model = model_of(options, settings)
    local r = {
      options = options, base = base, model = model, betas = betas(dir, settings),
      cleaner = apo.optim.adamw(model, {lr = 0}),
    }
    local steps = {}
    for step, rollout, samples in apo.recorded(dir) do
      if step >= options.first and step <= (options.last or step) then
        steps[#steps + 1] = replay_step(r, step, rollout, samples)
      end
    end
    if #steps == 0 then fail(("replay: %s has no completions of these steps"):format(dir)) end
    local checksum = model:checksum()
    return report(steps, checksum, checksum == settings.policy)
  end,
}
