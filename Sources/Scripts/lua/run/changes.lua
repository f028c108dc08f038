-- Differences between a resumed run and its start: which settings may differ, the error about the
-- others, and the record of those accepted by resume = "force".

local apo = require "apo"
local same = require "apo.data.same"
local json = apo.json

-- Settings that are functions, by a hash of their code.
local functions = {reward = true, target = true, loss = true, beta = true, schedule = true}

local function is_hash(value) return type(value) == "string" and #value == 16 end

local function text_of(name, old, new)
  if name == "data" or name:find "%.data$" then
    return ("the rows of %s are others"):format(name)
  elseif name == "values.hash" then
    return "the values of the rows are others"
  elseif functions[name:match "^[^.]*"] and is_hash(old) and is_hash(new) then
    return ("the code of '%s' has changed"):format(name)
  end
  return ("%s was %s, now %s"):format(name, json.encode(old), json.encode(new))
end

-- Whether more steps are requested, which a finished run allows.
local function is_longer(name, old, new)
  return name == "steps" and (old == nil or math.type(old) == "integer" and (new or 0) >= old)
end

-- The settings by their paths, such as `eval.every`; lists are values.
local function flat(settings, prefix, list)
  for name, value in pairs(settings) do
    local path = prefix .. tostring(name)
    if type(value) == "table" and #value == 0 then flat(value, path .. ".", list)
    else list[path] = value end
  end
  return list
end

-- What run.json has that was written before there were `eval.data` and a hash of the values.
local function renamed(old, new)
  if old.eval_data then
    old["eval.data"], old.eval_data, old["eval.rows"] = old.eval_data, nil, nil
  end
  if old["values.n"] and not old["values.hash"] then old["values.hash"] = new["values.hash"] end
  return old
end

-- The settings that differ and must not: a list of {name, before, now, text}. `rules` has the paths
-- that are `free` to differ, and `defaults` of those that an older run.json does not name.
local function between(old, new, rules)
  new = flat(new, "", {})
  old = renamed(flat(old, "", {}), new)
  local changes, names = {}, {}
  for name in pairs(old) do names[name] = true end
  for name in pairs(new) do names[name] = true end
  for name in pairs(names) do
    local before, now = old[name], new[name]
    if before == nil then before = rules.defaults[name] end
    local is_told = name:find "^algorithm%." and name ~= "algorithm.name"
      and not same(old["algorithm.name"], new["algorithm.name"])  -- the options of another one
    if not rules.free[name] and not is_told and not same(before, now)
      and not is_longer(name, before, now) then
      changes[#changes + 1] = {name = name, before = before, now = now,
                               text = text_of(name, before, now)}
    end
  end
  return changes
end

local function text(changes)
  local texts = {}
  for i, change in ipairs(changes) do texts[i] = change.text end
  return table.concat(texts, "; ")
end

-- Both texts of each function whose text differs.
local function texts_of_functions(before, about)
  local old, new, found = type(before.functions) == "table" and before.functions or {},
    about.functions, {}
  for name in pairs(functions) do
    if json.encode(old[name]) ~= json.encode(new[name]) then
      found[name] = {before = old[name], now = new[name]}
    end
  end
  return next(found) and found
end

local function forced(before, about, changes, step)
  local settings = {}
  for _, change in ipairs(changes) do
    settings[change.name] = {before = change.before, now = change.now}
  end
  return {event = "force", step = step + 1, time = apo.system.time(), settings = settings,
          functions = texts_of_functions(before, about)}
end

-- The contents of run.json from now on, nil when they stay; and what there is to say.
local function adopted(before, about, changes, step)
  local events, said = table.move(before.changes or {}, 1, #(before.changes or {}), 1, {}), {}
  if #changes > 0 then
    events[#events + 1] = forced(before, about, changes, step)
    said[1] = ("resume = \"force\": continues after step %d although %s; events.jsonl has both")
      :format(step, text(changes))
  end
  local old_steps = before.settings.steps
  local new_steps = about.settings.steps  -- nil where nothing depends on them any more
  if old_steps and new_steps and new_steps ~= old_steps and step > 0 then
    events[#events + 1] = {event = "steps", step = step + 1, time = apo.system.time(),
                           before = old_steps, now = new_steps}
    said[#said + 1] = ("the run had %d steps and now has %d: from step %d the schedule is that "
      .. "of %d steps"):format(old_steps, new_steps, step + 1, new_steps)
  end
  if #said == 0 and before.steps == about.steps then return nil, said end
  local new = {}
  for name, value in pairs(about) do new[name] = value end
  new.id, new.started, new.changes = before.id, before.started, #events > 0 and events or nil
  return new, said
end

return {between = between, text = text, adopted = adopted}
