-- What run.json says of a run: its settings as plain data that is another when a setting is, and
-- which of them may differ when it is resumed.

local apo = require "apo"
local identity = require "apo.runs.identity"
local value_file, row_key = require "apo.values.file", require "apo.data.row_key"

-- A hash of all rows in order; for a row that is not plain data, such as one with a function, only
-- its position counts.
local function hash(data)
  local keys = {}
  for i, row in ipairs(data.rows) do
    local is_data, key = pcall(row_key.text, row)
    keys[i] = is_data and key or "?"
  end
  return apo.system.hash(table.concat(keys, "\n"))
end

local described

local of_class = {
  ["apo.Dataset"] = hash,
  ["apo.Model"] = function(model) return model:checksum() end,
  ["apo.Optimizer"] = function(optimizer) return {lr = optimizer.lr} end,
  ["apo.Values"] = function(values)
    return {beta = described(values.beta), mode = values.mode, n = values.n,
            correct = described(values.correct)}
  end,
}

-- A value as something of JSON that is another when the value is: of a function its code.
function described(value)
  local of = of_class[(debug.getmetatable(value) or {}).__name]
  if of then return of(value) end
  if type(value) == "function" then return value_file.reward_name(value) end
  if value == math.huge then return "none" end  -- JSON has no infinity
  if type(value) ~= "table" then return value end
  local copy, names = {}, false
  for key in pairs(value) do names = names or type(key) == "string" end
  for key, inner in pairs(value) do copy[names and tostring(key) or key] = described(inner) end
  return copy
end

-- What may differ between sessions, and what a setting is that an older run.json does not name:
-- from the declarations of the options, and more defaults.
local function rules(declared, defaults)
  local found = {free = {}, defaults = defaults}
  local function add(list, prefix, is_free)
    for _, option in ipairs(list) do
      local name = prefix .. option.name
      found.free[name] = is_free or option.notes ~= nil and option.notes.resume == "free"
      found.defaults[name] = found.defaults[name] or described(option.default)
      if option.fields then add(option.fields, name .. ".", found.free[name]) end
    end
  end
  add(declared, "", false)
  return found
end

-- An argument as JSON can hold it: bytes that are no UTF-8 are escaped.
local function readable(argument)
  local text = tostring(argument)
  return utf8.len(text) and text or apo.system.visible(text)
end

-- The contents of run.json: what every run has, and what the caller knows.
local function about(known)
  known.id, known.apo, known.lua, known.cores = identity.new(), apo._VERSION, _VERSION,
    apo.system.cores()
  known.started = os.date("!%Y-%m-%dT%H:%M:%SZ")
  if type(arg) == "table" then
    known.script, known.arguments = arg[0] and readable(arg[0]), {}
    for i, argument in ipairs(arg) do known.arguments[i] = readable(argument) end
  end
  known.working_folder = apo.system.working_folder()
  return known
end

return {hash = hash, described = described, rules = rules, about = about}
