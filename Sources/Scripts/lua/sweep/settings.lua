-- apo.settings: what a script was told on its command line, as `name=value`, over its defaults.
-- apo.sweep starts its runs this way, so any of them can also be started by hand.

local apo = require "apo"
local documented, fail = require "apo.documented", require "apo.fail"
local visible = apo.system.visible

-- What every script has, by its type; not among the settings of the run.
local run_options = {seed = "integer", dir = "string", resume = "boolean"}

local function type_of(value)
  return math.type(value) == "integer" and "integer" or type(value)
end

local function wrong(name, expected, text)
  fail(("settings: '%s' must be %s, got '%s'"):format(name, expected, visible(text)))
end

local function decoded(text)
  local is_json, value = pcall(apo.json.decode, text)
  if is_json then return value end
end

-- Texts may be written without quotes; those of apo.sweep have them where they are needed.
local function string_of(text)
  local value = text:find '^"' and decoded(text)
  return type(value) == "string" and value or text
end

local readers = {
  string = function(_, text) return string_of(text) end,
  boolean = function(name, text)
    if text ~= "true" and text ~= "false" then wrong(name, "true or false", text) end
    return text == "true"
  end,
  number = function(name, text)
    return tonumber(text) or wrong(name, "a number", text)
  end,
  integer = function(name, text)
    local value = math.tointeger(tonumber(text))
    return value or wrong(name, "an integer", text)
  end,
  table = function(name, text)
    local value = decoded(text)
    return type(value) == "table" and value or wrong(name, "a list or an object of JSON", text)
  end,
}

-- A default of 1 also takes 0.5.
local function reader_of(default)
  return readers[type(default)]
    or fail(("settings: a default must be a number, a string, a boolean or a table, got %s"):format(
      type(default)))
end

local function names_of(defaults)
  local names = {}
  for name in pairs(defaults) do
    if not run_options[name] then names[#names + 1] = name end
  end
  table.sort(names)
  for _, name in ipairs{"seed", "dir", "resume"} do names[#names + 1] = name end
  return table.concat(names, ", ")
end

local function check_name(name)
  if type(name) ~= "string" or not name:find "^[%a_][%w_.]*$" then
    fail(("settings: '%s' must be a name of letters, digits, _ and dots"):format(
      visible(tostring(name))))
  end
end

-- The arguments `name=value` of the script, by name.
local function given()
  local found = {}
  for i = 1, type(arg) == "table" and #arg or 0 do
    local name, text = tostring(arg[i]):match "^([%a_][%w_.]*)=(.*)$"
    if name then found[name] = text end
  end
  return found
end

return documented{
  name = "apo.settings", summary = "Returns the settings of a script, which its arguments change.",
  details = "`apo-lua train.lua lr=1e-4 seed=2` changes `lr` and `seed`; that is how `apo.sweep` "
    .. "starts a script. A value has the type of its default; tables are written as JSON. Names "
    .. "that have no default are an error. `seed`, `dir` and `resume` need none and do not show in "
    .. "`pairs`: pass them to `apo.train` or `apo.run`. A given `seed` also seeds the process, as "
    .. "`apo.seed` does.",
  parameters = {{name = "defaults", type = "table", text = "values by name"}},
  returns = {{type = "table", text = "values by name"}},
  example = [[local s = apo.settings{lr = 3e-4, beta = 1e-3}
print(s.lr, s.seed, s.dir)]],
  call = function(defaults)
    local settings, hidden = {}, {}
    for name, default in pairs(defaults) do
      check_name(name)
      reader_of(default)
      local into = run_options[name] and hidden or settings
      into[name] = default
    end
    for name, text in pairs(given()) do
      if run_options[name] then hidden[name] = readers[run_options[name]](name, text)
      elseif defaults[name] == nil then
        fail(("settings: unknown setting '%s'; known: %s"):format(name, names_of(defaults)))
      else
        settings[name] = reader_of(defaults[name])(name, text)
      end
    end
    if hidden.seed then apo.seed(hidden.seed) end
    return setmetatable(settings, {__index = hidden})
  end,
}
