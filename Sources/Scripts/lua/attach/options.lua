-- `set`, `undo` and `changes`: options of a live run. Which ones may change is noted where they are
-- declared (`notes.live`), and what a new value does beside being there is a setter of the run.

local apo = require "apo"
local documented = require "apo.documented"

local Options = {}
Options.__index = Options

-- The declaration of an option by its path, such as `eval.every`.
local function find(declared, path)
  local name, rest = path:match "^([^.]+)%.?(.*)$"
  for _, option in ipairs(declared) do
    if option.name == name then
      if rest == "" then return option end
      return option.fields and find(option.fields, rest)
    end
  end
end

-- The paths of all options that may change.
local function names(declared, prefix, list)
  for _, option in ipairs(declared) do
    if option.notes and option.notes.live then list[#list + 1] = prefix .. option.name end
    if option.fields then names(option.fields, prefix .. option.name .. ".", list) end
  end
  return list
end

local function table_of(o, path)
  local holder = o
  for part in path:gmatch "([^.]+)%." do
    holder = holder and holder[part]
    if type(holder) ~= "table" then return nil end
  end
  return holder, path:match "[^.]+$"
end

-- A value as Lua writes it; numbers come back as they are.
local function literal(value)
  if type(value) == "string" then return ("%q"):format(value) end
  if math.type(value) ~= "float" then return tostring(value) end
  if value == math.huge then return "math.huge" end
  for digits = 6, 17 do
    local text = ("%%.%dg"):format(digits):format(value)
    if tonumber(text) == value then return math.type(tonumber(text)) and text end
  end
  return tostring(value)
end

local checkers = {}

-- The value as the declaration wants it; raises an error that says what is wrong with it.
local function checked(option, path, value)
  local check = checkers[option]
  if not check then
    local copy = {notes = nil}
    for field, inner in pairs(option) do copy[field] = inner end
    copy.name = path
    check = documented{
      name = "set", summary = "Checks an option.", internal = true, options = {copy},
      call = function(o) return o[path] end,
    }
    checkers[option] = check
  end
  return check{[path] = value}
end

function Options.new(run) return setmetatable({run = run, list = {}}, Options) end

function Options:names() return names(self.run.declared, "", {}) end

-- The declaration of an option that may change.
function Options:declaration(path)
  local run = self.run
  local option = find(run.declared, path)
  if not option then
    local own = run.options.settings
    local name = path:match "^settings%.([^.]+)$"
    local kind = own and name and type(own[name])
    if kind == "number" or kind == "string" or kind == "boolean" then
      return {name = name, type = kind}
    end
    error(("set: there is no option '%s'; those that may change: %s"):format(
      path, table.concat(self:names(), ", ")), 0)
  end
  local notes = option.notes or {}
  if not notes.live then
    error(("set: '%s' cannot change in a live run: %s"):format(
      path, notes.fixed or "it is used only when the run starts"), 0)
  end
  return option
end

-- What the option is now.
function Options:current(path)
  local setter = self.run.setters[path]
  if setter then return setter.get(self.run) end
  local holder, name = table_of(self.run.options, path)
  if not holder then
    error(("set: the run has no '%s'"):format(path:match "^(.*)%."), 0)
  end
  return holder[name]
end

local function assign(run, path, value)
  local setter = run.setters[path]
  if setter then return setter.set(run, value) end
  local holder, name = table_of(run.options, path)
  holder[name] = value
end

-- Gives an option a new value. Gives the text for the journal.
function Options:set(path, value)
  local option = self:declaration(path)
  local before = self:current(path)
  value = checked(option, path, value)
  if value == nil and option.default == nil and not option.optional then
    error(("set: '%s' cannot be nil"):format(path), 0)
  end
  assign(self.run, path, value)
  self.list[#self.list + 1] = {path = path, before = before, now = value, step = self.run.step}
  return ("%s: %s, was %s"):format(path, literal(value), literal(before))
end

-- Takes the last change back.
function Options:undo()
  local change = table.remove(self.list)
  if not change then error("undo: nothing was set", 0) end
  assign(self.run, change.path, change.before)
  return ("%s: %s again, was %s"):format(change.path, literal(change.before), literal(change.now))
end

-- Takes all changes back, as the run goes back.
function Options:clear()
  while #self.list > 0 do
    local change = table.remove(self.list)
    assign(self.run, change.path, change.before)
  end
end

-- The changes, one a line.
function Options:lines()
  local lines = {}
  for i, change in ipairs(self.list) do
    lines[i] = ("after step %d  %s: %s, was %s"):format(
      change.step, change.path, literal(change.now), literal(change.before))
  end
  return lines
end

Options.literal = literal

return Options
