-- Values from rewards in the rows, one per column: eval_0 … eval_7 in the data of the A*-PO authors
-- (github ZhaolinGao/A-PO c8823a3, preprocess/data_generation). No model is needed.

local documented, fail = require "apo.documented", require "apo.fail"
local new_table = require "apo.values.table"
local new_faults = require "apo.data.faults"
local row_key, append = require "apo.data.row_key", require "apo.data.declarations".append

-- The number of reward columns of a row.
local function count(row, prefix)
  local n = 0
  while row[prefix .. n] ~= nil do n = n + 1 end
  return n
end

-- The rewards of a row; or nil and what is wrong with it.
local function rewards_of(row, prefix, n, is_given)
  local rewards = {}
  for i = 1, n do
    local name = prefix .. i - 1
    local value = row[name]
    if type(value) == "boolean" then value = value and 1 or 0 end
    if type(value) ~= "number" or value - value ~= 0 then
      return nil, ("the column '%s' must be a finite number, got %s"):format(name,
        value == nil and "nothing" or type(value) == "string" and ("the string %q"):format(value)
        or tostring(value))
    end
    rewards[i] = value
  end
  if not is_given and row[prefix .. n] ~= nil then
    return nil, ("it has a column '%s%d', which the first row does not have; set option 'n' to "
      .. "the number of columns")
      :format(prefix, n)
  end
  return rewards
end

return documented{
  name = "apo.values_from",
  summary = "Makes values from rewards in columns of the data.",
  details = "For the data published by the A*-PO authors: the rewards of the reference samples "
    .. "are in `eval_0`, `eval_1` …; nothing is sampled. Their `beta1 = 0` is `mode = \"mean\"` "
    .. "here, a negative one `mode = \"zero\"`, `filter_incorrect` is `drop_unsolved`.",
  options = append({
    {name = "data", type = "apo.Dataset", text = "the rows"},
    {name = "prefix", type = "string", default = "eval_",
     text = "prefix of the column names, followed by numbers from 0"},
    {name = "n", type = "integer", minimum = 1, optional = true,
     text = "number of columns; default: as in the first row"},
  }, require "apo.values.options"),
  returns = {{type = "apo.Values", text = "the values"}},
  example = [[local rows = apo.dataset{
  {prompt = {{role = "user", content = "6 * 7 = "}}, eval_0 = 1, eval_1 = 0},
}
local values = apo.values_from{data = rows, beta = 0.5}
print(values:of{rows[1]}:item())]],
  call = function(options)
    local data = options.data
    if #data == 0 then fail("values_from: there are no rows") end
    local n = options.n or count(data[1], options.prefix)
    if n == 0 then
      fail(("values_from: row %d has no column '%s0'"):format(
        row_key.parts(data[1]), options.prefix))
    end
    local entries, faults = {}, new_faults()
    for i, row in ipairs(data.rows) do
      local rewards, text = rewards_of(row, options.prefix, n, options.n)
      if rewards then
        entries[row_key.text(row)] = {rewards = rewards}
      else
        faults:add(row, i, text)
      end
    end
    faults:raise("values_from")
    options.n = n
    return new_table(entries, options)
  end,
}
