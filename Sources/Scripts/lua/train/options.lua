-- The options of apo.train: its own, those of sampling and of AdamW, and those that the shipped
-- algorithms take. The notes beside a declaration say
--
--   resume    whether it may be another where a run goes on: nil, no: results depend on it, so it
--             is compared with what run.json has; "free", yes; "session", yes, and run.json does
--             not have it, as it belongs to the process and not to the run
--   is_file   that it may be the path of a file that returns it, which `watch` reads again

local correct, reward_timeout = require "apo.rewards.correct", require "apo.rewards.timeout"
local reward_memory = require "apo.rewards.memory".declared(
  "a function of the script (a reward, `target`, `loss`, `beta`, `schedule`, `on_step`, `correct`, "
  .. "the step of an algorithm of its own)")
local declarations, sampling = require "apo.data.declarations", require "apo.data.sampling"
local shipped = require "apo.algorithms.shipped"
local changed = declarations.changed

local free, session = {resume = "free"}, {resume = "session"}

local of_the_task = {
  {name = "policy", type = "apo.Model", text = "the model to train"},
  {name = "reference", type = "apo.Model", optional = true,
   text = "the model that the policy is kept near; else a frozen copy of the policy as it is now, "
     .. "or, where the policy has an adapter, its base model, which takes no memory, for an "
     .. "algorithm that needs one; for others it costs time and logs the KL"},
  {name = "algorithm", type = "string or table or function", default = shipped.default,
   text = "a name or a table of apo.algorithms, or one's own; see apo.algorithm"},
  {name = "data", type = "apo.Dataset", text = "the rows to train on"},
  {name = "reward", type = "function or table or string", notes = {is_file = true},
   text = "as for apo.score, or the path of a file that returns it"},
  {name = "weights", type = "table", default = {}, text = "of the rewards, as for apo.score"},
  changed(reward_timeout, {notes = free}), changed(reward_memory, {notes = free}),
}

local of_the_optimizer = declarations.append({
  {name = "watch", type = "boolean", default = false,
   text = "read the files of `target`, `loss` and `reward` again when they were edited, between "
     .. "two steps; what fails is refused"},
  {name = "optimizer", type = "apo.Optimizer", optional = true,
   text = "else AdamW with the following settings"},
}, declarations.all(require "apo.declared".adamw, {
  lr = {minimum = 0, is_optional = true,
        text = "learning rate; needed unless there is an optimizer"},
}), {
  {name = "schedule", type = "string or function", default = "constant",
   text = "`constant`, `linear`, `cosine`, or a function of (step, total steps) that gives the "
     .. "factor of the learning rate"},
  {name = "warmup", type = "integer", minimum = 0, default = 0,
   text = "steps in which the learning rate rises"},
  {name = "max_grad_norm", type = "number", default = 1,
   text = "gradients are scaled down to this norm; math.huge for no clipping"},
  {name = "entropy_coef", type = "number", default = 0,
   text = "times the mean entropy is subtracted from the loss"},
})

local of_the_batches = {
  {name = "batch_size", type = "integer", minimum = 1, default = 64, text = "prompts per step"},
  {name = "mini_batch", type = "integer", minimum = 1, optional = true,
   text = "prompts per update, for several updates a step; else all in one"},
  {name = "micro_batch", type = "integer", minimum = 1, optional = true, notes = free,
   text = "sequences differentiated at once; saves memory, changes the result by rounding only. "
     .. "By default about 1,500 tokens' where the policy sampled them as it is, else all of an "
     .. "update; see model:logprobs"},
  {name = "epochs", type = "integer", minimum = 1, maximum = 1000000000, default = 1, notes = free,
   text = "passes over the data"},
  {name = "max_steps", type = "integer", minimum = 1, optional = true, notes = free,
   text = "an earlier end"},
  {name = "shuffle", type = "boolean", default = true, text = "a new order in every epoch"},
  {name = "drop_last", type = "boolean", default = false, text = "leave out smaller batches"},
  {name = "seed", type = "integer", optional = true, text = "of order and samples; else the run's"},
}

