-- The global names of a file: those of Lua, those that the file itself makes, those that a comment
-- declares as luacheck has it (`-- luacheck: globals debug_level`).

local declarations = require "apo.declarations"

-- Names of other versions of Lua, which portable files ask for; to use one is still a fault.
local of_others = {}
for name in ([[unpack loadstring setfenv getfenv module newproxy gcinfo bit bit32 jit]]):gmatch
  "%w+" do
  of_others[name] = true
end

local standard = {}
for name, value in pairs(_G) do standard[name] = value end
standard.arg, standard._ENV = {}, {}

local only_reads = {}
for name in ("pairs next type tostring print rawget rawequal getmetatable"):gmatch "%a+" do
  only_reads[name] = true
end

local Globals = {}
Globals.__index = Globals

function Globals:is_known(name)
  local of_name = self.names[name]
  return standard[name] ~= nil or of_name ~= nil and (of_name.is_made or of_name.is_tested)
end

-- What a first reading of the file says about a name. One that is only assigned within functions is
-- made there, too, but that is mostly a `local` that was forgotten.
function Globals:collect(node)
  local name = node.name
  if node.has_environment then return end
  if name == "_ENV" and node.is_assigned then self.is_open = true end
  local of_name = self.names[name] or {}
  self.names[name] = of_name
  if node.is_assigned then
    of_name.is_assigned = true
    of_name.is_made = of_name.is_made or node.is_top
  end
  of_name.is_tested = of_name.is_tested or node.is_tested
end

-- `_G.name = …` makes a name; with a computed name, or a metatable, any may be there.
function Globals:collect_index(node)
  local object = node.object
  if object.kind ~= "global" or object.name ~= "_G" and object.name ~= "_ENV" then return end
  if not node.is_assigned then return end
  if not node.name then
    self.is_open = true
  else
    self.names[node.name] = self.names[node.name] or {}
    self.names[node.name].is_made = true
  end
end

-- A function that gets all globals may add some.
function Globals:collect_call(node)
  local callee = node.callee
  if callee and callee.kind == "global" and only_reads[callee.name] then return end
  for _, argument in ipairs(node.arguments) do
    local is_name = argument.kind == "global" and not argument.has_environment
    if is_name and (argument.name == "_G" or argument.name == "_ENV") then self.is_open = true end
  end
end

function Globals:declare(name)
  self.names[name] = {is_made = true}
end

-- What is wrong with the use of a name, nil where nothing is.
function Globals:fault(node)
  local name = node.name
  if node.has_environment or self.is_open or self:is_known(name) then return nil end
  local of_name = self.names[name]
  if of_name.is_declared then return nil end
  if node.is_assigned then
    return ("'%s' is assigned as a global within a function; is a 'local' missing?"):format(name)
  end
  if of_name.is_assigned or of_others[name] and not (node.is_called or node.is_indexed) then
    return nil
  end
  if name == "apo" then return "undefined global 'apo'; local apo = require \"apo\" is missing" end
  local near = declarations.nearest_name(name, self:all())
  return ("undefined global '%s'%s"):format(name,
    near and (" (did you mean '%s'?)"):format(near) or "")
end

function Globals:all()
  local list = {}
  for name in pairs(standard) do list[#list + 1] = name end
  for name, of_name in pairs(self.names) do
    if of_name.is_made then list[#list + 1] = name end
  end
  return list
end

-- Whether a field of a standard module is there; `name` is a global that the file does not make.
local function has_field(name, field)
  local value = standard[name]
  return type(value) ~= "table" or name == "_G" or next(value) == nil or value[field] ~= nil
end

return {
  new = function() return setmetatable({names = {}}, Globals) end,
  has_field = has_field,
  -- The names of a standard module's fields.
  fields = function(name)
    local list = {}
    for field in pairs(standard[name]) do list[#list + 1] = field end
    return list
  end,
}
