-- The layout of the data that the A*-PO authors published, as it is: conversations as prompts,
-- nested right answers, rewards of the reference samples in columns.
local spec = ...
local apo = require "apo"
local equal, close, raises = spec.equal, spec.close, spec.raises

local lines = {}
for i = 1, 3 do
  local row = {
    data_source = "openai/gsm8k", ability = "math",
    prompt = {{role = "user", content = "What is " .. i .. " + 1?"}},
    reward_model = {style = "rule", ground_truth = tostring(i + 1)},
    extra_info = {split = "train", index = i - 1, answer = "#### " .. i + 1, question = "?"},
  }
  for p = 0, 7 do
    row["response_" .. p] = "#### " .. i + p
    row["eval_" .. p] = p < 4 * (i - 1) and 1 or 0
  end
  lines[i] = apo.json.encode(row) .. "\n"
end
local path = spec.folder .. "/train.jsonl"
spec.write(path, table.concat(lines))

local data = apo.dataset(path, {chat_template = false})
equal({#data, data[2].prompt, data[2].reward_model.ground_truth, data[3].extra_info.index},
  {3, "What is 2 + 1?", "3", 2})
local reward = apo.rewards.gsm8k()
equal(reward(data[1], {text = "#### 2"}), 1)

-- V* as their rl_dataset.py computes it from the columns: k of 8 correct, beta1 = 0.5.
local values = apo.values_from{data = data}
equal({#values, values.n, values.beta}, {3, 8, 0.5})
local v = values:of(data.rows):totable()
for i, k in ipairs{0, 4, 8} do
  close(v[i], 0.5 * math.log(1 - k / 8 + k / 8 * math.exp(2)), 1e-6)
end
equal(values:with_mode("mean"):of(data.rows):totable(), {0, 0.5, 1})
equal(values:rewards(data[2]), {1, 1, 1, 1, 0, 0, 0, 0})
equal({values:pass_rate(data[1]), #values:solvable(data)}, {0.0, 2})
equal(apo.values_from{data = data, n = 4, mode = "mean"}:of(data.rows):totable(), {0, 1, 1})
assert(tostring(values):find("3 prompts, 8 samples each", 1, true))
equal(values:summary().mean_length, nil)
raises("lengths: these values were read from columns", values.lengths, values, data[1])

-- A training takes both as they are.
local model = apo.load(spec.fixtures .. "/models/tiny-qwen2-tied")
local result = apo.train{
  policy = model, data = data, values = values, reward = reward, lr = 1e-4, batch_size = 3,
  max_tokens = 4, quiet = true,
}
close(result.metrics.v_star, (v[1] + v[2] + v[3]) / 3, 1e-6)
close(result.metrics["apo/v_star_zero_frac"], 1 / 3)

raises("values_from: row 1 has no column 'score_0'", apo.values_from, {data = data, prefix = "score_"})
raises("line 1: the column 'eval_8' must be a finite number, got nothing",
  apo.values_from, {data = data, n = 9})
local flags = apo.dataset{{prompt = "a", eval_0 = true, eval_1 = false}}
equal(apo.values_from{data = flags, mode = "mean"}:of(flags.rows):totable(), {0.5})

-- The caller's table stays as it is; without a template, longer conversations are the script's to
-- write out.
local chat = {{role = "user", content = "Hi"}}
local given, raw = {prompt = chat}, {chat_template = false}
equal(apo.dataset({given}, raw)[1].prompt, "Hi")
assert(given.prompt == chat)
assert(apo.dataset{given}[1] == given)
raises("row 1: 'prompt' is a conversation of 2 messages; without a chat template only a single user "
  .. "message is allowed", apo.dataset, {{prompt = {{role = "system", content = "Be brief."}, chat[1]}}}, raw)
raises("is a conversation of 1 messages", apo.dataset, {{prompt = {{role = "user"}}}}, raw)
raises("line 1: chat template: the tokenizer has no chat template", model.generate, model,
  apo.dataset(path))
equal(apo.dataset({{prompt = {{role = "system", content = "S"}, chat[1]}}}, {
  prompt = function(row) return row.prompt[1].content .. row.prompt[2].content end,
})[1].prompt, "SHi")
