-- Calls of the functions that a script gives: an error in one goes on with the name of the
-- function, of the option that it is, the step and the row; its position and traceback stay.

local apo = require "apo"

local hook = {}
local now   -- of what the call is a part: {of = "apo.train, step 7"}, nil outside
local said  -- the last error that was described, which outer calls leave as it is
local place -- and where it was, for an error that is no text

-- Runs a body as a part of something; `names` has the options that are called otherwise there.
function hook.during(of, names, body)
  local before = now
  now = {of = before and of .. " of " .. before.of or of, names = names}
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

-- "the reward function (train.lua:10), option 'reward' of apo.train, step 7, for row 3 (prompt: …)"
local function where(name, title, f, row)
  local parts = {("%s (%s)"):format(title, source(f))}
  if now then
    parts[2] = ("option '%s' of %s"):format(now.names and now.names[name] or name, now.of)
  end
  parts[#parts + 1] = row and "for " .. row
  return table.concat(parts, ", ")
end

-- What goes on in the place of an error. `row` is a text or nil.
function hook.described(problem, name, title, f, row)
  if rawequal(problem, said) or debug.getinfo(f, "S").source:sub(1, 6) == "=[apo]" then
    return problem
  end
  place = where(name, title, f, row)
  said = type(problem) == "string" and ("%s\n  in %s"):format(problem, place) or problem
  return said
end

-- Where an error was raised that is no text and so does not say it; nil when it is not known.
function hook.place(problem)
  return type(problem) ~= "string" and rawequal(problem, said) and place or nil
end

-- What f gives for some arguments.
function hook.call(name, f, ...)
  local given, results = table.pack(...), nil
  apo.system.time_limit(math.huge, function()
    results = table.pack(f(table.unpack(given, 1, given.n)))
  end, name, function(problem)
    return hook.described(problem, name, ("the %s function"):format(name), f)
  end)
  return table.unpack(results, 1, results.n)
end

return hook
