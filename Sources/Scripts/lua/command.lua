-- The commands of `apo-lua` written in Lua: `apo-lua NAME ARGUMENT …`. How they are used is
-- declared in Program/CommandLineHelp.swift and passed along. `false` as result is exit status 1.

local commands = {  -- module, least and most arguments
  check = {"apo.check", 1, math.huge},
  attach = {"apo.attach.client", 0, math.huge},
  init = {"apo.project", 0, 1},
  runs = {"apo.runs.list", 0, 1},
  show = {"apo.runs.show", 1, 1},
  compare = {"apo.runs.compare", 2, math.huge},
  tail = {"apo.runs.tail", 1, 1},
  report = {"apo.report", 1, math.huge},
  ["replay-run"] = {"apo.attach.replay_run", 3, 3},
  export = {"apo.runs.export", 2, 3},
}

return function(name, usage, ...)
  local command, count = commands[name], select("#", ...)
  if count < command[2] or count > command[3] then
    error(("%s: usage: apo-lua %s"):format(name, usage), 0)
  end
  local run = require(command[1])
  if type(run) == "table" then run = run.command end
  return run(...)
end
