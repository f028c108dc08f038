-- The options of apo.train: its own, and those that the shipped algorithms take. Beside what every
-- declaration has:
--
--   is_file   it may be the path of a file that returns it, which `watch` reads again

local correct, reward_timeout = require "apo.rewards.correct", require "apo.rewards.timeout"
local overlong = require "apo.data.overlong"
local shipped = require "apo.algorithms.shipped"

local of_the_task = {
  {name = "policy", type = "apo.Model", text = "the model to train"},
  {name = "reference", type = "apo.Model", optional = true,
   text = "the model that the policy is kept near; else a frozen copy of the policy as it is now, "
     .. "or, where the policy has an adapter, its base model, which takes no memory, for an "
     .. "algorithm that needs one; for others it costs time and logs the KL"},
  {name = "algorithm", type = "string or table or function", default = shipped.default,
   text = "a name or a table of apo.algorithms, or one's own; see apo.algorithm"},
  {name = "data", type = "apo.Dataset", text = "the rows to train on"},
  {name = "reward", type = "function or table or string", is_file = true,
   text = "as for apo.score, or the path of a file that returns it"},
  {name = "weights", type = "table", default = {}, text = "of the rewards, as for apo.score"},
  reward_timeout,
  require "apo.rewards.memory".option,
}

local of_the_run = {
  {name = "watch", type = "boolean", default = false,
   text = "read the files of `target`, `loss` and `reward` again when they were edited, between "
     .. "two steps; what fails is refused"},
  {name = "lr", type = "number", minimum = 0, optional = true,
   text = "learning rate; needed unless there is an optimizer"},
  {name = "optimizer", type = "apo.Optimizer", optional = true,
   text = "else AdamW with the following settings"},
  {name = "betas", type = "list of numbers", default = {0.9, 0.999}, text = "of AdamW"},
  {name = "eps", type = "number", default = 1e-8, text = "of AdamW"},
  {name = "weight_decay", type = "number", default = 0.01, text = "of AdamW"},
  {name = "schedule", type = "string or function", default = "constant",
   text = "`constant`, `linear`, `cosine`, or a function of (step, total steps) that gives the "
     .. "factor of the learning rate"},
  {name = "warmup", type = "integer", minimum = 0, default = 0,
   text = "steps in which the learning rate rises"},
  {name = "batch_size", type = "integer", minimum = 1, default = 64, text = "prompts per step"},
  {name = "mini_batch", type = "integer", minimum = 1, optional = true,
   text = "prompts per update, for several updates a step; else all in one"},
  {name = "micro_batch", type = "integer", minimum = 1, optional = true,
   text = "sequences differentiated at once; saves memory, changes the result by rounding only. "
     .. "By default about 1,500 tokens' where the policy sampled them as it is, else all of an "
     .. "update; see model:logprobs"},
  {name = "epochs", type = "integer", minimum = 1, maximum = 1000000000, default = 1,
   text = "passes over the data"},
  {name = "max_steps", type = "integer", minimum = 1, optional = true, text = "an earlier end"},
  {name = "shuffle", type = "boolean", default = true, text = "a new order in every epoch"},
  {name = "drop_last", type = "boolean", default = false, text = "leave out smaller batches"},
  {name = "max_tokens", type = "integer", minimum = 1, text = "longest completion"},
  {name = "temperature", type = "number", minimum = 0, default = 1,
   text = "of the samples and of their log-probabilities; 0 is greedy, with those of temperature "
     .. "1, so the samples are not drawn from what is trained"},
  {name = "top_k", type = "integer", optional = true,
   text = "as for generate; log-probabilities are those without it, so the samples are not drawn "
     .. "from what is trained"},
  {name = "top_p", type = "number", optional = true, text = "as for generate; see `top_k`"},
  {name = "min_p", type = "number", optional = true, text = "as for generate; see `top_k`"},
  {name = "stop", type = "string or list of strings", optional = true, text = "as for generate"},
  {name = "stop_token_ids", type = "list of integers", optional = true, text = "as for generate"},
  {name = "ignore_eos", type = "boolean", default = false, text = "as for generate"},
  {name = "max_num_seqs", type = "integer", minimum = 1, optional = true, text = "as for generate"},
  overlong,
  {name = "entropy_coef", type = "number", default = 0,
   text = "times the mean entropy is subtracted from the loss"},
  {name = "max_grad_norm", type = "number", default = 1,
   text = "gradients are scaled down to this norm; math.huge for no clipping"},
  {name = "eval", optional = true,
   text = "evaluation before, during and after, with the run's `stop`, "
    .. "`stop_token_ids`, `ignore_eos` and `overlong`, from the whole distribution", fields = {
    {name = "data", type = "apo.Dataset", text = "the rows"},
    {name = "every", type = "integer", minimum = 1, default = 50, text = "steps between"},
    {name = "n", type = "integer", minimum = 1, default = 1, text = "samples per prompt"},
    {name = "temperature", type = "number", minimum = 0, default = 0, text = "0 is greedy"},
    {name = "max_tokens", type = "integer", minimum = 1, optional = true,
     text = "else as training"},
    {name = "reward", type = "function or table", optional = true, text = "else as training"},
    {name = "weights", type = "table", optional = true,
     text = "of the rewards; else as training, or 1 where `reward` is given"},
    correct.declared("(reward, completion)"),
  }},
  {name = "dir", type = "string", optional = true, text = "folder that records the run"},
  {name = "resume", type = "boolean or string or table", default = false,
   text = "go on with the run in `dir` from its last checkpoint; `\"step-N\"` from that of step "
     .. "N, and what came after it is taken back; `\"force\"` also where settings or functions "
     .. "are others than it was started with, which events.jsonl then says; `{from = \"step-N\", "
     .. "force = true}` both"},
  {name = "save_every", type = "integer", minimum = 1, optional = true,
   text = "steps between checkpoints; there is always one at the end, and one when the training is "
     .. "stopped"},
  {name = "save_minutes", type = "number", minimum = 0, default = 10,
   text = "minutes after which a checkpoint is saved in any case; math.huge for none"},
  {name = "state", type = "table", optional = true,
   text = "what the script's functions keep from step to step, in checkpoints: numbers, strings, "
     .. "booleans and tables of them. Rewards get it as their third argument, `target` and `loss` "
     .. "as the field `state`, `on_step` as its third argument; a run that goes on puts back what "
     .. "it was"},
  {name = "keep", optional = true, text = "which checkpoints stay", fields = {
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
  {name = "seed", type = "integer", optional = true, text = "of order and samples; else the run's"},
  {name = "on_step", type = "function", optional = true,
   text = "called with the figures, the samples and the `state` after each step; `false` ends the "
     .. "training"},
  {name = "quiet", type = "boolean", default = false,
   text = "show nothing, but where a training that a signal stopped goes on"},
}

-- What `documented` knows of a declaration. An option that only some algorithms take has no default
-- here: that it was given to another one is an error.
local function plain(option, is_taken)
  local copy = {}
  for key, value in pairs(option) do copy[key] = value end
  copy.is_file = nil
  if is_taken and option.default ~= nil then
    copy.default, copy.optional = nil, true
    copy.text = ("%s; %s when not given"):format(option.text, option.default)
  end
  return copy
end

-- The options that the shipped algorithms declare.
local of_algorithms = {}
for _, make in pairs(require "apo.algorithms") do
  for _, option in ipairs(type(make) == "function" and make{}.takes or {}) do
    of_algorithms[#of_algorithms + 1] = type(option) == "table" and option or nil
  end
end

local declared, by_name, taken = {}, {}, {}
for _, list in ipairs{of_the_task, of_algorithms, of_the_run} do
  for _, option in ipairs(list) do
    if list == of_algorithms then taken[option.name] = option end
    if not by_name[option.name] then
      declared[#declared + 1] = plain(option, list == of_algorithms)
    end
    by_name[option.name] = option
  end
end

-- `declared` for apo.train; all by name; and those of them that only algorithms take.
return {declared = declared, by_name = by_name, taken = taken}
