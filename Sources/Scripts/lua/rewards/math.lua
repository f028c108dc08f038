-- MATH (Hendrycks et al. 2021, arXiv 2103.03874): is the last boxed answer the right one?
--
--   strict     the completion must have ended by itself; the authors' stage 2
--   flexible   it may have been cut off; the authors' stage 1

local documented = require "apo.documented"
local right_answer = require "apo.rewards.column".answer
local canonical, numbers = require "apo.rewards.latex", require "apo.numbers.reader"
local declare = require "apo.rewards.answer".declare

-- Where a text last has another one.
local function find_last(text, what)
  local found, position = nil, 0
  repeat
    position = text:find(what, position + 1, true)
    found = position or found
  until not position
  return found
end

-- From the position through the brace that closes the first one; nil when none does.
local function group(text, start)
  local depth = 0
  for position, brace in text:gmatch("()([{}])", start) do
    depth = depth + (brace == "{" and 1 or -1)
    if brace == "}" and depth == 0 then return text:sub(start, position) end
  end
end

-- The content of the last \boxed{…}; with \boxed and a space, what follows up to a dollar sign.
local function boxed(text)
  local start = find_last(text, "\\boxed ")
  if start then return text:match("^[^$]*", start + 7) end
  start = find_last(text, "\\boxed")
  local whole = start and group(text, start)
  return whole and whole:match("^\\boxed{(.*)}$")
end

local function same(a, b)
  if type(b) == "number" then return numbers.is(canonical(a) or a, b) end
  local first, second = canonical(a), canonical(b)
  if first and second then return first == second end
  return a == b
end

return documented{
  name = "apo.rewards.math", summary = "Rewards the right boxed answer to a problem of MATH.",
  details = "The right answer is the column `answer`, `ground_truth` or "
    .. "`reward_model.ground_truth`. Answers are compared after the data set's normalisation: "
    .. "`\\dfrac12` is `\\frac{1}{2}`, `x=5` is `5`, `1,000` is not `1000`.",
  options = {
    {name = "mode", one_of = {"strict", "flexible"}, default = "strict",
     text = "`strict`: only completions that end with an end token; `flexible`: all"},
  },
  returns = {
    {type = "function", text = "the reward function"},
    {type = "function", text = "extracts the answer from a completion, or nil"},
  },
  call = function(options)
    local function extract(completion)
      if options.mode == "flexible" then return boxed(completion.text) end
      -- The authors' scorer sees the end token as text.
      return completion.finish_reason == "eos" and boxed(completion.text .. "<|endoftext|>") or nil
    end
    local function answer(completion)
      local given = extract(completion)
      return given and (canonical(given) or given)
    end
    local function reward(row, completion)
      local given = extract(completion)
      return given and same(given, right_answer(row, "answer")) and 1 or 0
    end
    return declare(reward, "answer"), answer
  end,
}
