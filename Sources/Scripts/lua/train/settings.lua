-- From the options of apo.train to the state of a run, and to what run.json says of it.

local apo = require "apo"
local fail = require "apo.fail"
local journal, value_file = require "apo.run.journal", require "apo.values.file"
local row_key = require "apo.data.row_key"
local hot_reload, hook = require "apo.train.hot_reload", require "apo.script.hook"
local function_text, plain_data = require "apo.script.function_text", require "apo.data.plain_data"
local algorithm_state = require "apo.step.algorithm_state"
local train_algorithm, resume = require "apo.train.algorithm", require "apo.train.resume"
local check_memory, check_data = require "apo.train.memory", require "apo.data.check"

-- The factor of the learning rate at a step, counted from 1 (apo.schedule counts from 0).
local function schedule(o, total)
  if type(o.schedule) == "function" then
    return function(step)
      local factor = hook.call("schedule", o.schedule, step, total)
      if type(factor) ~= "number" or not (factor >= 0 and factor < math.huge) then
        fail(("the schedule gave %s for step %d; it must give a finite number of at least 0")
          :format(type(factor) == "number" and factor or type(factor), step))
      end
      return factor
    end
  end
  local make = ({constant = 1, linear = 1, cosine = 1})[o.schedule] and apo.schedule[o.schedule]
  if not make then
    fail(("train: option 'schedule' must be constant, linear, cosine or a function, got '%s'")
      :format(o.schedule))
  end
  if o.schedule ~= "constant" and o.warmup >= total then
    fail(("train: option 'warmup' (%d) must be less than the number of steps (%d)")
      :format(o.warmup, total))
  end
  local of_shape = {warmup_steps = o.warmup}
  if o.schedule ~= "constant" then of_shape.total_steps = total end
  local factor = make(of_shape)
  return function(step) return factor(step - 1) end
end

local function check_optimizer(o)
  for _, parameter in ipairs(o.policy:parameters()) do
    if o.optimizer:updates(parameter) then return end
  end
  fail("train: option 'optimizer' updates no parameter of the policy: it was made for another "
    .. "model; use apo.optim.adamw(policy, …)")
end

local function optimizer(o)
  if o.optimizer and o.lr then fail("train: pass 'lr' or 'optimizer', which has its own lr") end
  if o.optimizer then
    check_optimizer(o)
    return o.optimizer
  end
  if not o.lr then fail("train: option 'lr' is missing (a number)") end
  return apo.optim.adamw(o.policy, {
    lr = o.lr, betas = o.betas, eps = o.eps, weight_decay = o.weight_decay,
  })
end

-- The mistakes that would otherwise train nothing, or without a reference.
local function check_models(o)
  local is_trainable = false
  for _, parameter in ipairs(o.policy:parameters()) do
    is_trainable = is_trainable or parameter.requires_grad
  end
  if o.policy.dtype == "bfloat16" and not o.policy.adapter then
    fail('train: the policy is held as bfloat16; train a policy:clone{dtype = "float32"}, or an '
      .. "adapter: policy:add_adapter{}")
  elseif not is_trainable then
    fail("train: the policy is frozen; train a policy:clone()")
  end
  if o.reference and rawequal(o.reference, o.policy) then
    fail("train: policy and reference are the same model; the reference must be a copy: "
      .. (o.policy.adapter and "policy:base_model()" or "policy:clone():freeze()"))
  elseif o.reference and o.reference.kv_cache_dtype ~= o.policy.kv_cache_dtype then
    fail(('train: the reference has kv_cache_dtype = "%s" and the policy "%s": with equal weights '
      .. "they would be two functions; load both with the same, or leave 'reference' out"):format(
      o.reference.kv_cache_dtype, o.policy.kv_cache_dtype))
  end
end

-- What the policy is kept near where the script does not say.
local function usual_reference(policy)
  return policy.adapter and policy:base_model() or policy:clone():freeze()
