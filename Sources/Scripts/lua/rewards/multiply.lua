-- Products of whole numbers: 1 for the right one between the tags, a smaller score for another
-- whole number, 0 for anything else. As in the authors' code, the last <answer>…</answer> that
-- the assistant wrote counts, and what Python's int() takes for a number is one.

local documented = require "apo.documented"
local tags, numbers = require "apo.rewards.tags", require "apo.numbers.reader"
local right_answer = require "apo.rewards.column".answer
local declare = require "apo.rewards.answer".declare

-- int(text): a sign, digits, single underscores between them.
local function is_integer(text)
  local digits = text:match("^[+-]?(%d[%d_]*)$")
  return digits and not digits:find("__", 1, true) and digits:sub(-1) ~= "_"
end

local function extract(text)
  local said = tags.assistant(text)
  local answer = said and tags.last_answer(said)
  return answer and is_integer(answer) and answer or nil
end

-- Whole numbers of any length as texts that can be compared.
local function canonical(text)
  local sign, digits = text:gsub("_", ""):match("^%s*([+-]?)(%d+)%s*$")
  if not digits then return text end
  digits = digits:match("^0*([1-9]%d*)$") or "0"
  return (sign == "-" and digits ~= "0" and "-" or "") .. digits
end

local function same(given, truth)
  given = canonical(given)
  if type(truth) == "number" then return numbers.is(given, truth) end
  return given == canonical(truth)
end

return documented{
  name = "apo.rewards.multiply", summary = "Rewards the right whole number between tags.",
  details = "The right answer is the column `answer` or `ground_truth`. Prompt and completion are "
    .. "searched together: \"Assistant:\" or \"<|im_start|>assistant\" must be in one of them.",
  options = {
    {name = "format_score", type = "number", minimum = 0, maximum = 1, default = 0.1,
     text = "reward of a wrong whole number"},
  },
  returns = {
    {type = "function", text = "the reward function"},
    {type = "function", text = "extracts the number from a completion as text, or nil"},
  },
  call = function(options)
    local function answer(completion) return extract(completion.prompt .. completion.text) end
    local function reward(row, completion)
      local given = answer(completion)
      if not given then return 0 end
      return same(given, right_answer(row, "answer")) and 1 or options.format_score
    end
    return declare(reward, "answer"), answer
  end,
}
