-- Resolves the option `algorithm` of apo.train from a name, table or function, and describes it for
-- run.json.

local fail = require "apo.fail"
local value_file = require "apo.values.file"
local shipped, properties = require "apo.algorithms.shipped", require "apo.step.properties"
local taken = require "apo.train.options".taken

local function names(set)
  local list = {}
  for name in pairs(set) do list[#list + 1] = name end
  table.sort(list)
  return table.concat(list, ", ")
end

local function is_known(name)
  for _, known in ipairs(shipped.names) do
    if known == name then return true end
  end
  return false
end

local function named(name)
  if is_known(name) then return require("apo.algorithms." .. name){} end
  fail(("train: option 'algorithm': there is no '%s'; there are %s"):format(
    name, table.concat(shipped.names, ", ")))
end

-- Whether a value is of a property's type.
local function fits(property, value)
  for alternative in (property.type .. " or "):gmatch "(.-) or " do
    local kind = alternative:match "^list" and "table" or alternative
    if kind == "any" or type(value) == kind or math.type(value) == kind then return true end
  end
  return false
end

-- A table that a script wrote, or that apo.algorithms made.
local function checked(given)
  local by_name, known = {}, {}
  for i, property in ipairs(properties.declared) do
    by_name[property.name], known[i] = property, property.name
  end
  for name, value in pairs(given) do
    local property = by_name[name]
    if not property then
      fail(("train: option 'algorithm' has an unknown field '%s'; known: %s")
        :format(tostring(name), table.concat(known, ", ")))
    elseif not fits(property, value) then
      fail(("train: option 'algorithm': field '%s' must be %s %s, got %s"):format(
        name, property.type:find "^[aeiou]" and "an" or "a", property.type, type(value)))
    end
  end
  if not given.step then
    fail("train: option 'algorithm': a table with a function 'step' expected, as apo.algorithm "
      .. "makes it, got step = nil")
  end
  local result = properties.resolve(given, given.options or {})
  result.name = result.name or "algorithm"
  if math.type(result.n) ~= "integer" or result.n < 1 then
    fail(("train: option 'algorithm': field 'n' must be an integer of at least 1, got %s"):format(
      math.type(result.n) and result.n or type(result.n)))
  end
  return result
end

-- The declarations by name of those options of apo.train that an algorithm takes.
local function taken_by(algorithm)
  local takes = {}
  for key, option in pairs(algorithm.takes) do
    local name = math.type(key) ~= "integer" and key
      or type(option) == "table" and option.name or option
    if not taken[name] or math.type(key) ~= "integer" then
      fail(("algorithm '%s': takes: a list of names expected, out of %s, got '%s'"):format(
        algorithm.name, names(taken), tostring(name)))
    end
    takes[name] = type(option) == "table" and option or taken[name]
  end
  return takes
end

-- Rejects options without effect, and fills in the defaults of the others.
local function take(algorithm, o)
  algorithm.takes = taken_by(algorithm)
  for name in pairs(taken) do
    local option = algorithm.takes[name]
    if o[name] ~= nil and not option then
      fail(("train: the algorithm '%s' does not use the option '%s'; its own options are those of "
        .. "apo.algorithms.%s{…}"):format(algorithm.name, name, algorithm.name))
    elseif option and o[name] == nil then
      o[name] = option.default
    end
  end
end

-- The algorithm of a run's options.
local function of(o)
  local given = o.algorithm
  local algorithm
  if type(given) == "string" then algorithm = named(given)
  elseif type(given) == "function" then algorithm = given{}
  else algorithm = given end
  if type(algorithm) ~= "table" then
    fail("train: option 'algorithm': the function returned " .. type(algorithm)
      .. ", a table expected")
  end
  algorithm = checked(algorithm)
  take(algorithm, o)
  return algorithm
end

-- The options of `start` and `step`: the algorithm's own, and the current values of those it takes
-- from apo.train.
local function options(algorithm, o)
  local all = {}
  for name in pairs(algorithm.takes) do all[name] = o[name] end
  for name, value in pairs(algorithm.options) do all[name] = value end
  return all
end

-- The identity of a run's algorithm. A shipped one is identified by name.
local function description(algorithm)
  local own = {}
  for name, value in pairs(algorithm.options) do
    own[name] = type(value) == "function" and value_file.reward_name(value)
      or type(value) == "userdata" and value:checksum()
      or value == math.huge and "none" or value
  end
  local is_shipped = is_known(algorithm.name)
    and debug.getinfo(algorithm.step, "S").source:sub(1, 6) == "=[apo]"
  return {name = algorithm.name, options = own,
          code = not is_shipped and value_file.reward_name(algorithm.step) or nil}
end

return {of = of, options = options, description = description}
