-- The settings of published runs, to be passed on or changed:
--
--   apo.train(apo.presets.gsm8k{policy = policy, data = train, values = values, reward = reward})
--
-- Sources: A-PO is github ZhaolinGao/A-PO c8823a3 (30 May 2025), the code of arXiv 2505.20686.

local documented = require "apo.documented"

-- A copy of the first table with the fields of the second laid over it.
local function merge(settings, changes)
  local result = {}
  for name, value in pairs(settings) do result[name] = value end
  for name, value in pairs(changes) do result[name] = value end
  return result
end

local a_star_po = {
  beta = 1e-3,             -- beta2; A-PO scripts/apo_gsm8k.sh, README table
  lr = 1e-6,               -- constant, no warm-up; scripts/apo_gsm8k.sh
  betas = {0.9, 0.999}, eps = 1e-8, weight_decay = 1e-2,  -- verl fsdp_workers_apo.py
  max_grad_norm = 1.0,     -- verl/trainer/config/apo_trainer.yaml
  entropy_coef = 0.001,    -- the same; not overridden by the scripts
  batch_size = 256,        -- prompts, one completion each; scripts/apo_gsm8k.sh
  mini_batch = 128,        -- two updates a step, the second slightly off-policy
  epochs = 25, drop_last = true, shuffle = true,
  max_tokens = 1024, temperature = 1.0,
}

-- Stage 1: scripts/apo_gsm8k.sh (N, beta1) and preprocess/data_generation/model_generate.py. The
-- all-wrong prompts stay in (filter_incorrect is False in both scripts).
local a_star_po_values = {
  n = 8, beta = 0.5, temperature = 1.0, max_tokens = 1024, drop_unsolved = false,
}

-- What the authors put after each question; preprocess/data_preprocess. Prompts of more than 256
-- tokens were left out; with `tokenizer`, longest_prompt does that.
local suffixes = {
  gsm8k = ' Let\'s think step by step and output the final answer after "####".',
  math = " Let's think step by step and output the final answer within \\boxed{}.",
}

local function preset(name, summary, settings)
  return documented{
    name = "apo.presets." .. name, summary = summary,
    details = "Returns a table of options; `changes` override them.",
    parameters = {{name = "changes", type = "table", default = {}, text = "options to override"}},
    returns = {{type = "table", text = "options"}},
    call = function(changes) return merge(settings, changes) end,
  }
end

local function prompt(name, column, summary)
  return documented{
    name = "apo.presets." .. name .. "_prompt", summary = summary,
    parameters = {{name = "row", type = "table", text = "with the column `" .. column .. "`"}},
    returns = {{type = "string", text = "the prompt"}},
    call = function(row) return tostring(row[column]) .. suffixes[name] end,
  }
end

local presets = documented{
  module = "apo.presets", summary = "The settings of published runs.",
  details = "From the code of the A*-PO authors, github ZhaolinGao/A-PO c8823a3.",
}

presets.gsm8k = preset("gsm8k", "The authors' settings of apo.train on GSM8K.", a_star_po)
presets.math = preset("math", "The authors' settings of apo.train on MATH.", a_star_po)
presets.values = preset("values", "The authors' settings of apo.estimate_values.", a_star_po_values)
presets.gsm8k_prompt = prompt("gsm8k", "question", "The authors' prompt for a row of GSM8K.")
presets.math_prompt = prompt("math", "problem", "The authors' prompt for a row of MATH.")

local function length(tokenizer, prompt)
  if type(prompt) == "string" then return #tokenizer:encode(prompt) end
  if math.type(prompt[1]) then return #prompt end
  return #tokenizer:apply_chat_template(prompt, {add_generation_prompt = true, tokenize = true})
end

presets.longest_prompt = documented{
  name = "apo.presets.longest_prompt", summary = "Drops rows with long prompts.",
  parameters = {
    {name = "data", type = "apo.Dataset", text = "the rows"},
    {name = "tokenizer", type = "apo.Tokenizer", text = "of the model"},
    {name = "tokens", type = "integer", minimum = 1, default = 256,
     text = "maximum number of tokens"},
  },
  returns = {{type = "apo.Dataset", text = "the rows whose prompts have at most that many tokens"}},
  call = function(data, tokenizer, tokens)
    return data:filter(function(row) return length(tokenizer, row.prompt) <= tokens end)
  end,
}

return presets
