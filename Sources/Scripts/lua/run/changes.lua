-- What a run that goes on has otherwise than when it was started: which settings may differ, what
-- an error says of the others, and what is written down of those that resume = "force" takes.

local apo = require "apo"
local json, shipped = apo.json, require "apo.algorithms.shipped"

-- Settings that may differ: they do not change what was done so far. `steps` is there where a
-- schedule depends on it, which then is another one from the next step on.
local free = {
  epochs = true, max_steps = true, save_every = true, keep = true, quiet = true, resume = true,
}

-- Settings that are hashes, and what is another when they differ.
local hashes = {
  data = "the rows of data are others", eval_data = "the rows of eval.data are others",
}

-- Settings that are functions, by a hash of their code.
local functions = {reward = true, target = true, loss = true, beta = true, schedule = true}

-- Settings that are not written where they are these.
local unwritten = {
  kv_cache_dtype = "float32", overlong = "error", ignore_eos = false,
  algorithm = {name = shipped.default, options = {}},
}

local function is_hash(value)
  return type(value) == "table" or type(value) == "string" and #value == 16
end

local function text_of(name, old, new, before, now)
  if hashes[name] then return hashes[name] end
  if functions[name] and is_hash(old) and is_hash(new) then
    return ("the code of '%s' is another"):format(name)
  end
  return ("%s was %s, now %s"):format(name, before, now)
end

-- Whether a longer end is asked for, which a finished run may have.
local function is_longer(name, old, new)
  return name == "steps" and (old == nil or math.type(old) == "integer" and (new or 0) >= old)
end

-- The settings that differ and must not: a list of {name, before, now, text}.
local function between(old, new)
  local changes, names = {}, {}
  for name in pairs(old) do names[name] = true end
  for name in pairs(new) do names[name] = true end
  for name in pairs(names) do
    local before = json.encode(old[name] == nil and unwritten[name] or old[name])
    local now = json.encode(new[name] == nil and unwritten[name] or new[name])
    if before ~= now and not free[name] and not is_longer(name, old[name], new[name]) then
      changes[#changes + 1] = {name = name, before = old[name], now = new[name],
                               text = text_of(name, old[name], new[name], before, now)}
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
    said[1] = ("resume = \"force\": goes on after step %d although %s; events.jsonl has both")
      :format(step, text(changes))
  end
  local old_steps = before.settings.steps
  if old_steps and about.settings.steps ~= old_steps and step > 0 then
    events[#events + 1] = {event = "steps", step = step + 1, time = apo.system.time(),
                           before = old_steps, now = about.settings.steps}
    said[#said + 1] = ("the run had %d steps and now has %d: from step %d on the schedule is that "
      .. "of %d steps"):format(old_steps, about.settings.steps, step + 1, about.settings.steps)
  end
  if #said == 0 and before.steps == about.steps then return nil, said end
  local new = {}
  for name, value in pairs(about) do new[name] = value end
  new.started, new.changes = before.started, #events > 0 and events or nil
  return new, said
end

return {between = between, text = text, adopted = adopted}
