-- Hot reload of functions in files: `target = "target.lua"`. With `watch = true` an edited file is
-- reloaded between two steps. If it does not compile, raises an error on loading, or returns no
-- function, it is rejected and the old function stays; likewise if the first step with the new one
-- fails, which is then repeated with the old one. Every change is recorded in events.jsonl with its
-- text.

local apo = require "apo"
local fail, hook = require "apo.fail", require "apo.script.hook"
local whole, options = require "apo.step.whole_state", require "apo.train.options"

-- The options that may be files.
local names = {}
for _, option in ipairs(options.declared) do
  if option.notes and option.notes.is_file then names[#names + 1] = option.name end
end

-- What a file gives, or nil and what is wrong.
local function compile(name, path, text, seconds)
  local chunk, problem = load(text, "@" .. path, "t")
  if not chunk then return nil, problem end
  local ok, result
  local limits = {seconds = seconds, memory = hook.memory_of(chunk)}
  local stopped_by, at = hook.limited(function() ok, result = pcall(chunk) end, limits)
  if stopped_by == "memory" then
    return nil, "loading " .. hook.took_memory(limits.memory, "", at)
  elseif stopped_by then
    return nil, ("loading took more than %g s, at %s"):format(seconds, at)
  end
  if not ok then return nil, tostring(result) end
  local is_right = type(result) == "function" or name == "reward" and type(result) == "table"
  if is_right then return result end
  return nil, ("%s must return a function, got %s"):format(path, type(result))
end

-- Replaces the paths among the options of apo.train with the functions; returns the files.
local function open(o)
  local files = {}
  for _, name in ipairs(names) do
    if type(o[name]) == "string" then
      local path = o[name]
      local text, problem = apo.system.read_file(path)
      if problem and name == "reward" and rawget(apo.rewards, path) then
        problem = problem .. "; apo.rewards." .. path .. "{…} makes a reward"
      end
      if text then o[name], problem = compile(name, path, text, o.reward_timeout) end
      if problem then fail(("train: option '%s': %s"):format(name, problem)) end
      files[#files + 1] = {name = name, path = path, text = text, seen = text}
    end
  end
  if o.watch and #files == 0 then
    fail(("train: option 'watch' needs one of %s as the path of a file that returns the function: "
      .. "target = \"target.lua\""):format(table.concat(names, ", ")))
  end
  return files
end

local function record(run, step, event, file, text, problem)
  run.journal:event{
    event = event, time = apo.system.time(), step = step, option = file.name, file = file.path,
    checksum = apo.system.hash(text), text = text, problem = problem,
  }
end

-- Records the initial files of a run, unless the events already end with them.
local function begin(run)
  for _, file in ipairs(run.files) do
    local last
    for _, event in ipairs(run.journal.events) do
      if event.option == file.name and event.event ~= "refused" then last = event end
    end
    if not last or last.text ~= file.text then
      record(run, run.step + 1, "code", file, file.text)
    end
  end
end

local function refuse(run, step, file, problem)
  run.console:warning(("%s was edited and is rejected, the old one stays: %s"):format(
    file.path, problem))
  record(run, step, "refused", file, file.seen, problem)
end

-- The edited files, each with its new function.
local function look(run, step)
  local changes = {}
  for _, file in ipairs(run.files) do
    local text, problem = apo.system.read_file(file.path)
    if text and text ~= file.seen then
      file.seen = text
      local value
      if text ~= file.text then  -- else what was refused was taken back
        value, problem = compile(file.name, file.path, text, run.options.reward_timeout)
      end
      if problem then refuse(run, step, file, problem) end
      if value then
        changes[#changes + 1] = {file = file, value = value, old = run.options[file.name]}
      end
    end
  end
  return changes
end

local function set(run, changes, field)
  for _, change in ipairs(changes) do run.options[change.file.name] = change[field] end
end

local function accept(run, step, changes)
  for _, change in ipairs(changes) do
    local file = change.file
    file.text = file.seen
    run.console:say(("%s was edited: in use from step %d"):format(file.path, step))
    record(run, step, "change", file, file.text)
  end
end

-- A function like `take_step` that uses the current files.
local function watched(take_step)
  return function(run, step, rows)
    local changes = run.options.watch and look(run, step) or {}
    if #changes == 0 then return take_step(run, step, rows) end
    set(run, changes, "value")
    local ok, result = pcall(take_step, run, step, rows)
    if ok then
      accept(run, step, changes)
      return result
    end
    -- Without a copy of the weights an update cannot be undone.
    if not whole.roll_back(run) then error(result, 0) end
    whole.release(run)
    whole.restore(run, run.whole.kept, "the step before")
    apo.seed_step(run.seed, step)
    set(run, changes, "old")
    run.optimizer:zero_grad()
    for _, change in ipairs(changes) do refuse(run, step, change.file, tostring(result)) end
    return take_step(run, step, rows)
  end
end

return {open = open, begin = begin, watched = watched}
