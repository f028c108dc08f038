-- The option `algorithm` of apo.train: from a name, a table or a function to what runs, and what
-- run.json says of it.

local fail = require "apo.fail"
local value_file = require "apo.values.file"

local known = {"name", "options", "start", "step", "loss", "takes", "needs_reference",
  "single_update"}

local function names()
  local list = {}
  for name, make in pairs(require "apo.algorithms") do
    if type(make) == "function" then list[#list + 1] = name end
  end
  table.sort(list)
  return table.concat(list, ", ")
end

local function named(name)
  if name == "astarpo" then return require "apo.algorithms.astarpo"{} end
  local make = require "apo.algorithms"[name]
  if not make then
    fail(("train: option 'algorithm': there is no '%s'; there are %s"):format(name, names()))
  end
  return make{}
end

-- A table that a script wrote, or that apo.algorithms made.
local function checked(given)
  local is_known = {}
  for _, name in ipairs(known) do is_known[name] = true end
  for name in pairs(given) do
    if not is_known[name] then
      fail(("train: option 'algorithm' has an unknown field '%s'; known: %s")
        :format(tostring(name), table.concat(known, ", ")))
    end
  end
  if type(given.step) ~= "function" then
    fail("train: option 'algorithm': a table with a function 'step' expected, as apo.algorithm "
      .. "makes it, got step = " .. type(given.step))
  end
  for name, expected in pairs{name = "string", options = "table", start = "function",
                              takes = "table", loss = "function"} do
    if given[name] ~= nil and type(given[name]) ~= expected then
      fail(("train: option 'algorithm': field '%s' must be a %s, got %s"):format(
        name, expected, type(given[name])))
    end
  end
  local result = {name = "algorithm", options = {}, takes = {}}
  for name, value in pairs(given) do result[name] = value end
  return result
end

-- Options of A*-PO that would change nothing.
local function check_taken(algorithm, o)
  local takes = {}
  for _, name in ipairs(algorithm.takes) do takes[name] = true end
  for _, name in ipairs{"values", "target", "loss", "beta"} do
    if o[name] ~= nil and not takes[name] then
      fail(("train: the algorithm '%s' does not use the option '%s'; its own options are those of "
        .. "apo.algorithms.%s{…}"):format(algorithm.name, name, algorithm.name))
    end
  end
  if takes.beta then o.beta = o.beta or 1e-3 end
  if o.beta == math.huge then fail("train: option 'beta' must be finite, got inf") end
end

-- The algorithm of a run's options.
local function of(o)
  local given = o.algorithm
  local algorithm
  if type(given) == "string" then algorithm = named(given)
  elseif type(given) == "function" then algorithm = given{}
  else algorithm = given end
  if type(algorithm) ~= "table" then
    fail("train: option 'algorithm': the function gave " .. type(algorithm) .. ", a table expected")
  end
  algorithm = checked(algorithm)
  check_taken(algorithm, o)
  return algorithm
end

-- What tells a run's algorithm from others; nothing for A*-PO, as all runs were before there were
-- others.
local function description(algorithm)
  local code = value_file.reward_name(algorithm.step)
  local options = {}
  for name, value in pairs(algorithm.options) do
    options[name] = type(value) == "function" and value_file.reward_name(value)
      or type(value) == "userdata" and value:checksum()
      or value == math.huge and "none" or value
  end
  if algorithm.name == "astarpo" and code == value_file.reward_name(named("astarpo").step) then
    return nil
  end
  return {name = algorithm.name, options = options, code = code}
end

return setmetatable({description = description}, {__call = function(_, o) return of(o) end})
