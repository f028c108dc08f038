-- run.json: everything that the results of a run depend on, so that a run that goes on can be
-- compared with what it was, and what people want to know of it. What the options hold is
-- described by what they are declared as: an option that is added is recorded and compared.

local apo = require "apo"
local function_text, settings_of = require "apo.script.function_text", require "apo.run.settings"
local algorithm, options = require "apo.train.algorithm", require "apo.train.options"
local sampling = require "apo.data.sampling"

-- A hash of V* of the rows.
local function hash_of_values(run)
  local texts = {}
  for i, value in ipairs(run.values:of(run.data.rows):totable()) do
    texts[i] = ("%.9g"):format(value)
  end
  return apo.system.hash(table.concat(texts, " "))
end

-- Options that are recorded as what a run makes of them, below.
local made = {data = true, reference = true, algorithm = true}

-- The options as they are recorded.
local function settings(run)
  local o, list = run.options, {}
  for _, option in ipairs(options.declared) do
    local name = option.name
    if not made[name] and not (option.notes and option.notes.resume == "session") then
      list[name] = settings_of.described(o[name])
    end
  end
  -- What a run makes of them, or takes where nothing is given.
  list.seed, list.data, list.rows = run.seed, settings_of.hash(run.data), #run.data
  list.reference = settings_of.described(run.reference)
  list.algorithm = algorithm.description(run.algorithm)
  list.kv_cache_dtype = run.policy.kv_cache_dtype
  if run.values then list.values.hash = hash_of_values(run) end
  if o.schedule ~= "constant" or run.beta then list.steps = run.total end
  if o.watch then  -- these may change; events.jsonl has what they were
    for _, file in ipairs(run.files) do list[file.name] = {file = file.path} end
  end
  return list
end

-- What may differ where a run goes on, and what a setting is that an older run.json does not name.
local rules = settings_of.rules(options.declared, {
  kv_cache_dtype = "float32", ["algorithm.name"] = require "apo.algorithms.shipped".default,
})

-- The source of the script's functions, to show what they were before an edit.
local function functions(run)
  local o = run.options
  return {
    reward = function_text(o.reward), target = function_text(o.target),
    loss = function_text(o.loss), beta = function_text(run.beta),
    schedule = function_text(o.schedule), algorithm = function_text(run.algorithm.step),
  }
end

-- Warnings about surprising settings and about the data: texts, or nil.
local function warnings(o, said)
  local set, texts = {}, table.move(said, 1, #said, 1, {})
  if o.temperature == 0 then set[#set + 1] = "temperature = 0" end
  for _, option in ipairs(sampling.options) do
    local name = option.name
    if option.notes.is_distribution and name ~= "temperature" and o[name] ~= option.default then
      set[#set + 1] = ("%s = %s"):format(name, o[name])
    end
  end
  if #set == 0 then return #texts > 0 and texts or nil end
  table.sort(set)
  texts[#texts + 1] = ("with %s the samples are not drawn from the trained distribution: "
    .. "log-probabilities are over all tokens"):format(table.concat(set, ", "))
  return texts
end

-- The contents of run.json.
local function about(run)
  local o = run.options
  return settings_of.about{
    kind = "train", data = run.data.name, eval_data = o.eval and o.eval.data.name,
    values = o.values and o.values.path,
    policy = run.policy.path, parameters = run.policy:num_parameters(),
    steps = run.total, warnings = warnings(o, run.said), settings = settings(run),
    functions = functions(run),
  }
end

return {of = about, rules = rules}
