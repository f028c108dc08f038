-- Processes that do one row each: started from here, asked for runs one at a time, and idle (blocked on a pipe) while
-- another one runs.
local apo = require "apo"
local Engine = {}
Engine.__index = Engine

local scripts = {ours = "worker.lua", torch = "torch_worker.py", trl = "trl_worker.py", llama = "llama_worker.py"}

-- Starts a process for a row. `about` has `worker`, `changes` of the specification, `program`, `threads`.
function Engine.start(about, spec, place)
  local given = {}
  for key, value in pairs(spec) do given[key] = value end
  for key, value in pairs(about.changes or {}) do given[key] = value end
  local program = about.worker == "ours" and about.program or place.python
  local pipe = os.tmpname()
  os.execute(("rm '%s' && mkfifo '%s'"):format(pipe, pipe))
  local self = setmetatable({begun = apo.system.clock()}, Engine)
  -- `cat` takes what is still asked of a process that died, which would end this one by a signal.
  self.input = io.popen(("APO_THREADS=%d OMP_NUM_THREADS=%d '%s' '%s/%s' > '%s' 2>> '%s'; cat > /dev/null"):format(
    about.threads, about.threads, program, place.scripts, scripts[about.worker], pipe, place.log), "w")
  self.output = io.open(pipe)
  os.remove(pipe)
  self:send(apo.json.encode(given))
  return self
end

function Engine:send(line)
  self.input:write(line, "\n")
  self.input:flush()
end

-- The next answer, or nil when the process died.
function Engine:answer()
  local line = self.output:read()
  if not line then return nil end
  local answer = apo.json.decode(line)
  self.memory = answer.memory
  return answer
end

function Engine:is_ready() return self:answer() ~= nil end

-- Seconds of a run, the mean of several when one is short; the rates that it measured, if any.
function Engine:run(times)
  os.execute "sleep 0.02"                             -- threads of the engine before may still spin
  self:send(times or 1)
  local answer = self:answer()
  if answer then return answer.seconds, answer.rates end
end

function Engine:stop()
  self.input:close()
  self.output:close()
end

return Engine
