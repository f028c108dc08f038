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
  .. "%s:8; it may build a table without end, or reward_memory is too small"):format(path, path),
  apo.score, rollout, endless, {reward_memory = "4 MB"})
equal(apo.score(rollout, function() return 1 end, {reward_memory = 1e6}):totable(), {1})
for _, wrong in ipairs{"much", "4 XB", -1, 0, "0 MB"} do
  raises("reward_memory: bytes or a text such as \"256 MB\" expected", apo.score, rollout,
    function() return 1 end, {reward_memory = wrong})
end
