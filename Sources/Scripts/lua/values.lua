-- Stage 1 of A*-PO (Brantley et al. 2025, arXiv 2505.20686): how good is the best policy near the
-- reference, prompt by prompt? From N samples of the reference policy, with rewards r_1 … r_N,
--
--   V*(x) = beta * ln( 1/N * sum_i exp(r_i / beta) )
--
-- Samples cost far more than the formula, so every reward is kept in a resumable file that serves
-- any beta. This file samples; values/table.lua uses the recorded rewards, values/file.lua stores
-- them.

local received = require "apo.script.received"
local apo = require "apo"
local extension, first_samples_of = require "apo.data.extension", require "apo.data.first_samples"
local documented, fail = require "apo.documented", require "apo.fail"
local new_table = require "apo.values.table"
local value_file = require "apo.values.file"
local row_key, reward_timeout = require "apo.data.row_key", require "apo.rewards.timeout"
local append, sampling = require "apo.data.declarations".append, require "apo.data.sampling"
local check_data = require "apo.data.check"
local hook, dry_run = require "apo.script.hook", require "apo.script.dry_run"
local duration = require "apo.runs.format".duration

-- Samples n completions for each row and gives the entries to store.
local function sample(options, rows, first_sample)
  local rollout = options.model:generate(rows, sampling.for_generate(options, {
    n = options.n, seed = options.seed, step = 0, first_sample = first_sample,
  }))
  local lengths_of = rollout:lengths():totable()
  local _, scored = apo.score(rollout, options.reward, {
    weights = options.weights, reward_timeout = options.reward_timeout,
    reward_memory = options.reward_memory,
  })
  local entries = {}
  for i, row in ipairs(rows) do
    local rewards, lengths = {}, {}
    for k = 1, options.n do
      local position = (i - 1) * options.n + k
      rewards[k], lengths[k] = scored.rewards[position], math.tointeger(lengths_of[position])
    end
    local index, hash = row_key.parts(row)
    entries[i] = {index = index, hash = hash, prompt = row.prompt,
                  rewards = rewards, lengths = lengths}
  end
  return entries
end

