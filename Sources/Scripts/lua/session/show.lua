-- How a session shows what comes back from the library: a rollout as a table of prompts, texts and
-- rewards, an evaluation and the result of a training by their figures. Other values are left to
-- the printer.

local texts, last = require "apo.session.texts", require "apo.rewards.last"
local format = require "apo.runs.format"

local function line(name, text) return text and ("%-14s %s"):format(name, text) or nil end

local function add(lines, ...)
  for _, text in ipairs{...} do lines[#lines + 1] = text end
end

local function number(value)
  return type(value) == "number" and ("%.3f"):format(value) or nil
end

local function of_rollout(rollout, width)
  local rewards, rows = last[rollout], {}
  for i = 1, math.min(#rollout, 21) do rows[i] = rollout[i] end
  for i = #rows + 1, #rollout do rows[i] = false end
  local columns = {
    {"#", function(_, i) return i end, rank = 2},
    {"prompt", function(c) return c.prompt end, text = true},
    {"text", function(c) return c.text end, text = true},
    {"tokens", function(c) return c.ids and #c.ids end, rank = 3},
    {"finish", function(c) return c.finish_reason end, rank = 4},
  }
  if rewards then
    table.insert(columns, {"reward", function(_, i) return format.metric(rewards[i]) end})
  end
  local lines = {tostring(rollout)}
  if #rows > 0 then add(lines, table.unpack(texts(columns, rows, width))) end
  return lines
end

-- `@k` figures in the order of k.
local function at_counts(figures)
  local counts, parts = {}, {}
  for k in pairs(figures) do counts[#counts + 1] = k end
  table.sort(counts)
  for i, k in ipairs(counts) do parts[i] = ("@%s %.3f"):format(k, figures[k]) end
  return table.concat(parts, "  ")
end

local function of_evaluation(result, width)
  local first = result.rows[1]
  local n = first and #first.samples or 1
  local lines = {
    line("mean", ("%.3f over %d rows, %d %s each"):format(result.mean, result.count or #result.rows,
      n, n == 1 and "sample" or "samples")),
    line("pass", at_counts(result.pass_at)), line("majority", at_counts(result.maj_at)),
    line("mean length", ("%.1f tokens, %.0f%% cut off"):format(
      result.mean_length, 100 * result.clipped_ratio)),
  }
  for name, value in pairs(result.rewards or {}) do
    if name ~= "reward" then add(lines, line(name, number(value))) end
  end
  for name, source in pairs(result.sources or {}) do
    add(lines, line(tostring(name), number(source.mean)))
  end
  if first then
    add(lines, table.unpack(texts({
      {"prompt", function(row)
        return type(row.prompt) == "string" and row.prompt or "(messages or token ids)"
      end, text = true},
      {"first sample", function(row) return row.samples[1].text end, text = true},
      {"reward", function(row) return format.metric(row.samples[1].reward) end},
    }, result.rows, width)))
  end
  return lines
end

local of_a_step = {"reward", "loss", "kl", "grad_norm", "learning_rate"}

local function of_training(result)
  local lines = {line("steps", tostring(result.steps))}
  local first = result.history[1] or {}
  for _, name in ipairs(of_a_step) do
    local value = format.metric(result.metrics[name])
    local before = format.metric(first[name])
    add(lines, line(name, value and before and before ~= value
      and ("%s, at first %s"):format(value, before) or value))
  end
  if result.evaluation then
    add(lines, line("evaluation", number(result.evaluation.mean) or "?"))
  end
  add(lines, line("dir", result.dir))
  add(lines, line("checkpoint", result.checkpoint))
  add(lines, line("best", result.best_checkpoint))
  return lines
end

local function kind_of(value)
  if type(value) == "userdata" then
    return getmetatable(value) == "apo.Rollout" and of_rollout or nil
  elseif type(value) ~= "table" or getmetatable(value) then
    return nil
  elseif type(value.pass_at) == "table" and type(value.maj_at) == "table"
    and type(value.rows) == "table" and value.mean then
    return of_evaluation
  elseif math.type(value.steps) and type(value.history) == "table"
    and type(value.metrics) == "table" then
    return of_training
  end
end

-- The text of a value in at most so many columns; nil for other values, and for a table that a
-- script has made to look like one.
return function(value, width)
  local show = kind_of(value)
  if not show then return nil end
  local is_shown, lines = pcall(show, value, width)
  return is_shown and require "apo".system.visible(table.concat(lines, "\n"), true) or nil
end
