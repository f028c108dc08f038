-- Calls a script's functions: an error gets the name of the function and option, the step and the
-- row; its position and traceback are kept. One that takes too much of time or memory is stopped.

local apo = require "apo"
local fail = require "apo.fail"

local hook = {}
-- What the call is a part of, {of = "apo.train, step 7"}, nil outside; `names` has the options that
-- are called otherwise there, `memory` the bytes that a call may take, nil for any.
local now
local said  -- the last error that was described, which outer calls leave as it is
local place -- and where it was, for an error that is no text

-- Runs a body as a part of something, or of what there is where `of` is nil. Its calls may take so
-- much memory, or as much as the calls around it where that is nil.
function hook.during(of, names, body, memory)
  local before, outer = now, now or {}
  now = {
    of = of and outer.of and of .. " of " .. outer.of or of or outer.of,
    names = of and names or outer.names, memory = memory or outer.memory,
  }
  apo.system.on_failure(body, function() now = before end)
  now = before
end

-- Whether something that calls hooks runs.
function hook.is_within() return now ~= nil end

-- Where a function was written.
local function source(f)
  local info = debug.getinfo(f, "S")
  return info.what == "C" and "compiled" or ("%s:%d"):format(info.short_src, info.linedefined)
end

local function is_library(f) return debug.getinfo(f, "S").source:sub(1, 6) == "=[apo]" end

-- "the reward function (train.lua:10), option 'reward' of apo.train, step 7, for row 3 (prompt: …)"
local function where(name, title, f, row)
  local parts = {("%s (%s)"):format(title, source(f))}
  if now and now.of then
    parts[2] = ("option '%s' of %s"):format(now.names and now.names[name] or name, now.of)
  end
  parts[#parts + 1] = row and "for " .. row
  return table.concat(parts, ", ")
end

-- The error to raise instead. `row` is a text or nil.
function hook.described(problem, name, title, f, row)
  if rawequal(problem, said) or is_library(f) then return problem end
  place = where(name, title, f, row)
  said = type(problem) == "string" and ("%s\n  in %s"):format(problem, place) or problem
  return said
end

-- The position of an error that is not a text; nil if unknown.
function hook.place(problem)
  return type(problem) ~= "string" and rawequal(problem, said) and place or nil
end

-- Calls f with no arguments. Gives nothing when it ended, else "time" or "memory" and where it was
-- stopped. Memory is looked at last: a call that goes on after it had too much is not named slow.
function hook.limited(f, limits, label, describe)
  local in_time, stopped_at
  local function timed()
    in_time, stopped_at = apo.system.time_limit(limits.seconds or math.huge, f, label, describe)
  end
  if limits.memory then
    local is_enough, at = apo.system.memory_limit(limits.memory, timed)
    if not is_enough then return "memory", at end
  else
    timed()
  end
  if not in_time then return "time", stopped_at end
end

-- The bytes that a call of f may take; the library's own functions are not counted.
function hook.memory_of(f)
  return now and not is_library(f) and now.memory or nil
end

-- "took more than 4 MB of memory … and was stopped at train.lua:12; it may …". `during` is a text
-- with a space before it, or "".
function hook.took_memory(bytes, during, at)
  return ("took more than %g MB of memory%s and was stopped at %s; it may build an endless "
    .. "table, or reward_memory is too small"):format(bytes / 1e6, during, at)
end

-- What f gives for some arguments.
function hook.call(name, f, ...)
  local given, results = table.pack(...), nil
  local memory = hook.memory_of(f)
  local stopped_by, at = hook.limited(function()
    results = table.pack(f(table.unpack(given, 1, given.n)))
  end, {memory = memory}, name, function(problem)
    return hook.described(problem, name, ("the %s function"):format(name), f)
  end)
  if not stopped_by then return table.unpack(results, 1, results.n) end
  fail(("%s, %s"):format(where(name, ("the %s function"):format(name), f),
    hook.took_memory(memory, "", at)))
end

return hook