-- The rows without an entry, each once, and the numbers of their first samples.
local function missing_rows(data, entries, n)
  local rows, first, seen, first_samples = {}, {}, {}, first_samples_of(n)
  for _, row in ipairs(data.rows) do
    local key = row_key.text(row)
    if not seen[key] then
      local number = first_samples{row}[1]
      if not entries[key] then rows[#rows + 1], first[#first + 1] = row, number end
    end
    seen[key] = true
  end
  return rows, first
end

-- What is stored after a stop, and what to do next.
local function say_stopped(file, done, total, kind, quiet)
  if not file.path or quiet and kind ~= "signal" then return end
  io.stderr:write(("%s; %s holds %d of %d prompts. To resume, run the script again\n"):format(
    kind == "error" and "stopped by an error" or "stopped", apo.system.shown(file.path),
    done, total))
end

-- Samples and stores what is missing, a batch at a time.
local function complete(file, rows, first_samples, options)
  local total = #options.data
  local bar = apo.progress{title = "values", unit = "prompts", total = total,
                           done = total - #rows, quiet = options.quiet}
  local stored = total - #rows
  apo.system.on_failure(function()
    for first = 1, #rows, options.batch_size do
      local last = math.min(first + options.batch_size - 1, #rows)
      local batch = table.move(rows, first, last, 1, {})
      hook.during("apo.estimate_values", nil, function()
        local numbers = table.move(first_samples, first, last, 1, {})
        file:append(sample(options, batch, numbers))
      end)
      stored = stored + #batch
      bar:advance(#batch)
    end
  end, function(kind)
    bar:clear()
    say_stopped(file, stored, total, kind, options.quiet)
  end)
  bar:finish()
end

-- In a dry run: samples one batch, says how long all would take, and gives the other rows its
-- rewards.
local function try(file, rows, first_samples, options)
  local batch = table.move(rows, 1, options.batch_size, 1, {})
  local began = apo.system.clock()
  local entries = sample(options, batch, table.move(first_samples, 1, #batch, 1, {}))
  local seconds = apo.system.clock() - began
  file:append(entries)
  for i = #batch + 1, #rows do
    local entry, index, hash = entries[(i - 1) % #batch + 1], row_key.parts(rows[i])
    file:add{index = index, hash = hash, prompt = rows[i].prompt,
             rewards = entry.rewards, lengths = entry.lengths}
  end
  dry_run.say("stage 1", ("%d of %d prompts sampled in %.3g s, about %s in all"):format(
    #batch, #rows, seconds, duration(seconds * #rows / #batch)))
  dry_run.say("", "the other rows get the same rewards in turn")
end

-- Everything that the samples and their rewards depend on.
local function settings(options)
  local list = {
    n = options.n, seed = options.seed, model = options.model:checksum(),
    reward = value_file.reward_name(options.reward), weights = options.weights,
  }
  for _, option in ipairs(sampling.options) do
    -- A row's values do not depend on `overlong`, so a file made with another setting can be
    -- continued.
    if option.notes.resume ~= "free" and option.name ~= "overlong" then
      local value = options[option.name]
      list[option.name] = option.type == "number" and value + 0.0 or value
    end
  end
  return list
end

-- What a file of before has of a sampling option that it does not name.
local defaults = {}
for _, option in ipairs(sampling.options) do defaults[option.name] = option.default end

return documented{
  name = "apo.estimate_values",
  summary = "Estimates V*(x), the value of the best policy near a reference, for every row.",
  details = "Stage 1 of A*-PO: samples n completions of the reference policy for each prompt. With "
    .. "`path` every reward is stored in a file; a second call resumes where the first one "
    .. "stopped, and gives the same bytes as an uninterrupted one. V* is computed from the file, "
    .. "so another beta needs no new samples.",
  options = append({
    {name = "model", type = "apo.Model", text = "the reference policy"},
    {name = "adapter", type = "boolean", default = true,
     text = "false: the model without its adapter"},
    {name = "data", type = "apo.Dataset", text = "the rows"},
    {name = "reward", type = "function or table", signature = received.reward,
     text = "as for apo.score"},
    {name = "weights", type = "table", default = {},
     text = "weights of the rewards, as for apo.score"},
    reward_timeout,
    require "apo.rewards.memory".declared "a reward",
    {name = "n", type = "integer", minimum = 1, default = 8, text = "samples per prompt"},
  }, require "apo.values.options", sampling.options, {
    {name = "batch_size", type = "integer", minimum = 1, default = 32,
     text = "prompts sampled at a time; does not change the result"},
    {name = "seed", type = "integer", optional = true,
     text = "seed of the samples; default: that of the file or the run"},
    {name = "path", type = "string", optional = true, text = "file of the rewards"},
    {name = "quiet", type = "boolean", default = false, text = "show no progress bar"},
  }),
  returns = {{type = "apo.Values", text = "the values"}},
  example = [[local values = apo.estimate_values{
  model = reference, data = train, reward = reward, n = 8, beta = 0.5, max_tokens = 256,
  path = "runs/gsm8k/values.jsonl",
}
local v = values:of(rows)                 -- Tensor [B]
local sharper = values:with_beta(0.1)     -- no new samples]],
  call = function(options)
    if #options.data == 0 then fail("estimate_values: there are no rows") end
    if not options.adapter and options.model.adapter then
      options.model = options.model:base_model()
    end
    if options.path then
      extension.check(options.path, "estimate_values", {"jsonl", "ndjson"})
    end
    local text
    options.data, options.overlong_rows, text = check_data{
      name = "estimate_values", model = options.model, data = options.data,
      reward = options.reward, max_tokens = options.max_tokens, overlong = options.overlong,
      quiet = options.quiet,
    }
    if text and not options.quiet then apo.progress{total = 1}:print("values: " .. text) end
    local about = settings(options)
    local is_dry = dry_run.is_on()
    if is_dry and options.path and not apo.system.exists(options.path) then options.path = nil end
    local file = value_file.open(options.path, about, defaults)
    if is_dry then file.path = nil end
    options.seed = about.seed
    local missing, first_samples = missing_rows(options.data, file.entries, options.n)
    if is_dry and #missing > options.batch_size then
      try(file, missing, first_samples, options)
    elseif #missing > 0 then
      complete(file, missing, first_samples, options)
    end
    return new_table(file.entries, options)
  end,
}
