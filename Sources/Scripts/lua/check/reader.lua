-- Finds what is wrong in the text of a script that compiles, without running it. It is read twice:
-- the first reading learns which names the script makes and which variables keep their value, the
-- second one reports.

local lex, parse = require "apo.check.lexer", require "apo.check.parser"
local declared, arguments = require "apo.check.declared", require "apo.check.arguments"
local globals, comments = require "apo.check.globals", require "apo.check.comments"
local nearest_name = require "apo.declarations".nearest_name

local function nothing() end

-- Learns what the names are.
local Names = {}
Names.__index = Names

function Names:index(node)
  self.globals:collect_index(node)
  if not node.name then return end
  if node.is_assigned then self.fields[node.name] = true end
  if node.is_tested then self.tested[node.name] = true end
end

local function first_reading(tokens)
  local names = setmetatable({globals = globals.new(), fields = {}, tested = {}}, Names)
  local assignments = parse(tokens, {
    global = function(node) names.globals:collect(node) end,
    index = function(node) names:index(node) end,
    call = function(node) names.globals:collect_call(node) end,
    parameters = nothing, field = nothing, receives = nothing, variable = nothing,
  })
  return names, assignments
end

-- What the second reading sees -------------------------------------------------------------------

local Reader = {}
Reader.__index = Reader

function Reader:report(line, text) self.faults[#self.faults + 1] = {line = line, text = text} end

function Reader:global(node)
  local fault = self.names.globals:fault(node)
  if fault then self:report(node.line, fault) end
end

-- A field that the script itself sets or asks for somewhere may be there.
function Reader:may_have(name) return self.names.fields[name] or self.names.tested[name] end

function Reader:standard_field(node)
  local object, name = node.object, node.name
  if object.has_environment or not (node.is_called or node.is_indexed) then return end
  if globals.has_field(object.name, name) or self:may_have(name) then return end
  local of_name = self.names.globals.names[object.name]
  if of_name and of_name.is_assigned then return end
  local near = nearest_name(name, globals.fields(object.name))
  self:report(node.line, ("%s has no field '%s'%s"):format(object.name, name,
    near and (" (did you mean '%s'?)"):format(near) or ""))
end

function Reader:index(node)
  local object, name = node.object, node.name
  if node.is_assigned then return end
  if not name then
    node.type = object.type and declared.element(object.type)
    return
  end
  if object.kind == "global" then self:standard_field(node) end
  local of = object.type
  if not of then return end
  node.type = declared.field(of, name)
  if not node.type and not self:may_have(name) then
    local fault = declared.fault(of, name)
    if fault then self:report(node.line, fault) end
  end
end

-- The declaration of what is called.
local function callee(node)
  if node.kind == "method" then
    local of = node.object.type
    local method = of and declared.field(of, node.name)
    return method and method.kind == "method" and method or nil
  end
  local of = node.callee.type
  return of and of.kind == "function" and of or nil
end

function Reader:parameters(node)
  local called = callee(node)
  return called and function(position)
    return (arguments.type_at(called.declared, position))
  end
end

local function is_require(node)
  local first = node.arguments[1]
  return node.callee.kind == "global" and node.callee.name == "require" and #node.arguments == 1
    and first.kind == "string" and first.value == "apo"
end

function Reader:call(node)
  if node.kind == "call" and is_require(node) then
    node.type = declared.module
    return
  end
  local called = callee(node)
  if called then
    node.results = declared.results(called)
    node.type = node.results[1] or nil
    local name = called.declared.name:match "[^.:]*$"
    arguments.check_call(called.declared, node.arguments, function(line, text)
      self:report(line, name .. ": " .. text)
    end)
  elseif node.kind == "method" and node.object.type and not self:may_have(node.name) then
    local fault = declared.fault(node.object.type, node.name, true)
    if fault then self:report(node.line, fault) end
  end
end

-- A variable that is never assigned again is what it begins as.
function Reader:variable(variable)
  local value = variable.value
  if not variable.is_constant or not value then return end
  if value.kind == "result" then
    local call = value.call
    variable.type = call and call.results and call.results[value.position] or nil
  elseif value.type then
    variable.type = value.type
  end
end

-- A list of `{line, text}`, in order.
return function(text)
  declared.read()
  local tokens = lex(text)
  local names, assignments = first_reading(tokens)
  comments.declare(tokens.comments, function(name) names.globals:declare(name) end)
  local reader = setmetatable({names = names, faults = {}}, Reader)
  parse(tokens, {
    global = function(node) reader:global(node) end,
    index = function(node) reader:index(node) end,
    call = function(node) reader:call(node) end,
    parameters = function(node) return reader:parameters(node) end,
    field = function(of, name) return arguments.field_type(of, name) end,
    receives = function(of, position)
      return of.signature and declared.parameter(of.signature, position)
    end,
    variable = function(variable) reader:variable(variable) end,
  }, assignments)
  return comments.without_ignored(tokens.comments, reader.faults)
end
