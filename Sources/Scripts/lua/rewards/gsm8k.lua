-- GSM8K (Cobbe et al. 2021, arXiv 2110.14168): is the number right?
--
--   strict     the first "#### 18" in the completion; the authors' stage 2
--   flexible   the last number, however it is written; the authors' stage 1 and lm-eval-harness
--
-- As in the authors' code, answers are compared as texts, without commas and dollar signs (in
-- flexible mode, with them): "18." and "18.0" are not "18".

local documented = require "apo.documented"
local numbers = require "apo.numbers.reader"
local right_answer = require "apo.rewards.column".answer
local declare = require "apo.rewards.answer".declare

local function strict(text)
  local number = text:match("#### (%-?[0-9.,]+)")
  return number and (number:gsub(",", ""))
end

-- The last piece of digits, points and commas that is not a lone point; else the first piece.
local function flexible(text)
  local first, last
  for number in text:gmatch("%-?[0-9.,]+") do
    first = first or number
    if number ~= "." then last = number end
  end
  return last or first
end

local extract = {strict = strict, flexible = flexible}

-- Whether a number that was found is the one at the end of a solution as the data set has it, or
-- the answer itself.
local function is_right(given, row)
  local answer = right_answer(row, "answer")
  if type(answer) == "number" then return numbers.is(given, answer) end
  local number = answer:match("#### ([^\n]*)") or answer
  return given == number:gsub(",", "")
end

return documented{
  name = "apo.rewards.gsm8k", summary = "Rewards the right number in an answer to GSM8K.",
  details = "The right answer is the column `answer` (with or without its \"#### \"), "
    .. "`ground_truth` or `reward_model.ground_truth`; a column of numbers is compared as "
    .. "numbers. With a `format_score` f, an extractable answer gets f, and a right one 1 - f "
    .. "more; the two are named parts.",
  options = {
    {name = "mode", one_of = {"strict", "flexible"}, default = "strict",
     text = "`strict`: the first number after \"#### \"; `flexible`: the last number"},
    {name = "format_score", type = "number", minimum = 0, maximum = 1, default = 0,
     text = "reward of an extractable answer"},
  },
  returns = {
    {type = "function", text = "the reward function"},
    {type = "function", text = "extracts the answer from a completion, or nil"},
  },
  example = [[local reward, answer = apo.rewards.gsm8k{mode = "flexible"}
apo.evaluate{model = model, data = test, reward = reward, answer = answer, max_tokens = 512}]],
  call = function(options)
    local format = options.format_score
    local function answer(completion) return extract[options.mode](completion.text) end
    local function reward(row, completion)
      local given = answer(completion)
      local right = given ~= nil and is_right(given, row)
      if format == 0 then return right and 1 or 0 end
      return {format = given and format or 0, correct = right and 1 - format or 0}
    end
    return declare(reward, "answer"), answer
  end,
}
