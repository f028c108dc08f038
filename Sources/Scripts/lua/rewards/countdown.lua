-- Countdown: reach a target with given numbers, each used once. 1 for an equation that does, a
-- smaller score for any other between the tags, 0 for none.
--
-- As in the authors' code (and TinyZero's): the last line that the assistant wrote is searched
-- for <answer>…</answer>, and the last of these counts.

local documented = require "apo.documented"
local tags, evaluate = require "apo.rewards.tags", require "apo.rewards.arithmetic"
local right_answer = require "apo.rewards.column".column
local needs = require "apo.data.needs"
local answer_of = require "apo.rewards.answer".of

local function extract(text)
  local said = tags.assistant(text)
  return said and tags.last_answer(said:match("^.*\n(.*)$") or said)
end

-- Whether the digits in the equation are the given numbers, each as often.
local function uses_numbers(equation, numbers)
  local used, given = {}, {}
  for digits in equation:gmatch("%d+") do used[#used + 1] = tonumber(digits) end
  for i, number in ipairs(numbers) do given[i] = number end
  if #used ~= #given then return false end
  table.sort(used)
  table.sort(given)
  for i, number in ipairs(given) do
    if used[i] ~= number then return false end
  end
  return true
end

local function score(equation, target, numbers, format_score)
  if not equation then return 0 end
  if not uses_numbers(equation, numbers) then return format_score end
  local value = evaluate(equation)
  return value and math.abs(value - target) < 1e-5 and 1 or format_score
end

local function lacks(row)
  local problem = row.target and row or answer_of(row, "target")
  if type(problem) ~= "table" then
    return "there is no column 'target', nor one 'ground_truth' with it"
  elseif type(problem.target) ~= "number" then
    return ("'target' must be a number, got %s"):format(type(problem.target))
  elseif type(problem.numbers) ~= "table" or type(problem.numbers[1]) ~= "number" then
    return ("'numbers' must be a list of numbers, got %s"):format(type(problem.numbers))
  end
end

return documented{
  name = "apo.rewards.countdown", summary = "Rewards an equation that reaches a target.",
  details = "Rows have `target` and `numbers`, or both in `ground_truth`. Prompt and completion "
    .. "are searched together: \"Assistant:\" or \"<|im_start|>assistant\" must be in one of them.",
  options = {
    {name = "format_score", type = "number", minimum = 0, maximum = 1, default = 0.1,
     text = "reward of a wrong answer between the tags"},
  },
  returns = {
    {type = "function", text = "the reward function"},
    {type = "function", text = "extracts the equation from a completion, or nil"},
  },
  call = function(options)
    local function answer(completion) return extract(completion.prompt .. completion.text) end
    local function reward(row, completion)
      local problem = row.target and row or right_answer(row, "target")
      return score(answer(completion), problem.target, problem.numbers, options.format_score)
    end
    return needs.declare(reward, lacks), answer
  end,
}
