-- The options of apo.train: its own, those of sampling and of AdamW, and those that the shipped
-- algorithms take. The notes beside a declaration say
--
--   resume    whether it may be another where a run goes on: nil, no: results depend on it, so it
--             is compared with what run.json has; "free", yes; "session", yes, and run.json does
--             not have it, as it belongs to the process and not to the run
--   live      that `apo-lua attach` may change it in a live run; `fixed` says why not
--   is_file   that it may be the path of a file that returns it, which `watch` reads again

local correct, reward_timeout = require "apo.rewards.correct", require "apo.rewards.timeout"
local reward_memory = require "apo.rewards.memory".declared(
  "a function of the script (a reward, `target`, `loss`, `beta`, `schedule`, `on_step`, `correct`, "
  .. "the step of an algorithm of its own)")
local declarations, sampling = require "apo.data.declarations", require "apo.data.sampling"
local shipped, received = require "apo.algorithms.shipped", require "apo.script.received"
local changed = declarations.changed

local free, session = {resume = "free"}, {resume = "session"}
local live, free_live = {live = true}, {resume = "free", live = true}
local of_rows = {fixed = "the order of the rows depends on it"}

local of_the_task = {
  {name = "policy", type = "apo.Model", text = "the model to train"},
  {name = "reference", type = "apo.Model", optional = true,
   text = "the model that the policy is kept near. If the algorithm needs one, the default is a "
     .. "frozen copy of the policy, or its base model (at no extra memory) if it has an "
     .. "adapter; other algorithms use it only to log the KL, which costs time"},
  {name = "algorithm", type = "string or table or function", default = shipped.default,
   values = shipped.names,
   text = "a name, an algorithm made by apo.algorithms, or your own; see apo.algorithm"},
  {name = "data", type = "apo.Dataset", text = "the rows to train on"},
  {name = "reward", type = "function or table or string", notes = {is_file = true},
   signature = received.reward,
   text = "as for apo.score, or the path of a file that returns it"},
  {name = "weights", type = "table", default = {},
   text = "weights of the rewards, as for apo.score"},
  changed(reward_timeout, {notes = free_live}), changed(reward_memory, {notes = free}),
}

local of_the_optimizer = declarations.append({
  {name = "watch", type = "boolean", default = false,
   text = "hot reload: between steps, reload edited files of `target`, `loss` and `reward`; an "
     .. "edit that fails is rejected"},
  {name = "optimizer", type = "apo.Optimizer", optional = true,
   text = "default: AdamW with the following settings"},
}, declarations.all(require "apo.declared".adamw, {
  lr = {minimum = 0, is_optional = true, notes = live,
        text = "learning rate; required unless `optimizer` is given"},
}), {
  {name = "schedule", type = "string or function", default = "constant",
   values = {"constant", "linear", "cosine"},
   signature = received.rate,
   text = "`constant`, `linear`, `cosine`, or a function of (step, total steps) that returns "
     .. "the factor of the learning rate"},
  {name = "warmup", type = "integer", minimum = 0, default = 0,
   text = "warm-up steps of the learning rate"},
  {name = "max_grad_norm", type = "number", default = 1, notes = live,
   text = "gradient clipping norm; math.huge for no clipping"},
  {name = "entropy_coef", type = "number", default = 0, notes = live,
   text = "this times the mean entropy is subtracted from the loss"},
})

local of_the_batches = {
  {name = "batch_size", type = "integer", minimum = 1, default = 64, notes = of_rows,
   text = "prompts per step"},
  {name = "mini_batch", type = "integer", minimum = 1, optional = true,
   text = "prompts per update, for several updates per step; default: all in one"},
  {name = "micro_batch", type = "integer", minimum = 1, optional = true, notes = free_live,
   text = "sequences per backward pass; saves memory and changes results only by rounding. "
     .. "Default: about 1,500 tokens at a time for samples fresh from the policy, otherwise all "
     .. "of an update; see model:logprobs"},
  {name = "epochs", type = "integer", minimum = 1, maximum = 1000000000, default = 1, notes = free,
   text = "passes over the data"},
  {name = "max_steps", type = "integer", minimum = 1, optional = true, notes = free_live,
   text = "limit on the number of steps"},
  {name = "shuffle", type = "boolean", default = true, notes = of_rows,
   text = "reshuffle every epoch"},
  {name = "drop_last", type = "boolean", default = false, notes = of_rows,
   text = "drop incomplete batches"},
  {name = "seed", type = "integer", optional = true,
   text = "seed of the row order and samples; default: the run's"},
}

