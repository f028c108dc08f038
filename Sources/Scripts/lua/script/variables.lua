-- Detects script variables that hooks change during training: a moving baseline in a local, a
-- counter in a global. Checkpoints do not contain them, so a resumed run starts from their initial
-- values. They are compared after each step until one has changed.

local most = 64  -- entries of a table that are looked at; rows and tables to look up are larger

-- The hooks of a run that a script wrote, by option.
local function hooks(run)
  local o, list = run.options, {}
  local function add(name, f)
    if type(f) == "function" then list[#list + 1] = {name = name, f = f} end
    for key, inner in pairs(type(f) == "table" and f or {}) do
      add(name .. "." .. tostring(key), inner)
    end
  end
  add("reward", o.reward)
  for _, name in ipairs{"target", "loss", "on_step"} do add(name, o[name]) end
  add("schedule", type(o.schedule) == "function" and o.schedule)
  add("beta", run.beta)
  if o.eval then
    add("eval.reward", o.eval.reward)
    add("eval.correct", type(o.eval.correct) == "function" and o.eval.correct)
  end
  add("algorithm", run.algorithm.step)
  return list
end

local function is_of_library(f)
  local info = debug.getinfo(f, "S")
  return info.what == "C" or info.source:sub(1, 6) == "=[apo]"
end

local function is_plain_table(value)
  return type(value) == "table" and getmetatable(value) == nil
end

-- A copy of a table's entries, a level of tables in it included; nil of what is larger or no table.
local function copy_of(value, depth)
  if not is_plain_table(value) then return nil end
  local copy = {count = 0, entries = {}, inner = {}}
  for key, entry in next, value do
    copy.count = copy.count + 1
    if copy.count > most then return nil end
    copy.entries[key] = entry
    if depth > 0 then copy.inner[key] = copy_of(entry, depth - 1) end
  end
  return copy
end

-- Whether two values are the same one; NaN is.
local function is_same(a, b) return rawequal(a, b) or a ~= a and b ~= b end

-- Whether a table has other entries than when it was copied.
local function differs(copy, value)
  local count = 0
  for key, entry in next, value do
    count = count + 1
    if count > copy.count or not is_same(copy.entries[key], entry) then return true end
    local inner = copy.inner[key]
    if inner and differs(inner, entry) then return true end
  end
  return count < copy.count
end

local add_variables

-- A variable and how it is read.
local function add_one(list, seen, about, name, index, f)
  local id = debug.upvalueid(f, index)
  local _, value = debug.getupvalue(f, index)
  if seen[id] or name == "_ENV" or seen[value or id] then return end
  seen[id] = true
  if type(value) == "function" and not is_of_library(value) then
    add_variables(list, seen, about, value)
  end
  list[#list + 1] = {
    name = name, about = about, value = value, copy = copy_of(value, 1),
    read = function() return select(2, debug.getupvalue(f, index)) end,
  }
end

function add_variables(list, seen, about, f)
  if seen[f] or is_of_library(f) then return end
  seen[f] = true
  for index = 1, 255 do
    local name = debug.getupvalue(f, index)
    if not name then return end
    add_one(list, seen, about, name, index, f)
  end
end

-- The global variables that are plain values.
local function globals()
  local values = {}
  for name, value in next, _G do
    local kind = type(value)
    if type(name) == "string" and (kind == "number" or kind == "string" or kind == "boolean") then
      values[name] = value
    end
  end
  return values
end

local function changed_global(before)
  local after = globals()
  for name, value in pairs(after) do
    if before[name] ~= value and value == value then return name end
  end
end

local function has_changed(variable)
  local value = variable.read()
  if not is_same(value, variable.value) then return true end
  return variable.copy ~= nil and differs(variable.copy, value)
end

local advice = " changed during the run. A checkpoint does not hold it, so a run that is resumed "
  .. "begins with its first value again; keep it in the option `state`, which checkpoints hold"

-- A function that gives a text when a variable has changed, once; else nil.
return function(run)
  local list, seen, before = {}, {}, globals()
  for _, module in pairs(package.loaded) do seen[module] = true end
  if run.options.state then seen[run.options.state] = true end
  for _, hook in ipairs(hooks(run)) do add_variables(list, seen, hook, hook.f) end
  local is_over = false
  return function()
    if is_over then return nil end
    for _, variable in ipairs(list) do
      if has_changed(variable) then
        is_over = true
        local info = debug.getinfo(variable.about.f, "S")
        return ("the variable '%s' of the function '%s' (%s:%d)"):format(variable.name,
          variable.about.name, info.short_src, info.linedefined) .. advice
      end
    end
    local name = changed_global(before)
    is_over = name ~= nil
    return name and ("the global variable '%s'"):format(name) .. advice
  end
end
