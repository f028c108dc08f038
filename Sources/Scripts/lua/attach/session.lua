-- What a client has at a run: an environment for its Lua, its limit of time, and where its answers
-- go.

local apo = require "apo"
local code, commands = require "apo.attach.code", require "apo.attach.commands"
local sockets = require "apo.sockets"

local longest_line = 1 << 14

local Session = {}
Session.__index = Session

-- The names that Lua of a client sees beside the globals; what it assigns is its own.
local function environment(session)
  local run = session.run
  local function print_to_client(...)
    local texts = table.pack(...)
    for i = 1, texts.n do texts[i] = tostring(texts[i]) end
    session:say(table.concat(texts, "\t"))
  end
  return setmetatable({apo = apo, run = run, policy = session.policy, print = print_to_client}, {
    __index = function(_, name)
      if name == "last" then return run.metrics end
      if name == "samples" then return session.control.samples end
      return _G[name]
    end,
  })
end

-- A model of the run, to be sampled.
local function policy_of(run)
  local objects = run:objects()
  if run.policy or objects.policy then return run.policy or objects.policy end
  for _, object in pairs(objects) do
    if (debug.getmetatable(object) or {}).__name == "apo.Model" then return object end
  end
end

-- `send` gets the tables that go to the client.
function Session.new(control, number, send)
  local session = setmetatable({
    control = control, run = control.run, number = number, send = send, seconds = 2,
    policy = policy_of(control.run),
  }, Session)
  session.env = environment(session)
  return session
end

-- Sends lines of text.
function Session:say(text)
  for line in (text .. "\n"):gmatch "(.-)\n" do
    if #line > longest_line then
      line = ("%s… (%d bytes more)"):format(line:sub(1, longest_line), #line - longest_line)
    end
    self.send{id = self.id, out = line}
  end
end

-- Tells the client and the journal what was done; `text` is the command that does it again.
function Session:note(said, text)
  self:say(said)
  self.control:note{command = text, client = self.number, text = said}
end

-- Lua may change anything, so it is written down whether it fails or not.
local function run_code(session, text)
  local result
  local is_done, problem = pcall(function()
    result = code.evaluate(text, session.env, session.seconds, function(line) session:say(line) end)
  end)
  session.control:note{
    lua = text, client = session.number, seconds = session.seconds,
    text = is_done and text or ("%s (failed: %s)"):format(text, tostring(problem)),
  }
  if not is_done then error(problem, 0) end
  return result
end

local function perform(session, body)
  if type(body.lua) == "string" then return run_code(session, body.lua) end
  if type(body.command) ~= "string" then
    error('field "command" or "lua" must be a string, such as {"command": "status"}', 0)
  end
  local command, rest = commands.parse(body.command)
  if command then return command.run(session, rest) end
  return run_code(session, body.command)
end

-- Does what a request asks for; gives what the last reply holds as value. Random numbers of the run
-- stay as they are.
function Session:perform(body)
  local result
  sockets.without_trace(function() result = perform(self, body) end)
  return result
end

return Session