-- How the policy is sampled. Its log-probabilities are those of all tokens at the temperature.
local of_the_samples, of_evaluation = {}, {}
for i, option in ipairs(sampling.options) do
  local text, at_evaluation = option.text, "; else as training"
  if option.name == "temperature" then
    text = "of the samples and of their log-probabilities; 0 is greedy, with those of temperature "
      .. "1, so the samples are not drawn from what is trained"
  elseif option.notes.is_distribution then
    text = text .. "; log-probabilities are those without it, so the samples are not drawn from "
      .. "what is trained"
    at_evaluation = "; not as training"
  end
  of_the_samples[i] = changed(option, {text = text})
  of_evaluation[i] = changed(option, option.name == "temperature" and {default = 0}
    or {is_optional = true, text = option.text .. at_evaluation})
end

local of_the_record = {
  {name = "eval", optional = true,
   text = "evaluation before, during and after, as apo.evaluate does",
   fields = declarations.append({
     {name = "data", type = "apo.Dataset", text = "the rows"},
     {name = "every", type = "integer", minimum = 1, default = 50, text = "steps between"},
     {name = "n", type = "integer", minimum = 1, default = 1, text = "samples per prompt"},
     {name = "reward", type = "function or table", optional = true, text = "else as training"},
     {name = "weights", type = "table", optional = true,
      text = "of the rewards; else as training, or 1 where `reward` is given"},
     correct.declared("(reward, completion)"),
   }, of_evaluation)},
  {name = "dir", type = "string", optional = true, notes = session,
   text = "folder that records the run"},
  {name = "resume", type = "boolean or string or table", default = false, notes = session,
   text = "go on with the run in `dir` from its last checkpoint; `\"step-N\"` from that of step "
     .. "N, and what came after it is taken back; `\"force\"` also where settings or functions "
     .. "are others than it was started with, which events.jsonl then says; `{from = \"step-N\", "
     .. "force = true}` both"},
  {name = "save_every", type = "integer", minimum = 1, optional = true, notes = free,
   text = "steps between checkpoints; there is always one at the end, and one when the training is "
     .. "stopped"},
  {name = "save_minutes", type = "number", minimum = 0, default = 10, notes = free,
   text = "minutes after which a checkpoint is saved in any case; math.huge for none"},
  {name = "state", type = "table", optional = true, notes = session,
   text = "what the script's functions keep from step to step, in checkpoints: numbers, strings, "
     .. "booleans and tables of them. Rewards get it as their third argument, `target` and `loss` "
     .. "as the field `state`, `on_step` as its third argument; a run that goes on puts back what "
     .. "it was"},
  {name = "keep", optional = true, notes = free, text = "which checkpoints stay", fields = {
    {name = "last", type = "integer", minimum = 1, default = 2, text = "how many of the last ones"},
    {name = "best", type = "string", optional = true,
     text = "a figure as metrics.jsonl names it, such as `eval/reward`: of the checkpoints at "
       .. "whose step it was logged the best one stays too. One is saved whenever an `eval/` "
       .. "figure is the best so far"},
    {name = "mode", one_of = {"max", "min"}, default = "max",
     text = "whether the greatest is best, or the least, as of `loss` or `eval/mean_length`"},
  }},
  {name = "log_every", type = "integer", minimum = 1, default = 1, text = "steps between lines"},
  {name = "log_completions", type = "integer", minimum = 0, optional = true,
   text = "completions recorded of a logged step; else all, which apo.replay needs"},
  {name = "on_step", type = "function", optional = true, notes = session,
   text = "called with the figures, the samples and the `state` after each step; `false` ends the "
     .. "training"},
  {name = "quiet", type = "boolean", default = false, notes = session,
   text = "show nothing, but where a training that a signal stopped goes on"},
}

-- The options that the shipped algorithms take, by name.
local taken, of_algorithms = {}, {}
for _, make in pairs(require "apo.algorithms") do
  for _, option in ipairs(type(make) == "function" and make{}.takes or {}) do
    if type(option) == "table" and not taken[option.name] then
      taken[option.name] = option
      -- It has no default here: that it was given to another algorithm is an error.
      of_algorithms[#of_algorithms + 1] = option.default == nil and option or changed(option, {
        is_optional = true, text = ("%s; %s when not given"):format(option.text, option.default),
      })
    end
  end
end

return {
  declared = declarations.append({}, of_the_task, of_algorithms, of_the_optimizer, of_the_batches,
    of_the_samples, of_the_record),
  taken = taken,
}
