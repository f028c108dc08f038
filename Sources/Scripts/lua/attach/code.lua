-- Runs Lua that a client sent, in a coroutine of its own and within a limit of time and memory.

local apo = require "apo"
local hook, sockets = require "apo.script.hook", require "apo.sockets"
local json = apo.json

local most_bytes = 1 << 30       -- of Lua's own, that a chunk may add
local longest_result = 1 << 14   -- bytes of JSON

-- A chunk, an expression first; its name is in errors.
local function compile(text, env)
  local chunk = load("return " .. text, "=attach", "t", env)
  if chunk then return chunk end
  local problem
  chunk, problem = load(text, "=attach", "t", env)
  return chunk or error(problem, 0)
end

-- Where a coroutine was stopped: the innermost line of what the client sent.
local function place_in(thread)
  for level = 0, 200 do
    local info = debug.getinfo(thread, level, "Sl")
    if not info then break end
    if info.short_src == "attach" then return ("attach:%d"):format(info.currentline) end
  end
  return "attach"
end

-- The text of an error; a value that gives itself one may fail at it, or never end.
local function text_of(problem)
  if type(problem) == "string" then return problem end
  local is_text, text
  hook.limited(function() is_text, text = pcall(tostring, problem) end,
    {seconds = 0.1, memory = most_bytes}, "an error's text")
  return is_text and text or "an error that is a " .. type(problem)
end

-- Calls f in a coroutine: its yields end it, and a hook that it sets ends with it.
local function run(f, seconds)
  local thread, is_done, problem = coroutine.create(f), nil, nil
  local stopped_by = hook.limited(function()
    is_done, problem = coroutine.resume(thread)
  end, {seconds = seconds, memory = most_bytes}, "a command of attach")
  if stopped_by == "memory" then
    error(("%s: stopped, it took more than %d MB of memory"):format(place_in(thread),
      most_bytes >> 20), 0)
  elseif stopped_by then
    error(("%s: stopped after %g s; a larger limit is given with `limit SECONDS`"):format(
      place_in(thread), seconds), 0)
  elseif not is_done then
    error(text_of(problem), 0)
  elseif coroutine.status(thread) ~= "dead" then
    coroutine.close(thread)
    error("attach: it yielded, and nothing resumes it", 0)
  end
end

-- What a client gets as JSON of a value, nil where that is too long or not plain data.
local function plain(value)
  local is_plain, text = pcall(json.encode, value)
  if is_plain and #text <= longest_result then return value end
end

-- Runs a text; `say` gets what the results look like. Gives the first one, if it is plain data.
local function evaluate(text, env, seconds, say)
  local chunk, first = compile(text, env), nil
  run(function()
    local results = table.pack(chunk())
    for i = 1, results.n do say(sockets.pretty(results[i])) end
    first = plain(results[1])
  end, seconds)
  return first
end

-- The value of an expression, and nil and a message where it has none.
local function value(text, env, seconds)
  local chunk, problem = load("return " .. text, "=attach", "t", env)
  if not chunk then return nil, problem end
  local result
  run(function() result = chunk() end, seconds)
  return result
end

return {evaluate = evaluate, value = value, run = run}
