-- The evaluations of a run. Checkpoints contain the last result, so that a finished run returns it
-- when called again.

local apo = require "apo"
local hook, plain_data = require "apo.script.hook", require "apo.data.plain_data"
local sampling = require "apo.data.sampling"
local evaluation_metrics = require "apo.run.evaluation_metrics"
local whole, kept_checkpoints = require "apo.step.whole_state", require "apo.run.kept"
local rows_of_files, row_key = require "apo.rows", require "apo.data.row_key"

local function evaluated(run, eval)
  local o, result = run.options, nil
  local names = {reward = eval.reward and "eval.reward" or "reward", correct = "eval.correct"}
  hook.during(("apo.train, the evaluation after step %d"):format(run.step), names, function()
    local given = {
      model = run.policy, data = eval.data, reward = eval.reward or o.reward,
      weights = eval.weights or eval.reward and {} or o.weights, n = eval.n,
      correct = eval.correct, quiet = run.console.is_quiet, state = o.state,
      reward_timeout = o.reward_timeout, reward_memory = o.reward_memory,
    }
    result = apo.evaluate(sampling.evaluated(given, eval, o))
  end, run.memory)
  return result
end

local function call_on_eval(run, result)
  hook.during(("apo.train, the evaluation after step %d"):format(run.step), nil, function()
    if hook.call("on_eval", run.options.on_eval, result, run) == false then
      run:stop "on_eval returned false"
    end
  end, run.memory)
end

-- Whether an evaluation is due after this step and was not done yet.
local function is_due(run)
  local eval = run.options.eval
  return eval ~= nil and run.evaluated ~= run.step
    and (run.step % eval.every == 0 or run.step == run.total)
end

local function evaluate(run)
  apo.seed_step(run.seed, ~run.step)  -- other numbers than those of a step
  local result = evaluated(run, run.options.eval)
  run.evaluation = result
  run:write_evaluation(evaluation_metrics(result))
  whole.mark(run)
  local patience = run.options.eval.patience
  if patience and kept_checkpoints.since_best(run) >= patience then
    run:stop(("%s did not improve in %d evaluations"):format(
      kept_checkpoints.metric(run), patience))
  end
  if run.options.on_eval then call_on_eval(run, result) end
  run:end_early()
end

-- The identity of an evaluation row; only its number if the row cannot be serialised.
local function key_of(row)
  local is_data, key = pcall(row_key.text, row)
  return is_data and key or tostring(rows_of_files.get(row))
end

-- The result as a checkpoint holds it, without the rows of the data, which have their keys there;
-- nil where there is none.
local function kept(run)
  if not run.evaluation then return nil end
  local copy = {}
  for name, value in pairs(run.evaluation) do copy[name] = value end
  copy.rows, copy.keys = {}, {}
  for i, record in ipairs(run.evaluation.rows) do
    copy.rows[i], copy.keys[i] = record.samples, key_of(record.row)
  end
  local is_plain, data = pcall(plain_data.encode, copy, "evaluation")
  return is_plain and data or nil
end

-- The inverse. There is no result if a row is no longer in the data.
local function restore(run, data, place)
  local eval = run.options.eval
  if type(data) ~= "table" or not eval then return end
  local result = plain_data.decode(data, place .. ": field 'evaluation'")
  local by_key, records = {}, {}
  for _, row in ipairs(eval.data.rows) do by_key[key_of(row)] = row end
  for i, samples in ipairs(type(result.rows) == "table" and result.rows or {}) do
    local row = by_key[type(result.keys) == "table" and result.keys[i]]
    if not row then return end  -- the rows are others: resume = "force"
    records[i] = {row = row, prompt = row.prompt, samples = samples}
  end
  result.rows, result.keys = records, nil
  run.evaluation = result
end

return {is_due = is_due, evaluate = evaluate, kept = kept, restore = restore}
