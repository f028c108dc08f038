-- What a reward needs of a row, declared with the reward, so that a row without it is found before
-- anything is sampled.

local documented = require "apo.documented"

local fail = require "apo.fail"

local checks = setmetatable({}, {__mode = "k"})  -- reward function -> function of a row
local makers = {}                                -- function of apo.rewards -> its name

-- Throws if a reward is a function of apo.rewards that still has to be called.
local function check_called(reward)
  local name = makers[reward]
  if name then fail(("%s makes a reward and must be called: %s{…}"):format(name, name)) end
end

-- What a row lacks for a reward (a function or a table of them), or nil.
local function problem(reward, row)
  if type(reward) == "table" then
    for _, inner in pairs(reward) do
      local text = type(inner) == "function" and problem(inner, row)
      if text then return text end
    end
    return nil
  end
  check_called(reward)
  return checks[reward] and checks[reward](row)
end

local declare = documented{
  name = "apo.rewards.needs", summary = "Declares which columns a reward needs.",
  details = "apo.train, apo.evaluate and apo.estimate_values check this before sampling and "
    .. "name the rows that fail. The rewards of apo.rewards declare their needs.",
  parameters = {
    {name = "reward", type = "function", text = "the reward"},
    {name = "columns", type = "function or list of strings",
     text = "columns that every row must have; or a function of a row that returns nil, or a "
       .. "text that says what is missing"},
  },
  returns = {{type = "function", text = "the reward"}},
  example = [[local reward = apo.rewards.needs(function(row, completion)
  return completion.text:find(row.city, 1, true) and 1 or 0
end, {"city"})]],
  call = function(reward, columns)
    checks[reward] = type(columns) == "function" and columns or function(row)
      for _, name in ipairs(columns) do
        if row[name] == nil then return ("there is no column '%s'"):format(name) end
      end
    end
    return reward
  end,
}

return {declare = declare, problem = problem, check_called = check_called, makers = makers}