-- How the policy is sampled. Its log-probabilities are those of all tokens at the temperature.
local of_the_samples, of_evaluation = {}, {}
for i, option in ipairs(sampling.options) do
  local text, at_evaluation = option.text, "; else as training"
  if option.name == "temperature" then
    text = "temperature of the samples and their log-probabilities. 0 samples greedily and "
      .. "scores at temperature 1, so the samples are not drawn from the trained distribution"
  elseif option.notes.is_distribution then
    text = text .. "; log-probabilities are those without it, so the samples are not drawn from "
      .. "what is trained"
    at_evaluation = "; not as training"
  end
  of_the_samples[i] = changed(option, {text = text, notes = option.notes.is_distribution and live
    or {fixed = "rows and memory were checked with it"}})
  of_evaluation[i] = changed(option, option.name == "temperature" and {default = 0}
    or {is_optional = true, text = option.text .. at_evaluation})
end

local of_the_record = {
  {name = "eval", optional = true,
   text = "evaluation before, during and after, as apo.evaluate does",
   fields = declarations.append({
     {name = "data", type = "apo.Dataset", text = "the rows"},
     {name = "every", type = "integer", minimum = 1, default = 50, notes = live,
      text = "steps between evaluations"},
     {name = "n", type = "integer", minimum = 1, default = 1, text = "samples per prompt"},
     {name = "reward", type = "function or table", optional = true, signature = received.reward,
      text = "default: as in training"},
     {name = "weights", type = "table", optional = true,
      text = "weights of the rewards; default: as in training, or 1 if `reward` is given"},
     {name = "patience", type = "integer", minimum = 1, optional = true, notes = free,
      text = "stop training after so many evaluations without a better `keep.best`, or "
        .. "`eval/reward` if that names no `eval/` metric"},
     correct.declared("(reward, completion)"),
   }, of_evaluation)},
  {name = "on_eval", type = "function", optional = true, notes = session,
   signature = received.on_eval,
   text = "called after each evaluation with its result and the apo.Run; return `false` to stop "
     .. "training"},
  {name = "state", type = "table", optional = true, notes = session,
   text = "data of the script's functions that is saved in checkpoints and restored by "
     .. "`resume`: numbers, strings, booleans and tables of them. Rewards and `on_step` receive "
     .. "it as third argument, `target` and `loss` as the field `state`"},
  {name = "log_completions", type = "integer", minimum = 0, optional = true,
   text = "completions recorded per logged step; default: all, as apo.replay needs"},
  {name = "log_tokens", type = "integer", minimum = 0, default = 8,
   text = "completions per logged step, the best and the worst, that are recorded with the text "
     .. "and log-probability of every token, which apo-lua report shows; about 13 bytes a token"},
  {name = "on_step", type = "function", optional = true, notes = session,
   signature = received.on_step,
   text = "called after each step with the metrics, the samples and the `state`; metrics added to "
     .. "the first are logged; return `false` to stop training"},
}

-- The options that the shipped algorithms take, by name.
local taken, of_algorithms = {}, {}
for _, make in pairs(require "apo.algorithms") do
  for _, option in ipairs(type(make) == "function" and make{}.takes or {}) do
    if type(option) == "table" and not taken[option.name] then
      taken[option.name] = option
      -- It has no default here: that it was given to another algorithm is an error.
      of_algorithms[#of_algorithms + 1] = option.default == nil and option or changed(option, {
        is_optional = true, text = ("%s; default: %s"):format(option.text, option.default),
      })
    end
  end
end

return {
  declared = declarations.append({}, of_the_task, of_algorithms, of_the_optimizer, of_the_batches,
    of_the_samples, of_the_record, require "apo.run.options"),
  taken = taken,
}
