-- What it costs that a live run can be asked: the visit of a run between two steps while nobody is attached, and the round
-- trip of requests to a run in another process whose steps take 10 ms.
--
--   apo-lua scripts/benchmark/attach.lua
local apo = require "apo"
local system = apo.system

if arg[1] == "run" then  -- the other process
  local run = apo.run{dir = arg[2], total = 1000000, quiet = true, save_minutes = math.huge, log_every = 1000}
  for _ in run:steps() do system.sleep(0.01) end
  return
end

local dir = os.tmpname()
os.remove(dir)

-- Nobody attached.
do
  local run = apo.run{dir = dir .. "-alone", total = 2, quiet = true}
  for step in run:steps() do
    local count, start = 20000, system.clock()
    for _ = 1, step == 1 and count or 0 do run.control:boundary() end
    if step == 1 then
      print(("nobody attached: %.1f us a step"):format((system.clock() - start) / count * 1e6))
    end
  end
end

local child = system.start({arg[0], "run", dir}, {output = dir .. ".log"})
while not system.exists(dir .. "/run.json") do system.sleep(0.1) end
system.sleep(0.5)
local client = require "apo.sockets".connect(dir)
client:receive(5)  -- its greeting

local function ask(text, count)
  local times = {}
  for i = 1, count do
    system.sleep(math.random() * 0.02)
    local start = system.clock()
    client:send(text)
    repeat local line = client:receive(10) until line:find '"ok":'
    times[i] = (system.clock() - start) * 1000
  end
  table.sort(times)
  print(("%-32s median %.2f ms, from %.2f to %.2f"):format(text, times[count // 2], times[1], times[count]))
end
ask('{"id":1,"command":"status"}', 300)
ask('{"id":1,"lua":"run.step"}', 300)
ask('{"id":1,"command":"changes"}', 300)
client:send '{"id":1,"command":"stop"}'
while child:status() == nil do system.sleep(0.1) end
for _, path in ipairs{dir, dir .. "-alone", dir .. ".log"} do system.remove_folder(path) end
