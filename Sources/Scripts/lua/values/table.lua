-- Values of rows, computed from the rewards of their reference samples (see values.lua).
--
--   optimal   V* = beta ln mean exp(r / beta); A*-PO, arXiv 2505.20686
--   mean      the ordinary value of the reference policy, V* at infinite beta; PVPO, 2508.21104
--   max       the best sample, V* at beta 0
--   zero      no baseline

local apo = require "apo"
local documented, fail = require "apo.documented", require "apo.fail"
local row_key, correct = require "apo.data.row_key", require "apo.rewards.correct"
local declarations = require "apo.data.declarations"

local value = {}  -- the parameters of apo.optimal_value by name
for _, parameter in ipairs(require "apo.declared".value) do value[parameter.name] = parameter end

local Values = documented{
  class = "apo.Values", summary = "Values of rows, from recorded rewards of reference samples.",
  details = "`#values` is the number of prompts; `n`, `beta`, `mode` and `path` are the "
    .. "options. `print(values)` shows a summary.",
}

local function mean(rewards)
  local sum = 0
  for _, r in ipairs(rewards) do sum = sum + r end
  return sum / #rewards
end

local function new(entries, settings)
  return setmetatable({
    entries = entries, data = settings.data, n = settings.n, beta = settings.beta,
    mode = settings.mode, drop_unsolved = settings.drop_unsolved, path = settings.path,
    correct = settings.correct, cache = {},
  }, Values)
end

local function with(self, name, setting)
  local settings = {}
  for key, old in pairs(self) do settings[key] = old end
  settings[name] = setting
  return new(self.entries, settings)
end

local function entry(self, row)
  local found = self.entries[row_key.text(row)]
  if not found then
    fail(("row %d has no recorded value: it is not in the data that was sampled, or was changed")
      :format(row_key.parts(row)))
  end
  return found
end

Values.has = documented{
  name = "apo.Values:has", summary = "Returns whether a row has a recorded value.",
  parameters = {{name = "row", type = "table", text = "a row of a dataset"}},
  returns = {{type = "boolean", text = "the answer"}},
  call = function(self, row)
    local is_data, key = pcall(row_key.text, row)  -- one that holds a function has none
    return is_data and self.entries[key] ~= nil
  end,
}

local function value_of(self, row)
  local recorded = entry(self, row)
  if not self.cache[recorded] then
    self.cache[recorded] = apo.optimal_value(recorded.rewards, self.beta, self.mode)
  end
  return self.cache[recorded]
end

local a_row = {name = "row", type = "table", text = "a row of the data"}

Values.of = documented{
  name = "apo.Values:of", summary = "Returns the values of rows.",
  parameters = {{name = "rows", type = "list of tables", text = "rows of the data"}},
  returns = {{type = "apo.Tensor", text = "the values [B]"}},
  call = function(self, rows)
    if rows.prompt ~= nil then fail("of: a list of rows expected, got one row; pass {row}") end
    local list = {}
    for i, row in ipairs(rows) do list[i] = value_of(self, row) end
    return apo.tensor(list)
  end,
}

Values.rewards = documented{
  name = "apo.Values:rewards", summary = "Returns the rewards of a row's reference samples.",
  parameters = {a_row},
  returns = {{type = "list of numbers", text = "n rewards"}},
  call = function(self, row) return table.move(entry(self, row).rewards, 1, self.n, 1, {}) end,
}

Values.lengths = documented{
  name = "apo.Values:lengths", summary = "Returns the lengths of a row's reference samples.",
  parameters = {a_row},
  returns = {{type = "list of integers", text = "n lengths in tokens"}},
  call = function(self, row)
    local lengths = entry(self, row).lengths
    if not lengths then fail("lengths: these values were read from columns, without lengths") end
    return table.move(lengths, 1, self.n, 1, {})
  end,
}

Values.pass_rate = documented{
  name = "apo.Values:pass_rate",
  summary = "Returns the fraction of a row's samples that were correct.",
  details = "Correct as defined by the option `correct` of apo.estimate_values.",
  parameters = {a_row},
  returns = {{type = "number", text = "from 0 (unsolved) to 1"}},
  call = function(self, row)
    local is_correct, count = correct.test(self.correct), 0
    local rewards = entry(self, row).rewards
    for _, reward in ipairs(rewards) do count = count + (is_correct(reward) and 1 or 0) end
    return count / #rewards
  end,
}

Values.with_beta = documented{
  name = "apo.Values:with_beta",
  summary = "Returns values for another beta, from the same samples.",
  parameters = {declarations.changed(value.beta, {text = "beta1"})},
  returns = {{type = "apo.Values", text = "new values; these do not change"}},
  call = function(self, beta) return with(self, "beta", beta) end,
}

Values.with_mode = documented{
  name = "apo.Values:with_mode", summary = "Returns values in another mode, from the same samples.",
  parameters = {declarations.changed(value.mode, {text = "the mode", is_needed = true})},
  returns = {{type = "apo.Values", text = "new values; these do not change"}},
  call = function(self, mode) return with(self, "mode", mode) end,
}

Values.solvable = documented{
  name = "apo.Values:solvable", summary = "Drops the rows that no reference sample solved.",
  details = "The authors' `filter_incorrect`. See `pass_rate`.",
  parameters = {{name = "data", type = "apo.Dataset", text = "rows that have values"}},
  returns = {{type = "apo.Dataset", text = "the rows solved at least once"}},
  call = function(self, data)
    return data:filter(function(row) return self:pass_rate(row) > 0 end)
  end,
}

Values.summary = documented{
  name = "apo.Values:summary", summary = "Returns statistics over all rows of the data.",
  returns = {{type = "table", text = "`prompts`, `mean_reward`, `mean_value`, `unsolved` and "
    .. "`all_solved` (fractions), `mean_length` (nil if lengths are unknown), `histogram` of "
    .. "values (ten bins from 0 to 1)"}},
  call = function(self)
    local s = {prompts = #self.data, mean_reward = 0, mean_value = 0, unsolved = 0, all_solved = 0,
               mean_length = 0, histogram = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0}}
    for _, row in ipairs(self.data.rows) do
      local v, rate = value_of(self, row), self:pass_rate(row)
      s.mean_reward = s.mean_reward + mean(entry(self, row).rewards) / #self.data
      local lengths = entry(self, row).lengths
      s.mean_length = lengths and s.mean_length + mean(lengths) / #self.data
      s.mean_value = s.mean_value + v / #self.data
      s.unsolved = s.unsolved + (rate == 0 and 1 or 0) / #self.data
      s.all_solved = s.all_solved + (rate == 1 and 1 or 0) / #self.data
      local bin = math.max(1, math.min(10, math.floor(v * 10) + 1))
      s.histogram[bin] = s.histogram[bin] + 1
    end
    return s
  end,
}

function Values:__len() return #self.data end

function Values:__tostring()
  local s = self:summary()
  return ("apo.Values: %d prompts, %d samples each, beta %g (%s): mean reward %.3f, mean value "
    .. "%.3f, unsolved %.1f %%, all solved %.1f %%"):format(s.prompts, self.n, self.beta, self.mode,
    s.mean_reward, s.mean_value, 100 * s.unsolved, 100 * s.all_solved)
end

return new
