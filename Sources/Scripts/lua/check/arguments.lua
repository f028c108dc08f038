-- Literals among the arguments of a call against the declared types: unknown options, unknown
-- values, values of other types. What is computed is left to the run.

local declarations = require "apo.declarations"

local of_literal = {  -- the kind of value that a literal is
  string = "string", number = "number", ["true"] = "boolean", ["false"] = "boolean",
  ["function"] = "function", table = "table",
}
local of_type = {string = "string", boolean = "boolean", table = "table", list = "table",
                 options = "table", ["function"] = "function", choice = "string"}

local function is_number(declared, value)
  if declared.kind == "integer" and not math.tointeger(value) then return false end
  return value >= (declared.minimum or -math.huge) and value <= (declared.maximum or math.huge)
end

-- Whether a literal may be of a type; tables are looked into elsewhere.
local function fits(declared, node)
  local literal = of_literal[node.kind]
  if declared.kind == "any" or not literal then return true end
  if declared.kind == "one_of" then
    for _, alternative in ipairs(declared.types) do
      if fits(alternative, node) then return true end
    end
    return false
  elseif declared.kind == "number" or declared.kind == "integer" then
    return literal == "number" and is_number(declared, node.value)
  elseif declared.kind == "object" then
    return literal == "table"  -- a class of Lua may have others of its objects made by scripts
  elseif declared.kind == "choice" and literal == "string" then
    for _, name in ipairs(declared.names) do
      if name == node.value then return true end
    end
    return false
  end
  return of_type[declared.kind] == literal
end

-- What a message says was given.
local function given(declared, node)
  if node.kind == "string" and declared.words:find("one of", 1, true) then
    return ("'%s'"):format(node.value)
  end
  return node.kind == "number" and tostring(node.value) or of_literal[node.kind]
end

local function options_of(declared)
  if not declared or declared.kind == "options" then return declared end
  for _, alternative in ipairs(declared.types or {}) do
    if alternative.kind == "options" then return alternative end
  end
end

local function known_names(fields)
  local names = {}
  for i, field in ipairs(fields) do names[i] = field.name end
  return names
end

-- The declaration of a field of a table that stands for options.
local function field_of(declared, name)
  local options = options_of(declared)
  for _, field in ipairs(options and options.fields or {}) do
    if field.name == name then return field end
  end
end

local check

-- A string where only some are taken.
local function check_values(field, entry, path, report)
  if #field.values == 0 or entry.value.kind ~= "string" then return end
  for _, value in ipairs(field.values) do
    if value == entry.value.value then return end
  end
  report(entry.line, ("option '%s%s': there is no '%s'; there are %s"):format(path, entry.name,
    entry.value.value, table.concat(field.values, ", ")))
end

local function check_options(declared, node, path, report)
  local present, unknown = {}, node.is_open or node.count > 0
  for _, entry in ipairs(node.fields) do
    local field = field_of(declared, entry.name)
    present[entry.name] = true
    if field then
      check_values(field, entry, path, report)
      check(field.type, entry.value, ("option '%s%s'"):format(path, entry.name),
        path .. entry.name .. ".", report, entry.line)
    else
      unknown = true
      report(entry.line, declarations.unknown_option(path .. entry.name, entry.name,
        known_names(options_of(declared).fields)))
    end
  end
  if node.count > 0 then
    report(node.line, declarations.unknown_option(path .. "[1]", "1",
      known_names(options_of(declared).fields)))
  end
  if unknown then return end  -- it is often the missing one under another name
  for _, field in ipairs(options_of(declared).fields) do
    if not field.optional and not present[field.name] then
      report(node.line,
        ("option '%s%s' is missing (%s)"):format(path, field.name, field.type.words))
    end
  end
end

-- Checks a value of a declared type; `report(line, text)` is called for each fault.
function check(declared, node, title, path, report, line)
  if not fits(declared, node) then
    report(line or node.line,
      ("%s must be %s, got %s"):format(title, declared.words, given(declared, node)))
  elseif node.kind == "table" and options_of(declared) then
    check_options(declared, node, path, report)
  end
end

-- A declared type with what its function is called with.
local function with_signature(declaration)
  local of = declaration.type
  if declaration.signature ~= "" then of.signature = declaration.signature end
  return of
end

-- The declared type of an argument by its position.
local function type_at(declared, position)
  local parameters = declared.parameters
  local parameter = parameters[position]
  local last = parameters[#parameters]
  if not parameter and last and last.variadic then parameter = last end
  return parameter and with_signature(parameter), parameter
end

-- Checks the arguments of a call.
local function check_call(declared, arguments, report)
  for position, node in ipairs(arguments) do
    local of_parameter, parameter = type_at(declared, position)
    if of_parameter then
      check(of_parameter, node, ("argument '%s'"):format(parameter.name), "", report)
    end
  end
end

return {
  check_call = check_call, type_at = type_at,
  -- The declared type of a field of options.
  field_type = function(declared, name)
    local field = field_of(declared, name)
    return field and with_signature(field)
  end,
}
