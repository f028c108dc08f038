-- apo.system.memory_limit and the option reward_memory: what goes on without bound is stopped and named.

local spec = ...
local apo = require "apo"
local equal, raises = spec.equal, spec.raises
local system = apo.system

local function endless() local list = {} while true do list[#list + 1] = {} end end
local path = debug.getinfo(1, "S").short_src

-- Within the limit nothing changes, and garbage does not count.
equal(system.memory_limit(1e6, function() end), true)
equal(system.memory_limit(math.huge, function() end), true)
equal(system.memory_limit(8e6, function() for i = 1, 1e5 do local t = {i, {}, tostring(i)} end end), true)

-- Beyond it the place is given: of a table, of a string, in a coroutine, in pcall without end.
local enough, where = system.memory_limit(4e6, endless)
equal(enough, false)
equal(where, path .. ":8")
equal(system.memory_limit(4e6, function() return ("x"):rep(1e8) end), false)
equal(system.memory_limit(4e6, function() coroutine.wrap(endless)() end), false)
equal(system.memory_limit(4e6, function() while true do pcall(endless) end end), false)

-- Garbage does not count, however much there is of it, and in whichever way it is made.
local base = {}
for i = 1, 2e5 do base[i] = {i} end  -- so that Lua collects rarely by itself
equal(system.memory_limit(4e6, function()
  for i = 1, 300 do local s = ("x"):rep(1e5 + i):gsub("x", "y") end
end), true)
equal(system.memory_limit(4e6, function()
  for i = 1, 300 do
    local t = {}
    for k = 1, 1000 do t[k] = i .. k end
    table.concat(t)
  end
end), true)
equal(system.memory_limit(2e6, function()
  for i = 1, 5e4 do coroutine.wrap(function() return {} end)() end
end), true)
equal(system.memory_limit(1e6, function() return ("x"):rep(4e5) .. "y" end), true)
base = nil

-- It is looked at with a hook of Lua's; one that a script has set is the same afterwards.
local calls = 0
local function count() calls = calls + 1 end
debug.sethook(count, "c")
equal(system.memory_limit(1e6, function() for i = 1, 100 do local s = ("x"):rep(3e5 + i) end end), true)
local hook, mask = debug.gethook()
debug.sethook()
equal({rawequal(hook, count), mask, calls > 100}, {true, "c", true})

-- A finalizer has no hooks: what it asks for is refused, and the state goes on.
local message
equal(system.memory_limit(4e6, function()
  setmetatable({}, {__gc = function() message = select(2, pcall(endless)) end})
  collectgarbage()
end), false)
equal(message, "not enough memory")

-- An inner limit is not the outer one's, an inner one cannot be higher.
equal(system.memory_limit(1e9, function() equal(system.memory_limit(2e6, endless), false) end), true)
equal(system.memory_limit(2e6, function() system.memory_limit(1e9, endless) end), false)

-- Other errors pass through, and the state goes on.
raises("nothing of the kind", system.memory_limit, 1e6, function() error("nothing of the kind") end)
local list = {}
for i = 1, 1e5 do list[i] = {i} end
equal(#list, 1e5)

-- A reward.
local data = apo.dataset{{prompt = "1+1=", answer = "2"}}
local rollout = {{text = "2", row = data[1]}}
raises(("the reward function (%s:8) took more than 4 MB of memory for row 1 (prompt: 1+1=) and was stopped at "
  .. "%s:8; it may build an endless table, or reward_memory is too small"):format(path, path),
  apo.score, rollout, endless, {reward_memory = "4 MB"})
equal(apo.score(rollout, function() return 1 end, {reward_memory = 1e6}):totable(), {1})

-- Whoever catches the error and goes on, or loops, is still named as having had too much.
local function loop() while true do end end
for _, f in ipairs{
  function() pcall(string.rep, "x", 1e8) loop() end,
  function() pcall(function() ("x"):rep(1e6):gsub("x", ("y"):rep(20)) end) loop() end,
  function() pcall(endless) loop() end,
  function() while true do pcall(endless) end end,
  function() coroutine.wrap(function() pcall(string.rep, "x", 1e8) loop() end)() end,
  function() xpcall(endless, loop) end,
  function() pcall(endless) return 1 end,
  function() return pcall(string.rep, "x", 1e8) and 1 or 0 end,
} do
  raises("took more than 4 MB of memory for row 1 (prompt: 1+1=) and was stopped at " .. path,
    apo.score, rollout, f, {reward_memory = "4 MB", reward_timeout = 2})
end
raises("took more than 0.05 s for row 1", apo.score, rollout, loop,
  {reward_memory = "4 MB", reward_timeout = 0.05})

for _, wrong in ipairs{"much", "4 XB", -1, 0, "0 MB"} do
  raises("reward_memory: bytes or a text such as \"256 MB\" expected", apo.score, rollout,
    function() return 1 end, {reward_memory = wrong})
end

-- Every function that a script gives to apo.train, apo.evaluate and apo.estimate_values.
local policy = apo.load(spec.checkout .. "/examples/models/arithmetic")
local rows = apo.dataset(spec.checkout .. "/examples/data/arithmetic/train.jsonl"):take(4)
local function zero() return 0 end

local function train(changes)
  local options = {
    policy = policy, data = rows, reward = zero, target = zero, lr = 1e-4, batch_size = 2,
    max_steps = 2, max_tokens = 3, quiet = true, reward_memory = "2 MB",
  }
  for name, value in pairs(changes) do options[name] = value or nil end
  return apo.train(options)
end

-- Its errors are raised at the second call.
local function later(f)
  local calls = 0
  return function(...)
    calls = calls + 1
    if calls > 1 then endless() end
    return f(...)
  end
end
local source = ("(%s:%d)"):format(path, debug.getinfo(later(zero), "S").linedefined)

equal(train{}.steps, 2)
raises("the target function took more than 2 MB of memory in step 1 and was stopped at " .. path .. ":8; it may",
  train, {target = later(zero)})
raises("the loss function took more than 2 MB of memory in step 2 and was stopped at " .. path .. ":8; it may",
  train, {loss = later(function(b) return (b.logp * b.logp):mean() end)})
raises(("the reward function %s took more than 2 MB of memory for "):format(source),
  train, {reward = later(zero)})
raises(("the on_step function %s, option 'on_step' of apo.train, step 2, took more than 2 MB of memory and was "
  .. "stopped at %s:8; it may build an endless table, or reward_memory is too small"):format(source, path),
  train, {on_step = later(zero)})
raises("option 'beta' of apo.train, step 2, took more than 2 MB", train,
  {beta = later(function() return 1 end), target = zero})
raises("option 'schedule' of apo.train, step 2, took more than 2 MB", train,
  {schedule = later(function() return 1 end)})
local function step(s)
  local rollout = s:generate()
  s:score(rollout)
end
raises("option 'algorithm' of apo.train, step 2, took more than 2 MB", train,
  {target = false, algorithm = {name = "mine", step = later(step)}})
raises("option 'algorithm' of apo.train, took more than 2 MB", train,
  {target = false, algorithm = {name = "mine", start = endless, step = step}})
raises("option 'eval.correct' of apo.train, the evaluation after step 0, took more than 2 MB", train,
  {eval = {data = rows, correct = later(function() return true end)}})
raises("took more than 2 MB of memory for ", train, {eval = {data = rows, reward = later(zero)}})
local file = spec.folder .. "/target.lua"
io.open(file, "w"):write("local t = {} while true do t[#t + 1] = {} end"):close()
raises("train: option 'target': loading took more than 2 MB of memory and was stopped at", train,
  {target = file})
raises("reward_memory: bytes or a text", train, {reward_memory = "2 XB"})

local function evaluate(changes)
  local options = {model = policy, data = rows, reward = zero, max_tokens = 3, quiet = true, reward_memory = "2 MB"}
  for name, value in pairs(changes) do options[name] = value end
  return apo.evaluate(options)
end
equal(evaluate{}.count, 4)
raises("option 'answer' of apo.evaluate, took more than 2 MB", evaluate, {answer = later(zero)})
raises("option 'correct' of apo.evaluate, took more than 2 MB", evaluate,
  {correct = later(function() return true end)})
-- Also where on_step calls it; its limit is its own.
raises("took more than 1 MB of memory for ", train, {reward_memory = false, on_step = function()
  evaluate{reward = endless, reward_memory = 1e6}
end})
raises("took more than 2 MB of memory for ", apo.estimate_values,
  {model = policy, data = rows, reward = later(zero), max_tokens = 3, quiet = true, reward_memory = "2 MB"})

-- No limit is left behind.
local kept = {}
for i = 1, 1e5 do kept[i] = {i} end
equal(#kept, 1e5)
