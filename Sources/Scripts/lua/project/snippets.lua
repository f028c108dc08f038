-- Snippets for VS Code, and for editors that read its format.

local json = require "apo".json

local bodies = {
  {"apo", "A script", {
    'local apo = require "apo"', "apo.seed(${1:1})", "",
    'local policy = apo.load("${2:models/arithmetic}")',
    'local train = apo.dataset("${3:data/train.jsonl}")', "$0",
  }},
  {"reward", "A reward function", {
    "local function reward(row, completion)",
    "  return completion.text == row.${1:answer} and 1 or 0$0", "end",
  }},
  {"train", "A training", {
    "apo.train{", "  policy = policy, data = train, reward = reward,",
    "  algorithm = apo.algorithms.${1:grpo}{n = ${2:8}}, lr = ${3:1e-5}, batch_size = ${4:64},",
    '  max_tokens = ${5:256}, dir = "runs/${6:first}",$0', "}",
  }},
  {"values", "Stage 1 of A*-PO", {
    "local values = apo.estimate_values{",
    "  model = reference, data = train, reward = reward, n = ${1:8}, beta = ${2:0.5},",
    '  max_tokens = ${3:256}, path = "runs/${4:first}/values.jsonl",$0', "}",
  }},
  {"evaluate", "An evaluation", {
    "local result = apo.evaluate{",
    "  model = policy, data = ${1:test}, reward = reward, max_tokens = ${2:256},$0", "}",
  }},
}

return function()
  local all = {}
  for _, body in ipairs(bodies) do
    all[body[2]] = {prefix = "apo-" .. body[1], body = body[3], scope = "lua"}
  end
  return json.encode(all) .. "\n"
end
