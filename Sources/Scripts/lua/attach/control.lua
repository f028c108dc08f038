-- Between two steps a run does what clients of `apo-lua attach` ask for (commands.lua). A run that
-- is resumed sets again what was set before its checkpoint; one that is replayed does what was done
-- to another (replaying.lua).

local apo = require "apo"
local sockets = require "apo.sockets"
local Options, Session = require "apo.attach.options", require "apo.attach.session"
local commands, replaying = require "apo.attach.commands", require "apo.attach.replaying"
local json, system = apo.json, apo.system

local most_sessions = 64
local longest_visit = 1  -- seconds that requests may hold up a run that is not paused

local Control = {}
Control.__index = Control

-- Opens the socket of a run, if it may have one.
local function listen(run)
  if run.options.attach == false then return nil end
  local is_open, result = pcall(sockets.serve, run.dir)
  if is_open then return result end
  run.console:say("apo-lua attach will not find this run: " .. tostring(result))
end

-- The control of a run that is open, nil for one without a folder.
local function open(run)
  if not run.dir then return nil end
  local control = setmetatable({
    run = run, options = Options.new(run), sessions = {}, is_paused = false,
    name = json.encode(run.dir, {lossy = true}), began = system.clock(),
    replayed = replaying.commands(run),
  }, Control)
  if not control.replayed then
    control:set_again()
    control.socket = listen(run)
  end
  return control
end

-- What was set before the checkpoint and not since in the script, with resume = "force".
local function settings_of(events)
  local list = {}
  for _, event in ipairs(events) do
    local command = event.event == "attach" and event.command
    if command == "undo" then table.remove(list) end
    local path = command and command:match "^set (%S+)"
    if path then list[#list + 1] = {path = path, command = command} end
    for i = event.event == "force" and #list or 0, 1, -1 do
      if (event.settings or {})[list[i].path] then table.remove(list, i) end
    end
  end
  return list
end

-- Does what the journal of a resumed run says was set; Lua is not run again, as what it changed may
-- be in the checkpoint already.
function Control:set_again()
  local run, chunks = self.run, 0
  for _, setting in ipairs(settings_of(run.journal.events)) do
    local is_set, problem = pcall(function()
      local _, rest = commands.parse(setting.command)
      local path, text = rest:match "^(%S+) (.*)$"
      self.options:set(path, load("return " .. text, "=set", "t", {math = math})())
    end)
    run.console:say(("attach: %s%s"):format(setting.command,
      is_set and " (as before)" or " is not possible any more: " .. tostring(problem)))
  end
  for _, event in ipairs(run.journal.events) do
    if event.event == "attach" and event.lua then chunks = chunks + 1 end
  end
  if chunks > 0 then
    run.console:say(("attach: %d commands of Lua are not repeated; checkpoints hold models, "
      .. "optimizers and `state`"):format(chunks))
  end
end

-- A member of a JSON object; nothing for what is no number of JSON.
local function member(name, value)
  if type(value) ~= "number" or value ~= value or value == math.huge or value == -math.huge then
    return ""
  end
  return (',"%s":%.14g'):format(name, value)
end

-- Goes back to a kept checkpoint; what was set since is taken back.
function Control:rewind(step)
  local run, from = self.run, self.run.step
  run:rewind(step)
  self.samples = nil
  self.options:clear()
  self:set_again()
  return ("back to step %d from step %d"):format(step, from)
end

-- What `status` answers: a JSON object. It is set at each step, so it is not made by json.encode.
function Control:status()
  local run, last = self.run, self.run.metrics or {}
  return table.concat{
    '{"run":', self.name, member("step", run.step), member("total", run.total),
    member("reward", last.reward), member("loss", last.loss),
    member("eval", run.evaluation and run.evaluation.mean), member("seconds", run:elapsed()),
    member("step_seconds", self.step_seconds), ',"paused":', tostring(self.is_paused), "}",
  }
end

-- Writes what was done into the journal; a run that cannot write it down ends.
function Control:note(event)
  local run = self.run
  event.event, event.step, event.time = "attach", run.step, system.time()
  local is_written, problem = pcall(run.journal.event, run.journal, event)
  if not is_written then
    self.fault = problem
    error(problem, 0)
  end
  run.is_noted = true  -- the checkpoint of this step, if there is one, does not have it
  run:mark()
  if self.socket then run.console:say("attach: " .. event.text:match "[^\n]*") end
end

-- The session of a client; the ones that were not used for longest are forgotten.
function Control:session(number, send)
  for i, session in ipairs(self.sessions) do
    if session.number == number then
      table.insert(self.sessions, table.remove(self.sessions, i))
      return session
    end
  end
  if #self.sessions >= most_sessions then table.remove(self.sessions, 1) end
  local session = Session.new(self, number, send)
  self.sessions[#self.sessions + 1] = session
  return session
end

local function encoded(reply)
  return json.encode(reply, {lossy = true, order = {"id", "ok"}})
end

-- Without the place in the library that an error of it begins with.
local function error_text(problem)
  return (tostring(problem):gsub("^%[apo%] [^:]+:%d+: ", ""))
end

-- Does what a client asks for, and answers.
function Control:answer(request)
  local body, client = request.body, request.client
  local session = self:session(client, function(reply)
    self.socket:send(client, encoded(reply))
  end)
  session.id = body.id
  local is_done, result = pcall(session.perform, session, body)
  if self.fault then error(self.fault, 0) end
  local reply = {id = body.id, ok = is_done, step = self.run.step}
  if is_done then reply.value = result else reply.error = error_text(result) end
  self.socket:set_status(self:status())
  self.socket:send(client, encoded(reply), true)
end

-- Does what was done at this step of the run that is replayed.
function Control:replay()
  for _, event in ipairs(self.replayed[self.run.step] or {}) do
    local session = self:session(event.client, function() end)
    session.seconds = event.seconds or session.seconds
    local is_done, problem = pcall(session.perform, session, event)
    if self.fault then error(self.fault, 0) end
    if not is_done and not event.lua then
      self.run.console:warning(("attach: %s: %s"):format(event.command, error_text(problem)))
    end
  end
end

-- Answers what has come, and waits while the run is paused. Time of waiting is not the run's.
function Control:visit()
  local began, run, waited = system.clock(), self.run, 0
  repeat
    for _, request in ipairs(self.socket:requests() or {}) do self:answer(request) end
    if self.is_paused then
      local from = system.clock()
      self.socket:wait(1)
      waited = waited + system.clock() - from
    end
    local is_over = system.clock() - began - waited > longest_visit
    local more = not is_over and self.socket:requests()
    for _, request in ipairs(more or {}) do self:answer(request) end
  until not self.is_paused and not more
  run.start, run.last_save = run.start + waited, run.last_save + waited
end

-- Called between two steps. `samples` are those of the step, for Lua of clients.
function Control:boundary(samples)
  local now = system.clock()
  if self.run.step > 0 then self.step_seconds = now - self.began end
  self.samples = samples
  if self.replayed then self:replay() end
  if self.socket then
    self.socket:set_status(self:status())
    self:visit()
  end
  self.samples, self.began = nil, system.clock()
end

-- Ends the connections. What still waits for a step is told that there is none.
function Control:close()
  local socket = self.socket
  if not socket then return end
  self.socket = nil
  for _, request in ipairs(socket:requests() or {}) do
    local reply = {id = request.body.id, ok = false, error = "the run has ended"}
    socket:send(request.client, encoded(reply), true)
  end
  socket:free()
end

return {open = open}
