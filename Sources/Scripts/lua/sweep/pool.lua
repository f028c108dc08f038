-- The processes of a sweep: starts them, watches how they end, stops them.

local apo = require "apo"
local folder = require "apo.runs.folder"
local system = apo.system

local Pool = {}
Pool.__index = Pool

local function is_done(dir)
  local is_read, summary = pcall(folder.summary, dir)
  return is_read and summary.state == "done"
end

local function command_of(pool, run)
  local list = {"--threads", tostring(pool.threads), "--", pool.script}
  for _, argument in ipairs(run.arguments) do list[#list + 1] = argument end
  list[#list + 1] = "seed=" .. run.seed
  list[#list + 1] = "dir=" .. run.dir
  list[#list + 1] = "resume=true"
  return list
end

-- A command as one would type it.
local function typed(command)
  local words = {"apo-lua"}
  for i, word in ipairs(command) do
    local is_plain = word:find "^[%w%-+._=,:/]+$"
    words[i + 1] = is_plain and word or "'" .. word:gsub("'", "'\\''") .. "'"
  end
  return system.visible(table.concat(words, " "))
end

-- Starts a run; its output is added to output.log in its folder.
function Pool:start(run)
  system.make_folder(run.dir)
  run.log = run.dir .. "/output.log"
  local command, log = command_of(self, run), assert(io.open(run.log, "ab"))
  log:write("$ ", typed(command), "\n")
  log:close()
  run.log_from, run.began = system.size(run.log), system.clock()
  system.hold_stop(true)  -- a process that nobody knows would not be stopped
  local is_started, process = pcall(system.start, command, {output = run.log,
                                                            program = self.program})
  if is_started then
    run.process = process
    self.running[#self.running + 1] = run
  end
  system.hold_stop(false)
  if not is_started then error(process, 0) end
end

-- Why a run did not come to its end; nil if it did.
local function fault(run, status)
  if status == 137 then return "was killed, perhaps because memory was short" end
  if status > 128 then return ("was ended by signal %d"):format(status - 128) end
  if status ~= 0 then return ("ended with status %d"):format(status) end
  if not folder.is_run(run.dir) then
    return "left no run in its folder: pass `dir` of apo.settings to apo.train or apo.run"
  end
  local is_read, summary = pcall(folder.summary, run.dir)
  if not is_read then return tostring(summary) end
  local seed = summary.about.settings.seed
  if seed ~= run.seed then
    return ("ran with seed %s: pass `seed` of apo.settings to apo.seed, apo.train or apo.run")
      :format(tostring(seed))
  end
  if summary.state ~= "done" then
    return ("ended while its run was %s at step %d"):format(summary.state, summary.step)
  end
end

-- Takes the runs out that have ended, and returns them, with `status` and, if they failed, `fault`.
function Pool:ended()
  local ended, running = {}, {}
  for _, run in ipairs(self.running) do
    local status = run.process:status()
    if status then
      run.status, run.fault = status, fault(run, status)
      run.seconds = system.clock() - run.began
      ended[#ended + 1] = run
    else running[#running + 1] = run end
  end
  self.running = running
  return ended
end

-- Stops all runs, which save themselves, and waits until they have.
function Pool:stop()
  for _, run in ipairs(self.running) do run.process:stop() end
  while #self.running > 0 do
    self:ended()
    system.sleep(0.02)
  end
end

-- The last lines that a run wrote since it was started.
local function last_lines(run, most)
  local file = io.open(run.log, "rb")
  if not file then return {} end
  local size = file:seek "end"
  file:seek("set", math.max(run.log_from, size - 4096))
  local lines = {}
  for line in file:lines() do lines[#lines + 1] = line end
  file:close()
  return table.move(lines, math.max(1, #lines - most + 1), #lines, 1, {})
end

local function open(o)
  return setmetatable({script = o.script, program = o.program, threads = o.threads,
                       running = {}}, Pool)
end

return {open = open, is_done = is_done, last_lines = last_lines}
