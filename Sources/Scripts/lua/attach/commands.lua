-- The commands of `apo-lua attach`: what each is called, what it does with a session (session.lua).
-- A text that is no command is Lua.
--
-- A command that changes something calls `session:note(text)`, which writes it into the journal;
-- `is_replayed` says that replaying the run does it again.

local apo = require "apo"
local code, sample = require "apo.attach.code", require "apo.attach.sample"
local literal = require "apo.attach.options".literal

local list, by_name = {}, {}

local function command(declaration)
  list[#list + 1] = declaration
  by_name[declaration.name] = declaration
end

command{
  name = "status", text = "The step, the reward, the time that is left; at once, also in mid-step.",
  run = function(session) return apo.json.decode(session.control:status()) end,
}

command{
  name = "sample", arguments = "PROMPT", takes_values = true,
  text = "Sample a prompt: the rest of the line, or {prompt = …, n = …, temperature = …}.",
  run = function(session, rest) return sample(session, rest) end,
}

command{
  name = "set", arguments = "OPTION VALUE", is_replayed = true,
  text = "Give an option of the run another value, from the next step on.",
  run = function(session, rest)
    local path, text = rest:match "^([%w_.]+)%s+(.+)$"
    if not path then error("usage: set OPTION VALUE", 0) end
    local value, problem
    if text ~= "nil" then
      value, problem = code.value(text, session.env, session.seconds)
      if value == nil and text:find "^[%a_][%w_]*$" then value = text end  -- a word is a string
      if value == nil then error(problem or ("set: %s is nil"):format(text), 0) end
    end
    local said = session.control.options:set(path, value)
    session:note(said, ("set %s %s"):format(path, literal(value)))
  end,
}

command{
  name = "undo", text = "Take the last `set` back.", is_replayed = true,
  run = function(session) session:note(session.control.options:undo(), "undo") end,
}

command{
  name = "changes", text = "What was set.",
  run = function(session)
    local lines = session.control.options:lines()
    for _, line in ipairs(lines) do session:say(line) end
    if #lines == 0 then session:say "nothing was set" end
  end,
}

command{
  name = "pause", text = "Wait after this step until `resume`; other commands work meanwhile.",
  run = function(session)
    if session.control.is_paused then error("pause: the run is paused already", 0) end
    session.control.is_paused = true
    session:note(("paused after step %d"):format(session.run.step), "pause")
  end,
}

command{
  name = "resume", text = "Go on after `pause`.",
  run = function(session)
    if not session.control.is_paused then error("resume: the run is not paused", 0) end
    session.control.is_paused = false
    session:note("resumed", "resume")
  end,
}

command{
  name = "checkpoint", text = "Save a checkpoint now.", is_replayed = true,
  run = function(session)
    local run = session.run
    session:note(("checkpoint of step %d"):format(run.step), "checkpoint")
    run:save_checkpoint()
    session:say(run.checkpoint)
    return run.checkpoint
  end,
}

command{
  name = "rewind", arguments = "STEP",
  text = "Go back to a kept checkpoint; what was recorded since is dropped.",
  run = function(session, rest)
    local step = math.tointeger(tonumber(rest))
    if not step or step < 0 or step > session.run.step then
      error(("rewind: a step up to %d expected, got '%s'"):format(session.run.step, rest), 0)
    end
    session:note(session.control:rewind(step), ("rewind %d"):format(step))
  end,
}

command{
  name = "evaluate", text = "Evaluate now, with the option `eval` of the run.", is_replayed = true,
  run = function(session)
    local run = session.run
    if not run.evaluate then
      error("evaluate: a loop of its own evaluates itself; Lua can: apo.evaluate{…}", 0)
    elseif not run.options.eval then
      error("evaluate: the run has no option 'eval'", 0)
    elseif run.evaluated ~= run.step then
      session:note(("evaluation after step %d"):format(run.step), "evaluate")
      run:evaluate()
    end
    local mean = run.evaluation and run.evaluation.mean
    session:say(("eval/reward %s after step %d"):format(literal(mean), run.step))
    return mean
  end,
}

command{
  name = "stop", text = "End the run after this step; `resume = true` in the script goes on.",
  is_replayed = true,
  run = function(session)
    local run = session.run
    session.control.is_paused = false
    session:note(("stopped after step %d"):format(run.step), "stop")
    run.journal:event{event = "stopped", step = run.step, time = apo.system.time(),
                      kind = "attach", text = "apo-lua attach"}
    run:mark()
    run.is_stopped = true
  end,
}

command{
  name = "limit", arguments = "SECONDS", text = "How long Lua of yours may run; 2 at first.",
  run = function(session, rest)
    local seconds = tonumber(rest)
    if not (seconds and seconds > 0 and seconds <= 86400) then
      error("usage: limit SECONDS", 0)
    end
    session.seconds = seconds
  end,
}

command{
  name = "help", text = "Show this list.",
  run = function(session)
    for _, known in ipairs(list) do
      local usage = known.name .. (known.arguments and " " .. known.arguments or "")
      session:say(("%-20s %s"):format(usage, known.text))
    end
    session:say("options for set      " .. table.concat(session.control.options:names(), ", "))
    session:say "anything else        Lua, with run, policy, last (metrics), samples and apo"
  end,
}

-- The command that a text is, and its arguments; nil where it is Lua.
local function parse(text)
  local name, rest = text:match "^%s*(%a+)(.-)%s*$"
  local found = by_name[name]
  if not found then return nil end
  local is_call = rest ~= "" and not rest:find "^%s"  -- stop() is Lua, sample{…} is the command
  if is_call and not (found.takes_values and rest:find "^[{\"'[]") then return nil end
  rest = rest:match "^%s*(.*)$"
  if name ~= "sample" and rest:find "^=[^=]" then return nil end  -- limit = 3 is an assignment
  if found.arguments == nil and rest ~= "" then
    error(("%s: takes no arguments, got '%s'"):format(name, rest), 0)
  elseif found.arguments and rest == "" then
    error(("usage: %s %s"):format(name, found.arguments), 0)
  end
  return found, rest
end

return {list = list, parse = parse}
