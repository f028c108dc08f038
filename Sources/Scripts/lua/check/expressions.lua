-- The expressions of Lua, for parser.lua, which says what the checks get to see.

local Parser = {}

local binary = {  -- left and right priority, as in lparser.c
  ["or"] = {1, 1}, ["and"] = {2, 2}, ["<"] = {3, 3}, [">"] = {3, 3}, ["<="] = {3, 3},
  [">="] = {3, 3}, ["~="] = {3, 3}, ["=="] = {3, 3}, ["|"] = {4, 4}, ["~"] = {5, 5}, ["&"] = {6, 6},
  ["<<"] = {7, 7}, [">>"] = {7, 7}, [".."] = {9, 8}, ["+"] = {10, 10}, ["-"] = {10, 10},
  ["*"] = {11, 11}, ["/"] = {11, 11}, ["//"] = {11, 11}, ["%"] = {11, 11}, ["^"] = {14, 13},
}
local unary_priority = 12
local unary = {["not"] = true, ["-"] = true, ["~"] = true, ["#"] = true}
function Parser:table(expected)
  local node = {kind = "table", line = self:line(), fields = {}, count = 0}
  self:expect "{"
  while self:kind() ~= "}" do
    local line, kinds = self:line(), self.tokens.kinds
    if self:kind() == "name" and kinds[self.place + 1] == "=" then
      local name = self:take()
      self:expect "="
      local value = self:expression(expected and self.see.field(expected, name))
      node.fields[#node.fields + 1] = {name = name, value = value, line = line}
    elseif self:accept "[" then
      local key = self:expression()
      self:expect "]"
      self:expect "="
      local value = self:expression()
      if key.kind == "string" then
        node.fields[#node.fields + 1] = {name = key.value, value = value, line = line}
      else
        node.is_open = true
      end
    else
      node.count = node.count + 1
      self:expression(expected and self.see.field(expected, node.count))
    end
    if not (self:accept "," or self:accept ";") then break end
  end
  self:expect "}"
  return node
end

-- The parameters and the body of a function; `method` adds self.
function Parser:body(method, expected)
  local node = {kind = "function", line = self:line(), parameters = 0}
  self:open()
  self.depth = self.depth + 1
  if method then self:declare(self:variable("self", {kind = "unknown"})) end
  self:expect "("
  while self:kind() ~= ")" do
    if not self:accept "..." then
      node.parameters = node.parameters + 1
      local variable = self:variable(self:take(), {kind = "unknown"})
      variable.type = expected and variable.is_constant
        and self.see.receives(expected, node.parameters) or nil
      self:declare(variable)
    end
    if not self:accept "," then break end
  end
  self:expect ")"
  self:block()
  self:expect "end"
  self.depth = self.depth - 1
  self:close()
  return node
end

local literals = {["nil"] = true, ["true"] = true, ["false"] = true, ["..."] = true}

function Parser:simple(expected)
  local kind, line = self:kind(), self:line()
  if kind == "string" or kind == "number" then
    return {kind = kind, value = self:take(), line = line}
  elseif literals[kind] then
    self:take()
    return {kind = kind, line = line}
  elseif kind == "{" then
    return self:table(expected)
  elseif self:accept "function" then
    return self:body(false, expected)
  end
  return self:suffixed()
end

function Parser:arguments(node)
  node.arguments, node.line = {}, self:line()
  local types = self.see.parameters(node)
  local function add(value) node.arguments[#node.arguments + 1] = value end
  local function expected() return types and types(#node.arguments + 1) end
  local asks_type = node.kind == "call" and node.callee.kind == "global"
    and node.callee.name == "type"
  if self:kind() == "string" then
    add{kind = "string", line = self:line(), value = self:take()}
  elseif self:kind() == "{" then
    add(self:table(expected()))
  else
    self:expect "("
    while self:kind() ~= ")" do
      add(self:expression(expected(), asks_type))
      if not self:accept "," then break end
    end
    self:expect ")"
  end
  self.see.call(node)
  return node
end

-- A name or an expression in parentheses.
function Parser:primary()
  if self:accept "(" then
    local node = self:expression()
    self:expect ")"
    return {kind = "parentheses", inside = node, type = node.type, line = node.line}
  end
  return self:name()
end

function Parser:suffix(node)
  local line = self:line()
  if self:accept "." then
    return {kind = "index", object = node, name = self:take(), line = line}
  elseif self:accept "[" then
    local key = self:expression()
    self:expect "]"
    return {kind = "index", object = node, name = key.kind == "string" and key.value or nil,
            key = key, line = line}
  elseif self:accept ":" then
    return self:arguments{kind = "method", object = node, name = self:take()}
  end
  return self:arguments{kind = "call", callee = node}
end

local suffixes = {
  ["."] = true, ["["] = true, [":"] = true, ["("] = true, ["{"] = true, string = true,
}

-- What is done with a name or a field that is read here.
function Parser:seen(node)
  if node.kind == "index" and not node.is_seen then
    node.is_seen = true
    self.see.index(node)
  end
  return self:read(node)
end

-- A name, its fields and calls. Where it may be the target of an assignment, the last part is not
-- seen as read.
function Parser:suffixed(assigned)
  local node = self:primary()
  while suffixes[self:kind()] do
    local kind = self:kind()
    node.is_called = kind == "(" or kind == "{" or kind == "string"
    node.is_indexed = not node.is_called
    node = self:suffix(self:seen(node))
  end
  return assigned and node or self:later(node)
end

-- Whether it is a test if something is there at all: `if x then`, `x or y`, `x == nil`.
function Parser:later(node)
  local kind = self:kind()
  if kind == "==" or kind == "~=" then
    node.is_tested = self.tokens.kinds[self.place + 1] == "nil"
  else
    node.is_tested = kind == "and" or kind == "or" or self.tests and not binary[kind]
  end
  return self:seen(node)
end

-- An expression of operators that bind more strongly than the limit. `self.tests` says that its
-- value is only asked whether it is there.
function Parser:operation(limit, expected)
  local node
  local line, tests = self:line(), self.tests
  if unary[self:kind()] then
    self.tests = self:kind() == "not"
    self:take()
    self:operation(unary_priority)
    node = {kind = "operation", line = line}
  else
    node = self:simple(expected)
  end
  while binary[self:kind()] and binary[self:kind()][1] > limit do
    local operator = self:kind()
    self:take()
    local compares = operator == "==" or operator == "~="
    self.tests = (operator == "or" or operator == "and") and tests
      or compares and node.kind == "nil"
    self:operation(binary[operator][2])
    node = {kind = "operation", line = line}
  end
  self.tests = tests
  return node
end

function Parser:expression(expected, tests)
  local before = self.tests
  self.tests = tests
  local node = self:operation(0, expected)
  self.tests = before
  return node
end

-- A condition: a name in it may stand for nothing.
function Parser:condition() self:expression(nil, true) end

function Parser:expressions()
  local list = {self:expression()}
  while self:accept "," do list[#list + 1] = self:expression() end
  return list
end

return Parser
