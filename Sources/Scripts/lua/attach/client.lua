-- `apo-lua attach [RUN]`: asks and steers a live run. What is typed goes to the run, which knows
-- the commands (attach/commands.lua); docs/attach.md has what goes over the socket.

local apo = require "apo"
local sockets, folder = require "apo.sockets", require "apo.runs.folder"
local format, commands = require "apo.runs.format", require "apo.attach.commands"
local json, system = apo.json, apo.system
local shown, visible = system.shown, system.visible

local protocol = 1
local patience = 1  -- seconds until it is said what a command waits for

-- The folder of the only live run below runs/.
local function only_live()
  local live = {}
  for _, dir in ipairs(system.exists "runs" == "folder" and folder.find "runs" or {}) do
    if system.is_locked(dir .. "/.lock") then live[#live + 1] = dir end
  end
  if #live == 1 then return live[1] end
  if #live == 0 then error("attach: no run in runs/ is running; apo-lua attach RUN", 0) end
  for i, dir in ipairs(live) do live[i] = shown(dir) end
  error("attach: several runs are running, name one of them: " .. table.concat(live, ", "), 0)
end

local function read_arguments(...)
  local given, dir, texts = {...}, nil, {}
  local i = 1
  while i <= #given do
    if given[i] == "-e" then
      texts[#texts + 1] = given[i + 1] or error("attach: -e needs a command", 0)
      i = i + 2
    elseif given[i]:find "^%-" or dir then
      error(("attach: a run and -e COMMAND expected, got '%s'"):format(given[i]), 0)
    else
      dir, i = given[i], i + 1
    end
  end
  return dir or only_live(), texts
end

local function connect(dir)
  local run = folder.summary(dir)
  local connection = sockets.connect(dir)
  if not connection and run.state == "running" then
    error(("attach: %s is running, but has no socket here: it was started with attach = false, "
      .. "or on another machine or in another container"):format(shown(dir)), 0)
  elseif not connection then
    error(("attach: %s is not running: %s at step %d of %s"):format(shown(dir), run.state,
      run.step, run.total or "?"), 0)
  end
  local line = connection:receive(10)
  local is_read, hello = pcall(json.decode, line or "")
  if not is_read or type(hello) ~= "table" then
    error(("attach: %s does not answer"):format(shown(dir)), 0)
  elseif hello.error then
    error(("attach: %s: %s"):format(shown(dir), visible(tostring(hello.error))), 0)
  elseif hello.protocol ~= protocol then
    error(("attach: %s is of apo-lua %s, which speaks otherwise"):format(
      shown(dir), visible(tostring(hello.version))), 0)
  end
  return connection
end

local function status_text(reply)
  local status = reply.status or {}
  local parts = {("%s: step %s of %s"):format(status.run, status.step, status.total)}
  local function add(template, value)
    if value then parts[#parts + 1] = template:format(value) end
  end
  add("reward %s", format.reward(status.reward))
  add("eval/reward %s", format.reward(status.eval))
  add("%s a step", format.duration(status.step_seconds))
  if status.paused then
    parts[#parts + 1] = "paused"
  elseif status.step_seconds and status.total then
    local left = (status.total - status.step) * status.step_seconds - (reply.age or 0)
    add("%s left", format.duration(math.max(0, left)))
  end
  return table.concat(parts, ", ")
end

local Client = {}
Client.__index = Client

-- The next reply; nil where none comes in time. Raises an error when the run has ended.
function Client:reply(seconds)
  local line = self.connection:receive(seconds)
  if not line then
    if self.connection.is_open then return nil end
    error("the run has ended", 0)
  end
  local is_read, reply = pcall(json.decode, line)
  return is_read and type(reply) == "table" and reply or {}
end

-- Says once what a command waits for.
function Client:say_waiting()
  self.connection:send '{"id":"waiting","command":"status"}'
  local reply = self:reply(1)
  if not reply or reply.id ~= "waiting" then return reply end
  local status = reply.status or {}
  io.stderr:write(visible(("(waiting for the end of step %s%s)"):format(
    (math.tointeger(status.step) or 0) + 1,
    status.step_seconds and ("; steps take " .. format.duration(status.step_seconds)) or "")), "\n")
end

-- Sends a text and prints what comes of it; whether it was done.
function Client:ask(text)
  self.id = self.id + 1
  self.connection:send(json.encode({id = self.id, command = text}, {lossy = true}))
  local reply = self:reply(patience) or self:say_waiting()
  while true do
    if reply and reply.out then print(visible(reply.out, true)) end
    if reply and reply.dropped then
      io.stderr:write(("(%s lines dropped)\n"):format(reply.dropped))
    end
    if reply and reply.id == self.id and reply.ok ~= nil then
      if reply.status then print(visible(status_text(reply))) end
      if not reply.ok then io.stderr:write(visible(tostring(reply.error), true), "\n") end
      return reply.ok
    end
    io.stdout:flush()
    reply = self:reply(3600)
  end
end

-- Whether more lines belong to a text: Lua that ends too early.
local function is_unfinished(text)
  local is_command, command = pcall(commands.parse, text)
  if not is_command or command then return false end
  local _, expression = load("return " .. text, "=", "t")
  local _, statement = load(text, "=", "t")
  return (expression and statement) ~= nil and statement:find "<eof>$" ~= nil
end

-- Texts from a function that gives lines, and gets whether more of a text is wanted.
local function texts_from(next_line)
  return function()
    local text = next_line(false)
    while text and is_unfinished(text) do
      local more = next_line(true)
      if not more then break end
      text = text .. "\n" .. more
    end
    return text
  end
end

local function words()
  local list = {}
  for i, command in ipairs(commands.list) do list[i] = command.name end
  return list
end

-- Lines that are typed; Ctrl-C drops a text of several lines, or leaves.
local function typed()
  local known = words()
  return texts_from(function(is_more)
    local line, is_interrupted = sockets.read_line(is_more and ">> " or "attach> ", known)
    if not line and is_more and is_interrupted then return "" end
    return line
  end)
end

return function(...)
  local dir, given = read_arguments(...)
  local client = setmetatable({connection = connect(dir), id = 0}, Client)
  local is_terminal = #given == 0 and system.is_terminal "stdin"
  local next_text = is_terminal and typed() or texts_from(io.lines())
  if #given > 0 then
    local i = 0
    next_text = function() i = i + 1 return given[i] end
  elseif is_terminal then
    client:ask "status"
    print "help lists the commands; Ctrl-D or Ctrl-C leaves, and the run goes on."
  end
  local is_good = true
  for text in next_text do
    if text:find "%S" then is_good = client:ask(text) and is_good end
  end
  if not is_good and not is_terminal then os.exit(1, true) end
end
