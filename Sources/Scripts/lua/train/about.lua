-- run.json: what the results of a run depend on, so that a run that goes on can be compared with
-- what it was, and what people want to know of it.

local apo = require "apo"
local value_file = require "apo.values.file"
local row_key, function_text = require "apo.data.row_key", require "apo.script.function_text"
local algorithm = require "apo.train.algorithm"

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
  list.algorithm = algorithm.description(run.algorithm)
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
return function(run)
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
