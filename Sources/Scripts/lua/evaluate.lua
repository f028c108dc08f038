-- How good is a model on a data set? n samples per prompt (or the greedy answer), scored.
--
--   mean        the average reward
--   pass_at[k]  the chance that one of k samples is correct, unbiased from n >= k samples with c
--               correct ones: 1 - C(n-c, k) / C(n, k)   (Chen et al. 2021, arXiv 2107.03374, eq. 1)
--   maj_at[k]   the chance that the most frequent answer of the first k samples is correct
--
-- The option `correct` defines what is correct. Samples have a separate seed: evaluating during
-- training does not change it.

local apo = require "apo"
local extension, first_samples_of = require "apo.data.extension", require "apo.data.first_samples"
local documented, fail = require "apo.documented", require "apo.fail"
local rows_of_files = require "apo.rows"
local numbers = require "apo.numbers.reader"
local correct, reward_timeout = require "apo.rewards.correct", require "apo.rewards.timeout"
local append, sampling = require "apo.data.declarations".append, require "apo.data.sampling"
local check_data, dry_run = require "apo.data.check", require "apo.script.dry_run"
local received = require "apo.script.received"
local hook, reward_memory = require "apo.script.hook", require "apo.rewards.memory"

-- 1 - C(n-c, k) / C(n, k), as the product of 1 - k/i for i = n-c+1 … n.
local function pass_at(n, c, k)
  if n - c < k then return 1 end
  local product = 1
  for i = n - c + 1, n do product = product * (1 - k / i) end
  return 1 - product
end

-- Whether the most frequent answer of the first k samples is correct; the first one wins ties.
-- Samples without an answer have no vote.
local function majority(samples, k)
  local count, best = {}, nil
  for i = 1, k do
    local answer = samples[i].answer
    if answer then count[answer] = (count[answer] or 0) + 1 end
  end
  for i = 1, k do
    local answer = samples[i].answer
    if answer and (not best or count[answer] > count[best.answer]) then best = samples[i] end
  end
  return best and best.correct and 1 or 0
end

local function answer_of(options, completion)
  if not options.answer then return completion.text end
  local answer = hook.call("answer", options.answer, completion)
  -- 5 and 5.0 are one vote.
  if type(answer) == "number" then answer = numbers.of(answer) or answer end
  return answer ~= nil and tostring(answer) or nil
end

-- Samples and scores a batch; one record for each row.
local function evaluate_batch(options, rows, first_sample)
  local rollout = options.model:generate(rows, sampling.for_generate(options, {
    n = options.n, seed = options.seed, step = 0, first_sample = first_sample,
  }))
  local lengths = rollout:lengths():totable()
  local _, scored = apo.score(rollout, options.reward, {
    weights = options.weights, reward_timeout = options.reward_timeout, state = options.state,
    reward_memory = options.reward_memory,
  })
  local is_correct, records = correct.test(options.correct), {}
  for i, row in ipairs(rows) do
    local samples = {}
    for k = 1, options.n do
      local position = (i - 1) * options.n + k
      local completion = rollout[position]
      samples[k] = {
        text = completion.text, reward = scored.rewards[position], rewards = scored.parts[position],
        finish_reason = completion.finish_reason, stop_reason = completion.stop_reason,
        length = math.tointeger(lengths[position]),
        answer = answer_of(options, completion),
        correct = is_correct(scored.rewards[position], completion),
      }
    end
    records[i] = {row = row, prompt = row.prompt, samples = samples}
  end
  return records
end

