-- The grammar of Lua 5.4 for files that compile. It keeps what the checks ask for and no tree: only
-- names, fields, calls, literals and functions become nodes. Which variable a name is, is known at
-- once, and the checks (`see`) are called as the file is read:
--
--   see.global(node)            a global is read, or assigned (`node.is_assigned`)
--   see.index(node)             a field is read or assigned
--   see.call(node)              a call, after its arguments
--   see.parameters(node)        before them: a function of a position, its declared type; or nil
--   see.field(type, name)       the declared type of a field of a table
--   see.receives(type, index)   the declared type of a callback's parameter
--   see.variable(variable)      a local variable is there, with its value

local Parser = require "apo.check.expressions"
Parser.__index = Parser

local block_ends = {
  ["end of file"] = true, ["end"] = true, ["else"] = true, ["elseif"] = true, ["until"] = true,
}

-- Tokens --------------------------------------------------------------------------------------

function Parser:kind() return self.tokens.kinds[self.place] end
function Parser:line() return self.tokens.lines[self.place] end

-- The value of the token here, which is then behind.
function Parser:take()
  self.place = self.place + 1
  return self.tokens.values[self.place - 1]
end

function Parser:accept(kind)
  if self:kind() ~= kind then return false end
  self.place = self.place + 1
  return true
end

function Parser:expect(kind)
  if self:accept(kind) then return end
  error(("check: line %d: %s expected, got %s"):format(self:line(), kind, self:kind()))
end

-- Variables -----------------------------------------------------------------------------------

function Parser:open() self.scope = setmetatable({}, {__index = self.scope, up = self.scope}) end
function Parser:close() self.scope = getmetatable(self.scope).up end

-- A new local variable; it is visible once it is declared. How often each is assigned is known from
-- an earlier reading of the file, in which they came in the same order.
function Parser:variable(name, value)
  if value and value.kind == "nil" then value = nil end
  local number = self.variables + 1
  self.variables = number
  local assignments = self.assignments[number] or 0
  self.assignments[number] = assignments
  return {name = name, value = value, number = number,
          is_constant = (self.earlier[number] or 0) <= (value and 0 or 1)}
end

function Parser:declare(variable)
  self.see.variable(variable)
  self.scope[variable.name] = variable
end

function Parser:name()
  local line = self:line()
  local name = self:take()
  local variable = self.scope[name]
  if variable then
    return {kind = "local", variable = variable, type = variable.type, line = line}
  end
  return {kind = "global", name = name, line = line, is_top = self.depth == 0,
          has_environment = self.scope._ENV ~= nil}
end

-- The name is read, not assigned.
function Parser:read(node)
  if node.kind == "global" then self.see.global(node) end
  return node
end

function Parser:assign(target, value)
  target.is_assigned, target.value = true, value
  if target.kind == "local" then
    local variable = target.variable
    self.assignments[variable.number] = self.assignments[variable.number] + 1
    if not variable.value then
      variable.value = value
      self.see.variable(variable)
    end
  elseif target.kind == "global" then
    self.see.global(target)
  else
    self.see.index(target)
  end
end

-- Statements ----------------------------------------------------------------------------------

-- The i-th value of a list of expressions, of which the last may be a call with several results.
local function value_at(list, i)
  local last = list[#list]
  if i < #list or i == #list then return list[i] end
  local is_call = last.kind == "call" or last.kind == "method"
  return {kind = "result", call = is_call and last or nil, position = i - #list + 1}
end

function Parser:scoped_block(...)
  self:open()
  for _, variable in ipairs{...} do self:declare(variable) end
  self:block()
  self:close()
end

function Parser:assignment(first)
  local targets = {first}
  while self:accept "," do targets[#targets + 1] = self:suffixed(true) end
  self:expect "="
  local values = self:expressions()
  for i, target in ipairs(targets) do self:assign(target, value_at(values, i)) end
end

local statements = {}

statements["if"] = function(self)
  repeat
    self:condition()
    self:expect "then"
    self:scoped_block()
  until not self:accept "elseif"
  if self:accept "else" then self:scoped_block() end
  self:expect "end"
end

statements["while"] = function(self)
  self:condition()
  self:expect "do"
  self:scoped_block()
  self:expect "end"
end

statements["do"] = function(self)
  self:scoped_block()
  self:expect "end"
end

statements["repeat"] = function(self)
  self:open()
  self:block()
  self:expect "until"
  self:condition()
  self:close()
end

statements["for"] = function(self)
  local names = {self:take()}
  while self:accept "," do names[#names + 1] = self:take() end
  local _ = self:accept "=" or self:expect "in"
  self:expressions()
  self:expect "do"
  for i, name in ipairs(names) do names[i] = self:variable(name, {kind = "unknown"}) end
  self:scoped_block(table.unpack(names))
  self:expect "end"
end

statements["function"] = function(self)
  local target, method = self:name(), false
  while self:kind() == "." or self:kind() == ":" do
    method = self:kind() == ":"
    target = {kind = "index", object = self:seen(target), line = self:line()}
    self:take()
    target.name = self:take()
  end
  self:assign(target, {kind = "function", line = target.line})
  self:body(method)
end

statements["local"] = function(self)
  if self:accept "function" then
    self:declare(self:variable(self:take(), {kind = "function"}))
    self:body(false)
    return
  end
  local names = {}
  repeat
    names[#names + 1] = self:take()
    if self:accept "<" then
      self:take()
      self:expect ">"
    end
  until not self:accept ","
  local values = self:accept "=" and self:expressions()
  for i, name in ipairs(names) do
    self:declare(self:variable(name, values and value_at(values, i)))
  end
end

statements["return"] = function(self)
  if not block_ends[self:kind()] and self:kind() ~= ";" then self:expressions() end
  self:accept ";"
end

statements["goto"] = function(self) self:take() end
statements["break"] = function() end
statements[";"] = function() end
statements["::"] = function(self)
  self:take()
  self:expect "::"
end

function Parser:statement()
  local statement = statements[self:kind()]
  if statement then
    self:take()
    return statement(self)
  end
  local node = self:suffixed(true)
  if self:kind() == "=" or self:kind() == "," then return self:assignment(node) end
end

function Parser:block()
  while not block_ends[self:kind()] do self:statement() end
end

-- Reads a file's tokens; gives how often each local variable is assigned, for the next reading.
return function(tokens, see, earlier)
  local parser = setmetatable({
    tokens = tokens, place = 1, see = see, scope = {}, depth = 0, variables = 0, assignments = {},
    earlier = earlier or {},
  }, Parser)
  parser:block()
  parser:expect "end of file"
  return parser.assignments
end
