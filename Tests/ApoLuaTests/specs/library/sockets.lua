-- Sockets of live runs: who may use them, and what clients that misbehave come to.
local spec = ...
local apo = require "apo"
local sockets = require "apo.sockets"
local equal, raises = spec.equal, spec.raises
local system, json = apo.system, apo.json

local function made(name)
  local dir = spec.folder .. "/" .. name
  system.make_folder(dir)
  return dir
end

local function shell(command)
  local pipe = io.popen(command)
  local text = pipe:read "a"
  pipe:close()
  return text
end

local dir = made "run"
local inherited = shell "ls -l /proc/self/fd | grep -c -e socket -e eventfd"
local socket = sockets.serve(dir)
equal(sockets.path(dir), socket.path)
socket:set_status '{"step":3}'

local function connect(to)
  local client = assert(sockets.connect(to or dir))
  local hello = json.decode(client:receive(10))
  equal({hello.hello, hello.protocol, hello.version}, {"apo-lua", 1, apo._VERSION})
  return client, hello.client
end
local function reply(client) return json.decode(client:receive(10)) end
local function requests(count)
  local all = {}
  while #all < count do
    socket:wait(10)
    for _, request in ipairs(socket:requests() or {}) do all[#all + 1] = request end
  end
  return all
end

-- Only the user may enter the folder and use the socket; a child process does not have it.
equal(shell("stat -c %a,%u '" .. socket.path:match "(.*)/" .. "'"), "700," .. shell "id -u")
equal(shell("stat -c %a,%F '" .. socket.path .. "'"), "600,socket\n")
equal(shell "ls -l /proc/self/fd | grep -c -e socket -e eventfd", inherited)

-- The thread answers `status` itself; the rest waits for the run, in order.
local client, number = connect()
client:send '{"id": "a", "command": "status"}'
local status = reply(client)
equal({status.id, status.ok, status.status.step}, {"a", true, 3})
assert(status.age >= 0 and status.age < 100)
equal(socket:requests(), nil)
client:send '{"id": 1, "command": "set lr 1"}'
client:send '{"id": [2], "lua": "return 1"}'
local got = requests(2)
equal({got[1].client, got[1].body.id, got[1].body.command}, {number, 1, "set lr 1"})
equal(got[2].body.lua, "return 1")
socket:send(number, '{"out":"half\na line"}')
socket:send(number, '{"id":1,"ok":true}', true)
equal(client:receive(10), '{"out":"half a line"}')
equal(reply(client), {id = 1, ok = true})
equal(client:receive(0), nil)
equal(client.is_open, true)
socket:send(999, "nobody", true)

-- What is no request is refused, and the connection goes on.
for _, line in ipairs{"rubbish", "[1]", "null", "\0\255\254", '{"command": "\255"}', "{}}",
                      ("["):rep(5000), ('{"a":'):rep(100)} do
  client:send(line)
  local answer = reply(client)
  equal({answer.ok, answer.id}, {false})
  assert(answer.error:find("a JSON object in one line expected", 1, true))
end
client:send(('{"id": 7, "command": "%s"}'):format(("x"):rep(70000)))
assert(reply(client).error:find("at most 65536 bytes", 1, true))
client:send ""
client:send '{"command": " status\\n"}'
equal(reply(client).status.step, 3)

-- Half a line is no request; whoever sends no more still gets its replies.
do
  local half = connect()
  half:send('{"id":1,"command":"one"}\n{"id":2,"comm')  -- the end of the line comes with it
  equal(reply(half).ok, false)
  local asked = requests(1)[1]
  half:free()
  socket:send(asked.client, '{"ok":true}', true)
end

-- A client that closes at once is still heard.
do
  local gone = connect()
  gone:send '{"command": "stop"}'
  gone:free()
  equal(requests(1)[1].body.command, "stop")
end

-- Too many requests are refused until the run has taken some.
do
  local eager, at = connect()
  for i = 1, 70 do eager:send(('{"id":%d,"command":"x"}'):format(i)) end
  for i = 65, 70 do
    local answer = reply(eager)
    equal({answer.id, answer.ok}, {i, false})
    assert(answer.error:find("64 commands wait", 1, true))
  end
  equal(#requests(64), 64)
  eager:send '{"id":71,"command":"x"}'
  equal(requests(1)[1].body.id, 71)
  socket:send(at, '{"id":71,"ok":true}', true)
  equal(reply(eager).id, 71)
end

-- A client that does not read loses lines, and is told how many; the last reply comes.
do
  local slow, at = connect()
  slow:send '{"id":1,"command":"x"}'
  requests(1)
  local line, count = '{"out":"' .. ("x"):rep(9990) .. '"}', 3000
  for _ = 1, count do socket:send(at, line) end
  socket:send(at, '{"id":1,"ok":true}', true)
  local seen, dropped = 0, 0
  while true do
    local answer = reply(slow)
    if answer.id == 1 then break end
    seen, dropped = seen + (answer.out and 1 or 0), dropped + (answer.dropped or 0)
  end
  equal(seen + dropped, count)
  assert(dropped > 2900, dropped)
end

-- One that only sends is not read any further; one that floods with `status` harms nobody.
do
  local flood = connect()
  local in_time = system.time_limit(0.5, function()
    while true do flood:send '{"command":"status"}' end
  end)
  equal(in_time, false)
  client:send '{"id":5,"command":"status"}'
  equal(reply(client).id, 5)
  flood:free()
end

-- Thousands of connections: 32 at a time, the others are told.
do
  local many, refused = {}, 0
  for i = 1, 100 do many[i] = assert(sockets.connect(dir)) end
  for i = 1, 100 do
    local first = reply(many[i])
    if first.error then
      refused = refused + 1
      equal(first.error, "32 clients are attached already")
      equal(many[i]:receive(10), nil)
      equal(many[i].is_open, false)
    end
  end
  assert(refused >= 68, refused)
  for i = 1, 100 do many[i]:free() end
  for _ = 1, 2000 do assert(sockets.connect(dir)):free() end
  client:send '{"id":6,"command":"status"}'
  equal(reply(client).id, 6)
  local later
  repeat later = sockets.connect(dir) until json.decode(later:receive(10)).hello
end

-- Two may not listen at the same socket.
raises("another process listens at this socket", sockets.serve, dir)

-- At the end there is no socket, and clients notice.
local path = socket.path
socket:free()
equal(system.exists(path), nil)
equal(client:receive(10), nil)
equal(client.is_open, false)
raises("the run has ended", function() for _ = 1, 100 do client:send "{}" end end)
equal(sockets.connect(dir), nil)
equal(sockets.path(dir), nil)
raises("No such file", sockets.connect, spec.folder .. "/nowhere")

-- Random numbers that are drawn without a trace.
local function draw() return {math.random(), apo.rand(2):totable(), apo.randn(1):item()} end
apo.seed(5)
math.random() apo.rand{3}
local expected = draw()
apo.seed(5)
math.random() apo.rand{3}
sockets.without_trace(function() draw() apo.seed(8) draw() end)
raises("in vain", sockets.without_trace, function() draw() error "in vain" end)
equal(draw(), expected)
equal(apo.seed(), 5)
