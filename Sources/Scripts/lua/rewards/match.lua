-- Rewards for answers that can be compared directly: as text, or as numbers.

local documented = require "apo.documented"
local fail = require "apo.fail"
local numbers, trim = require "apo.numbers.reader", require "apo.rewards.trim"
local columns = require "apo.rewards.column"
local declare = require "apo.rewards.answer".declare

local column = {name = "column", type = "string", default = "answer",
                text = "column of the right answer"}
local returns = {{type = "function", text = "the reward function"}}

local exact = documented{
  name = "apo.rewards.exact", summary = "Rewards a completion that is the right answer.",
  details = "Surrounding white space is ignored. A numeric column is compared as numbers: the "
    .. "text must be just a number.",
  options = {column}, returns = returns,
  call = function(options)
    return declare(function(row, completion)
      local truth, text = columns.answer(row, options.column), completion.text
      if type(truth) == "number" then return numbers.is(text, truth) and 1 or 0 end
      return trim(text) == trim(truth) and 1 or 0
    end, options.column)
  end,
}

-- With a decimal comma, points and commas change places before a text is read.
local function reader(decimal)
  if decimal == "." then return numbers.of end
  local other = {["."] = ",", [","] = "."}
  return function(given)
    return numbers.of(type(given) == "string" and given:gsub("[.,]", other) or given)
  end
end

local function right_number(read, row, column)
  local given = columns.answer(row, column)
  local number = read(given)
  if number then return number end
  fail(("%s: there is no number in the right answer %q of the column '%s'"):format(
    columns.place(row), given:sub(1, 50), column))
end

local numeric = documented{
  name = "apo.rewards.numeric",
  summary = "Rewards a completion whose last number is the right one.",
  details = "docs/rewards.md defines what counts as a number, in completions and text columns "
    .. "alike. Integers of any length are compared exactly.",
  options = {
    column,
    {name = "tolerance", type = "number", minimum = 0, default = 1e-6,
     text = "maximum difference"},
    {name = "decimal", one_of = {".", ","}, default = ".",
     text = "the decimal separator in texts; the other one groups digits"},
  },
  returns = {
    returns[1],
    {type = "function", text = "extracts the number from a completion as text, or nil"},
  },
  call = function(options)
    local read = reader(options.decimal)
    local function answer(completion)
      local given = read(completion.text)
      return given and tostring(given)
    end
    local function reward(row, completion)
      local truth = right_number(read, row, options.column)
      local given = read(completion.text)
      return given and numbers.equal(given, truth, options.tolerance) and 1 or 0
    end
    return declare(reward, options.column, function(value)
      if not read(value) then return "there is no number in the right answer" end
    end), answer
  end,
}

return {exact = exact, numeric = numeric}