-- 1, 2, 4, … and n itself.
local function sample_counts(n)
  local counts, k = {}, 1
  while k < n do
    counts[#counts + 1] = k
    k = 2 * k
  end
  counts[#counts + 1] = n
  return counts
end

-- The mean of each named reward over the samples that have it.
local function means_of_parts(records)
  local sums, counts = {}, {}
  for _, record in ipairs(records) do
    for _, sample in ipairs(record.samples) do
      for name, value in pairs(sample.rewards) do
        sums[name], counts[name] = (sums[name] or 0) + value, (counts[name] or 0) + 1
      end
    end
  end
  for name, count in pairs(counts) do sums[name] = sums[name] / count end
  return sums
end

-- The figures over some records.
local function summarize(records, n)
  local result = {mean = 0, pass_at = {}, maj_at = {}, mean_length = 0, clipped_ratio = 0,
                  count = #records, rewards = means_of_parts(records)}
  local counts = sample_counts(n)
  for _, k in ipairs(counts) do result.pass_at[k], result.maj_at[k] = 0, 0 end
  for _, record in ipairs(records) do
    local solved = 0
    for _, sample in ipairs(record.samples) do
      result.mean = result.mean + sample.reward / n / #records
      result.mean_length = result.mean_length + sample.length / n / #records
      if sample.finish_reason == "length" then
        result.clipped_ratio = result.clipped_ratio + 1 / n / #records
      end
      if sample.correct then solved = solved + 1 end
    end
    for _, k in ipairs(counts) do
      result.pass_at[k] = result.pass_at[k] + pass_at(n, solved, k) / #records
      result.maj_at[k] = result.maj_at[k] + majority(record.samples, k) / #records
    end
  end
  return result
end

-- The figures for each value of the column `data_source`.
local function by_source(records, n)
  local groups, result = {}, {}
  for _, record in ipairs(records) do
    local source = record.row.data_source
    if source ~= nil then
      groups[source] = groups[source] or {}
      table.insert(groups[source], record)
    end
  end
  for source, group in pairs(groups) do result[source] = summarize(group, n) end
  return result
end

-- An unwritable path is an error before anything is sampled.
local function check_path(path)
  local folder = path:match("^(.*)/[^/]*$")
  if folder and folder ~= "" then apo.system.make_folder(folder) end
  apo.system.check_writable(path)
end

local function write(path, records)
  local lines = {}
  for i, record in ipairs(records) do
    lines[i] = apo.json.encode({
      row = rows_of_files.get(record.row), data_source = record.row.data_source,
      prompt = record.prompt, samples = record.samples,
    }, {lossy = true, order = {"row", "data_source", "prompt"}})
  end
  apo.system.write_file(path, table.concat(lines, "\n") .. "\n")
end

return documented{
  name = "apo.evaluate", summary = "Samples a model on a data set and scores it.",
  options = append({
    {name = "model", type = "apo.Model", text = "the model"},
    {name = "data", type = "apo.Dataset", text = "the rows"},
    {name = "reward", type = "function or table", signature = received.reward,
     text = "as for apo.score"},
    {name = "weights", type = "table", default = {},
     text = "weights of the rewards, as for apo.score"},
    reward_timeout,
    reward_memory.declared "a reward, `answer` or `correct`",
    {name = "n", type = "integer", minimum = 1, default = 1, text = "samples per prompt"},
  }, sampling.declared{temperature = {default = 0}}, {
    {name = "answer", type = "function", optional = true, signature = received.answer,
     text = "extracts the answer of a completion for the majority vote, nil if there is none; "
       .. "default: the whole text"},
    correct.declared("(reward, completion)"),
    {name = "batch_size", type = "integer", minimum = 1, default = 64,
     text = "prompts sampled at a time; does not change the result"},
    {name = "seed", type = "integer", default = 20250527, text = "of the samples"},
    {name = "path", type = "string", optional = true,
     text = "file for prompts and samples, one line per row; written atomically"},
    {name = "state", type = "table", optional = true, text = "as for apo.score"},
    {name = "title", type = "string", default = "evaluation", text = "of the progress bar"},
    {name = "quiet", type = "boolean", default = false, text = "show no progress bar"},
  }),
  returns = {{type = "table", text = "`mean`, `pass_at[k]`, `maj_at[k]`, `mean_length`, "
    .. "`clipped_ratio`, `count`; `overlong`, how many prompts were too long; `rewards`, the mean "
    .. "of each named reward; `sources`, the same for each `data_source`; `rows`, each with "
    .. "`row`, `prompt` and `samples` (`text`, `reward`, `rewards`, `correct`, `answer`, "
    .. "`length`, `finish_reason`, `stop_reason`)"}},
  example = [[local result = apo.evaluate{
  model = policy, data = test, reward = reward, n = 8, temperature = 1, max_tokens = 256,
}
print(result.mean, result.pass_at[8], result.maj_at[8])]],
  call = function(options)
    if #options.data == 0 then fail("evaluate: there are no rows") end
    if options.path then
      extension.check(options.path, "evaluate", {"jsonl", "ndjson"})
      check_path(options.path)
    end
    local data, long, text = check_data{
      name = "evaluate", model = options.model, data = options.data, reward = options.reward,
      max_tokens = options.max_tokens, overlong = options.overlong, quiet = options.quiet,
    }
    if dry_run.is_on() and #data > options.batch_size then
      dry_run.say("evaluation", ("of the first %d of %d rows"):format(options.batch_size, #data))
      data = data:take(options.batch_size)
    end
    local records = {}
    local bar = apo.progress{title = options.title, unit = "prompts", total = #data,
                             quiet = options.quiet}
    if text then bar:print(options.title .. ": " .. text) end
    local first_samples = first_samples_of(options.n)
    local function evaluate_all()
      for _, rows in data:batches{size = options.batch_size, seed = 0} do
        local batch = evaluate_batch(options, rows, first_samples(rows))
        table.move(batch, 1, #rows, #records + 1, records)
        bar:advance(#rows)
      end
    end
    hook.during(not hook.is_within() and "apo.evaluate" or nil, nil, evaluate_all,
      reward_memory.bytes(options.reward_memory))
    bar:clear()
    if options.path then write(options.path, records) end
    local result = summarize(records, options.n)
    result.overlong = long
    result.rows, result.sources = records, by_source(records, options.n)
    return result
  end,
}
