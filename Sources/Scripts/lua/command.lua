-- The commands of `apo-lua` about runs: `apo-lua NAME ARGUMENT …`.

local commands = {  -- module, least and most arguments, usage
  runs = {"apo.runs.list", 0, 1, "[<folder>]"},
  show = {"apo.runs.show", 1, 1, "<run>"},
  compare = {"apo.runs.compare", 2, math.huge, "[--level=<reward>] <run> <run> ..."},
  tail = {"apo.runs.tail", 1, 1, "<run>"},
  report = {"apo.report", 1, math.huge, "<run> ... [-o <file>]"},
  export = {"apo.runs.export", 1, math.huge, "<run> --csv"},
}

return function(name, ...)
  local command, count = commands[name], select("#", ...)
  if count < command[2] or count > command[3] then
    error(("%s: usage: apo-lua %s %s"):format(name, name, command[4]), 0)
  end
  local run = require(command[1])
  if type(run) == "table" then run = run.command end
  run(...)
end
