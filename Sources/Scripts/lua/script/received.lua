-- What the functions of a script receive: the classes of the tables, for the manual and for
-- editors, and the functions' signatures, as language servers write them.

local documented = require "apo.documented"

local function class(name, summary, fields)
  documented{class = name, summary = summary, fields = fields}
end

local completion = {
  {name = "text", type = "string", text = "The text, without what ended it."},
  {name = "ids", type = "list of integers", text = "All sampled tokens."},
  {name = "prompt", type = "string", text = "The prompt as text."},
  {name = "prompt_ids", type = "list of integers", text = "The tokens of the prompt."},
  {name = "row", type = "table", text = "The row of the data set that the prompt is from."},
  {name = "sample", type = "integer", text = "Which of the prompt's samples it is, from 1."},
  {name = "finish_reason", type = "string", values = {"eos", "stop", "length"},
   text = "Why it ended."},
  {name = "stop_reason", type = "string or integer",
   text = "The stop string, or the id of the stop token, that ended it; otherwise nil."},
  {name = "temperature", type = "number", text = "The sampling temperature."},
  {name = "logprobs", type = "list of numbers", text = "The log-probability of each token."},
  {name = "logprob", type = "number", text = "Their sum."},
}
class("apo.Completion", "A completion of a prompt, as in `rollout[i]` and rewards.", completion)

class("apo.Sample", "A sample of a step, as a target and `on_step` receive it.", {
  {name = "reward", type = "number", text = "The weighted sum of its rewards."},
  {name = "rewards", type = "table", text = "Each reward by its name."},
  {name = "value", type = "number", text = "V* of its row, nil without `values`."},
  {name = "row", type = "table", text = "The row of the data set."},
  {name = "completion", type = "apo.Completion", text = "The completion."},
  {name = "logp", type = "number", text = "The log-probability under the sampling policy."},
  {name = "ref_logp", type = "number", text = "The log-probability under the reference."},
  {name = "length", type = "integer", text = "The number of its tokens."},
  {name = "finish_reason", type = "string", values = {"eos", "stop", "length"},
   text = "Why it ended."},
  {name = "stop_reason", type = "string or integer",
   text = "The stop string, or the id of the stop token, that ended it; otherwise nil."},
  {name = "step", type = "integer", text = "The step of the training, from 1."},
  {name = "state", type = "table", text = "The `state` of apo.train; in a target only."},
})

local function tensor(name, text)
  return {name = name, type = "apo.Tensor", text = text}
end

class("apo.LossBatch", "What a `loss` of apo.train receives; tensors have the shape [B].", {
  tensor("logp", "The log-probabilities under the policy, with gradients."),
  tensor("ref_logp", "Those under the reference."),
  tensor("old_logp", "Those under the policy that sampled."),
  tensor("target", "The targets."), tensor("reward", "The rewards."),
  tensor("value", "V* of the rows."), tensor("entropy", "The mean entropies."),
  {name = "rollout", type = "apo.Rollout", text = "The completions."},
  {name = "rows", type = "list of tables", text = "The row of each."},
  {name = "samples", type = "list of apo.Sample", text = "The samples, as a target has them."},
  {name = "policy", type = "apo.Model", text = "The policy."},
  {name = "reference", type = "apo.Model", text = "The reference."},
  {name = "beta", type = "number", text = "The current beta."},
  {name = "step", type = "integer", text = "The step, from 1."},
  {name = "state", type = "table", text = "The `state` of apo.train."},
})

return {
  reward = "fun(row: table, completion: apo.Completion, state?: table): "
    .. "number|table<string, number>",
  answer = "fun(completion: apo.Completion): any",
  correct = "fun(reward: number, completion: apo.Completion): boolean",
  target = "fun(sample: apo.Sample): number",
  loss = "fun(batch: apo.LossBatch): apo.Tensor, table<string, number>?",
  rate = "fun(step: integer, total: integer): number",
  on_step = "fun(metrics: table<string, any>, samples: apo.Sample[], state?: table): boolean?",
  on_eval = "fun(result: table, run: apo.Run): boolean?",
  map = "fun(row: table): table", filter = "fun(row: table): any",
  prompt = "fun(row: table): string|integer[]|table[]",
}
