-- Rewards for answers that can be compared directly: as text, or as numbers.

local documented = require "apo.documented"
local right_answer = require "apo.rewards.column"

local column = {name = "column", type = "string", default = "answer",
                text = "where a row has the right answer"}
local returns = {{type = "function", text = "the reward function"}}

local function trim(text) return (text:gsub("^%s+", ""):gsub("%s+$", "")) end

local exact = documented{
  name = "apo.rewards.exact", summary = "Rewards a completion that is the right answer.",
  details = "White space around either does not count.",
  options = {column}, returns = returns,
  call = function(options)
    return function(row, completion)
      local truth = tostring(right_answer(row, options.column))
      return trim(completion.text) == trim(truth) and 1 or 0
    end
  end,
}

-- The last number in a text, commas between its digits taken out.
local function last_number(text)
  local last
  for number in text:gsub("(%d),(%d%d%d)", "%1%2"):gmatch("%-?%d+%.?%d*") do last = number end
  return tonumber(last)
end

local numeric = documented{
  name = "apo.rewards.numeric",
  summary = "Rewards a completion whose last number is the right one.",
  options = {
    column,
    {name = "tolerance", type = "number", minimum = 0, default = 1e-6,
     text = "how far off it may be"},
  },
  returns = returns,
  call = function(options)
    return function(row, completion)
      local truth = last_number(tostring(right_answer(row, options.column)))
      local given = last_number(completion.text)
      return given and truth and math.abs(given - truth) <= options.tolerance and 1 or 0
    end
  end,
}

return {exact = exact, numeric = numeric}