end

-- Makes sure that all rows can be used, and leaves those out that are to be left out. Gives what
-- there is to say of it, a list of texts.
local function check_rows(o)
  local texts, _ = {}, nil
  if #o.data > 0 then
    o.data, _, texts[1] = check_data{
      name = "train", model = o.policy, data = o.data, reward = o.reward, values = o.values,
      max_tokens = o.max_tokens, overlong = o.overlong, quiet = o.quiet,
    }
  end
  if o.eval and #o.eval.data > 0 then
    local text
    o.eval.data, _, text = check_data{
      name = "train: eval", model = o.policy, data = o.eval.data,
      reward = o.eval.reward or o.reward, max_tokens = o.eval.max_tokens or o.max_tokens,
      overlong = o.overlong, quiet = o.quiet,
    }
    texts[#texts + 1] = text and "evaluation: " .. text
  end
  return texts
end

-- The state of a run before its first step.
local function run(o)
  local files = hot_reload.open(o)
  local algorithm = train_algorithm(o)
  check_models(o)
  if not (o.max_grad_norm > 0) then
    fail(("train: max_grad_norm: a number above 0 expected (math.huge for no clipping), got %.14g")
      :format(o.max_grad_norm))
  end
  o.resume = resume(o)
  local said = check_rows(o)
  local data = o.data
  if o.values and o.values.drop_unsolved then data = o.values:solvable(data) end
  local per_epoch = (o.drop_last and #data or #data + o.batch_size - 1) // o.batch_size
  local total = math.min(per_epoch * o.epochs, o.max_steps or math.huge)
  if #data == 0 and #o.data > 0 then
    fail(("train: there are no rows to train on: drop_unsolved left out all %d, no reference "
      .. "sample of which had a reward above 0"):format(#o.data))
  elseif #data == 0 then
    fail("train: there are no rows to train on")
  elseif per_epoch == 0 then
    fail(("train: %d rows do not fill a batch of %d, and drop_last is set"):format(
      #data, o.batch_size))
  end
  local copies = check_memory(o, data, algorithm)
  local state = {
    options = o, copies = copies, said = said, algorithm = algorithm, policy = o.policy,
    files = files,
    beta = type(o.beta) == "function" and o.beta or nil,
    reference = o.reference or algorithm.needs_reference and usual_reference(o.policy) or nil,
    data = data, values = o.values,
    seed = o.seed or o.resume and o.dir and journal.seed(o.dir) or apo.seed(),
    optimizer = optimizer(o), schedule = schedule(o, total),
    total = total, steps_per_epoch = per_epoch,
    step = 0, num_tokens = 0, seconds = 0, start = apo.system.clock(),
    last_save = apo.system.clock(),
    elapsed = function(self)  -- wall clock of the run, earlier sessions included
      return self.seconds + apo.system.clock() - self.start
    end,
  }
  if o.state then plain_data.encode(o.state, "option 'state'") end
  state.state = algorithm.start and hook.call("algorithm", algorithm.start, state,
    algorithm.options) or {}
  if type(state.state) ~= "table" then
    fail(("train: option 'algorithm': the function 'start' of '%s' must give a table, got %s")
      :format(algorithm.name, type(state.state)))
  end
  algorithm_state.check(state.state)
  state.base_lr = algorithm_state.learning_rates(state)
  state.optimizer:zero_grad()  -- of what else was differentiated, or stopped midway
  return state
end

local plain = {  -- options that are data and change what is computed
  "beta", "lr", "betas", "eps", "weight_decay", "warmup", "batch_size", "mini_batch", "epochs",
  "max_steps", "shuffle", "drop_last", "max_tokens", "temperature", "top_k", "top_p", "min_p",
  "stop", "stop_token_ids", "entropy_coef", "max_grad_norm", "log_every", "log_completions",
  "weights",
}

-- A function as something that can be compared: its code.
local function code(f) return f and value_file.reward_name(f) end

local function number_or_code(given)
  return type(given) == "function" and code(given) or given
end

-- A hash of all rows in their order; of a row that is not data, such as one that holds a function,
-- only the place counts.
local function hash(data)
  local keys = {}
  for i, row in ipairs(data.rows) do
    local is_data, key = pcall(row_key.text, row)
    keys[i] = is_data and key or "?"
  end
  return apo.system.hash(table.concat(keys, "\n"))
end

-- Everything that the results of a run depend on.
local function settings(run)
  local o, list = run.options, {}
  for _, name in ipairs(plain) do list[name] = o[name] end
  if o.max_grad_norm == math.huge then list.max_grad_norm = "none" end  -- JSON has no infinity
  list.seed, list.rows, list.data = run.seed, #run.data, hash(run.data)
  list.policy, list.reference = run.policy:checksum(), run.reference and run.reference:checksum()
  if o.overlong ~= "error" then list.overlong = o.overlong end
  if o.ignore_eos then list.ignore_eos = true end
  if run.policy.kv_cache_dtype ~= "float32" then list.kv_cache_dtype = run.policy.kv_cache_dtype end
  list.algorithm = train_algorithm.description(run.algorithm)
  list.reward, list.target, list.loss = code(o.reward), code(o.target), code(o.loss)
  if o.watch then  -- these may change; events.jsonl has what they were
    for _, file in ipairs(run.files) do list[file.name] = {file = file.path} end
  end
  if run.beta then list.beta = code(run.beta) end
  list.schedule = type(o.schedule) == "string" and o.schedule or code(o.schedule)
  if o.schedule ~= "constant" or run.beta then list.steps = run.total end
  if o.values then
    list.values = {beta = o.values.beta, mode = o.values.mode, n = o.values.n,
                   correct = number_or_code(o.values.correct)}
  end
  if o.eval then
    list.eval_data = hash(o.eval.data)
    list.eval = {rows = #o.eval.data, every = o.eval.every, n = o.eval.n,
                 temperature = o.eval.temperature, max_tokens = o.eval.max_tokens,
                 correct = number_or_code(o.eval.correct), reward = code(o.eval.reward)}
  end
  return list
end

-- The functions of the script, to be read: what they were before somebody mended one.
local function functions(run)
  local o = run.options
  return {
    reward = function_text(o.reward), target = function_text(o.target),
    loss = function_text(o.loss), beta = function_text(run.beta),
    schedule = function_text(o.schedule), algorithm = function_text(run.algorithm.step),
  }
end

-- What is allowed and may surprise, and what was said of the data: texts, nil when there are none.
local function warnings(o, said)
  local set, texts = {}, table.move(said, 1, #said, 1, {})
  if o.temperature == 0 then set[#set + 1] = "temperature = 0" end
  for name, off in pairs{top_k = 0, top_p = 1, min_p = 0} do
    if o[name] and o[name] ~= off then set[#set + 1] = ("%s = %s"):format(name, o[name]) end
  end
  if #set == 0 then return #texts > 0 and texts or nil end
  table.sort(set)
  texts[#texts + 1] = ("with %s the samples are not drawn from the distribution that is trained: "
    .. "log-probabilities are those of all tokens"):format(table.concat(set, ", "))
  return texts
end

-- The contents of run.json.
local function about(run)
  local o = run.options
  return {
    apo = apo._VERSION, lua = _VERSION, cores = apo.system.cores(),
    started = os.date("!%Y-%m-%dT%H:%M:%SZ"), script = arg and arg[0],
    data = run.data.name, eval_data = o.eval and o.eval.data.name,
    values = o.values and o.values.path,
    policy = run.policy.path, parameters = run.policy:num_parameters(),
    steps = run.total, warnings = warnings(o, run.said), settings = settings(run),
    functions = functions(run),
  }
end

return {run = run, about = about}
