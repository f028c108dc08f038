-- Which runs a sweep has: settings × grid × seeds, each with a name that it keeps when others are
-- added. All settings have their first seed before any has its second.

local apo = require "apo"
local fail = require "apo.fail"
local visible = apo.system.visible

local most_bytes = 120  -- of a name; folders may have 255

local reserved = {seed = "use the option 'seeds'", dir = "it is the folder of the run",
                  resume = "a sweep resumes its runs itself"}

local function sorted_names(settings)
  local names = {}
  for name in pairs(settings) do names[#names + 1] = name end
  table.sort(names)
  return names
end

-- A value as an argument of the script, from which apo.settings reads the same.
local function text_of(value)
  if type(value) == "string" and utf8.len(value) and not value:find '^"' then return value end
  local is_plain, text = pcall(apo.json.encode, value)
  if is_plain then return text end
  if value == math.huge then return "1e999" end
  if value == -math.huge then return "-1e999" end
  if type(value) == "string" then return value end
  return nil, text
end

local function check(settings, place)
  for name, value in pairs(settings) do
    if type(name) ~= "string" or not name:find "^[%a_][%w_.]*$" then
      fail(("sweep: %s: '%s' must be a name of letters, digits, _ and dots"):format(
        place, visible(tostring(name))))
    elseif reserved[name] then
      fail(("sweep: %s: '%s' cannot be set: %s"):format(place, name, reserved[name]))
    elseif value ~= value or type(value) == "function" or type(value) == "userdata"
      or not text_of(value) then
      fail(("sweep: %s: '%s' must be a number, a string, a boolean or a table of these, got %s")
        :format(place, name, value ~= value and "nan" or type(value)))
    elseif type(value) == "string" and value:find "\0" then
      fail(("sweep: %s: '%s' contains a NUL byte, which no argument can"):format(place, name))
    end
  end
end

-- The option `settings` as a list of {label = nil or its name, values = {…}}.
local function variants_of(given)
  local list = {}
  for key, values in pairs(given) do
    local place = ("option 'settings'[%s]"):format(visible(tostring(key)))
    if type(values) ~= "table" then
      fail(("sweep: %s must be a table of settings, got %s"):format(place, type(values)))
    end
    check(values, place)
    list[#list + 1] = {label = type(key) == "string" and key or nil, values = values}
  end
  return #list > 0 and list or {{values = {}}}
end

-- Every variant with every value of the grid.
local function crossed(variants, grid)
  for _, name in ipairs(sorted_names(grid)) do
    local values, more = grid[name], {}
    local place = ("option 'grid'.%s"):format(visible(tostring(name)))
    if type(values) ~= "table" or #values == 0 then
      fail(("sweep: %s must be a list of values, got %s"):format(
        place, type(values) == "table" and "an empty table" or type(values)))
    end
    for _, variant in ipairs(variants) do
      if variant.values[name] ~= nil then
        fail(("sweep: '%s' is both in the settings and in the grid"):format(name))
      end
      for _, value in ipairs(values) do
        check({[name] = value}, place)
        local all = {}
        for key, other in pairs(variant.values) do all[key] = other end
        all[name] = value
        more[#more + 1] = {label = variant.label, from = variant.from or variant.values,
                           values = all}
      end
    end
    variants = more
  end
  return variants
end

-- A text as part of the name of a folder.
local function safe(text)
  text = text:gsub("[^%w%-+._=,]", "_"):gsub("^%.+", "_")
  if #text <= most_bytes then return text end
  return text:sub(1, most_bytes - 9) .. "~" .. apo.system.hash(text):sub(1, 8)
end

-- The label with what the grid adds, or all settings: lr=0.0003,beta=0.01.
local function name_of(variant)
  local parts = {variant.label}
  for _, name in ipairs(sorted_names(variant.values)) do
    if not variant.label or variant.from and variant.from[name] == nil then
      parts[#parts + 1] = name .. "=" .. text_of(variant.values[name])
    end
  end
  local text = #parts > 0 and table.concat(parts, ",") or "run"
  local name = safe(text)
  -- Names that lost a character could be those of two.
  return name == text and name or safe(text) .. "~" .. apo.system.hash(text):sub(1, 8)
end

local function check_seeds(seeds)
  if #seeds == 0 then fail "sweep: option 'seeds' is empty" end
  local found = {}
  for _, seed in ipairs(seeds) do
    if found[seed] then fail(("sweep: option 'seeds' has %d twice"):format(seed)) end
    found[seed] = true
  end
end

-- The runs, in the order in which they start; each has `name`, `variant`, `settings`, `seed` and
-- `arguments`. Also the names of the variants in order.
return function(o)
  check_seeds(o.seeds)
  local variants, names, runs = crossed(variants_of(o.settings), o.grid), {}, {}
  for _, variant in ipairs(variants) do
    variant.name = name_of(variant)
    if names[variant.name] then
      fail(("sweep: two settings have the name '%s'"):format(variant.name))
    end
    names[variant.name] = true
    names[#names + 1] = variant.name
  end
  for _, seed in ipairs(o.seeds) do
    for _, variant in ipairs(variants) do
      local arguments = {}
      for _, name in ipairs(sorted_names(variant.values)) do
        arguments[#arguments + 1] = name .. "=" .. text_of(variant.values[name])
      end
      runs[#runs + 1] = {
        name = ("%s-seed%d"):format(variant.name, seed), variant = variant.name,
        settings = variant.values, seed = seed, arguments = arguments,
      }
    end
  end
  return runs, names
end
