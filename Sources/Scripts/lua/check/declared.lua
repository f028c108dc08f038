-- What the module `apo` declares, as the types of expressions. A type is a table:
--
--   {kind = "module", name =, value =}       apo and the tables in it
--   {kind = "function", declared =}          one of their functions
--   {kind = "method", declared =}            of an object
--   {kind = "object", class =}               an object of a declared class

local apo = require "apo"
local declarations = require "apo.declarations"

local by_name, by_value = {}, {}
local records = {}  -- the classes without methods: tables whose fields are all declared
local members = {}  -- the names of the members of a class, without the operators

local function add_members(declared)
  local list = members[declared.name] or {}
  for property in pairs(declared.properties) do list[#list + 1] = property end
  if declared.is_compiled then list[#list + 1] = "free" end
  table.sort(list)
  members[declared.name] = list
end

-- Reads the declarations, on first use: they include those of this file's folder.
local function read()
  if next(by_name) then return end
  local all = declarations.all()
  for _, declared in ipairs(all) do
    by_name[declared.name] = declared
    if declared.value then by_value[declared.value] = declared end
    local class, member = declared.name:match "^(.*):(.*)$"
    if class and not member:find "^__" then
      members[class] = members[class] or {}
      table.insert(members[class], member)
    end
  end
  for _, declared in ipairs(all) do
    if declared.kind == "class" then
      records[declared.name] = not members[declared.name] and next(declared.properties) ~= nil
      add_members(declared)
    end
  end
end

local module = {kind = "module", name = "apo", value = apo}

local function object(class) return by_name[class] and {kind = "object", class = class} or nil end

-- The type of an expression whose value has a declared type.
local function of_value(declared)
  if declared and declared.kind == "object" then return object(declared.class) end
end

local function module_field(of, name)
  local value = of.value[name]
  local declared = by_value[value]
  if declared then return {kind = "function", declared = declared} end
  local full = of.name .. "." .. name
  if type(value) == "table" and by_name[full] and by_name[full].kind == "module" then
    return {kind = "module", name = full, value = value}
  end
end

-- The type of a field.
local function field(of, name)
  if of.kind == "module" then return module_field(of, name) end
  if of.kind ~= "object" then return nil end
  local method = by_name[of.class .. ":" .. name]
  if method then return {kind = "method", declared = method} end
  return of_value(by_name[of.class].properties[name])
end

-- The type of `object[i]`.
local function element(of)
  return of.kind == "object" and of_value(by_name[of.class].element) or nil
end

-- The type of a parameter of a function with a signature, `fun(row: table, completion: …): …`.
local function parameter(signature, position)
  local count = 0
  for class in (signature:match "^fun(%b())" or ""):gmatch ":%s*([%w_.]+)" do
    count = count + 1
    if count == position then return object(class) end
  end
end

local function names(of)
  if of.kind ~= "module" then return members[of.class] end
  local list = {}
  for name in pairs(of.value) do
    if type(name) == "string" and not name:find "^_" then list[#list + 1] = name end
  end
  return list
end

-- What is wrong with a field that is read, nil where nothing is. Fields of objects that are tables
-- of Lua are not all declared, but their methods are.
local function fault(of, name, is_method)
  if of.kind == "module" then
    if of.value[name] ~= nil then return nil end
  elseif of.kind ~= "object" or name:find "^_" then
    return nil
  elseif not (is_method or by_name[of.class].is_compiled or records[of.class]) then
    return nil
  end
  local known = names(of)
  for _, other in ipairs(known) do
    if other == name then return nil end
  end
  local near = declarations.nearest_name(name, known)
  local kind = is_method and "method" or "field"
  return ("%s has no %s '%s'%s"):format(of.name or of.class, kind, name,
    near and (" (did you mean '%s'?)"):format(near) or "")
end

-- The declared types of a function's results.
local function results(of)
  local list = {}
  for i, declared in ipairs(of.declared.returns) do list[i] = of_value(declared) or false end
  return list
end

return {
  read = read, element = element, parameter = parameter,
  module = module, field = field, fault = fault, results = results, object = object,
}
