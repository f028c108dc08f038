-- apo.system.time_limit stops what loops without end wherever it does: also where Lua calls no hooks, in
-- finalizers, message handlers and hooks. These have a second more.

local spec = ...
local apo = require "apo"
local equal = spec.equal
local limit = apo.system.time_limit

local function loop() while true do end end
local here = debug.getinfo(1, "S").short_src

local function stops(f)
  local in_time, where = limit(0.02, f)
  equal(in_time, false)
  assert(where:sub(1, #here + 1) == here .. ":", where)
end

local function collected(f)
  return function()
    setmetatable({}, {__gc = f})
    collectgarbage()
  end
end

-- Called by functions in C, in coroutines, while variables are closed.
for _, f in ipairs{
  loop,
  function() while true do pcall(loop) end end,
  function() table.sort({3, 2, 1}, loop) end,
  function() ("a"):gsub("a", loop) end,
  function() tostring(setmetatable({}, {__tostring = loop})) end,
  function() coroutine.wrap(loop)() end,
  function()
    local co = coroutine.create(function()
      local x <close> = setmetatable({}, {__close = loop})
      coroutine.yield()
    end)
    coroutine.resume(co)
    coroutine.close(co)
  end,
} do stops(f) end

-- Without hooks.
for _, f in ipairs{
  collected(loop),
  collected(function() while true do pcall(loop) end end),
  function() coroutine.wrap(collected(loop))() end,
  function() xpcall(loop, loop) end,
  function()
    coroutine.wrap(function()
      local x <close> = setmetatable({}, {__close = loop})
      loop()
    end)()
  end,
  function()
    debug.sethook(loop, "l")
    local x = 1
  end,
} do stops(f) end

-- What was stopped leaves nothing behind: hooks of one's own work, finalizers run, and end in time.
local lines, is_finalized = 0, false
debug.sethook(function() lines = lines + 1 end, "l")
equal(limit(60, collected(function() is_finalized = true end)), true)
debug.sethook()
assert(lines > 2 and is_finalized)
equal(debug.gethook(), nil)

-- coroutine.close is what the manual says it is.
local function closed(body)
  local co = coroutine.create(function()
    local x <close> = setmetatable({}, {__close = body})
    coroutine.yield()
  end)
  coroutine.resume(co)
  return table.pack(coroutine.close(co)), coroutine.status(co)
end
local results, status = closed(function() end)
equal({results, status}, {{true, n = 1}, "dead"})
results, status = closed(function() error("mine", 0) end)
equal({results, status}, {{false, "mine", n = 2}, "dead"})
equal(coroutine.close(coroutine.create(loop)), true)
local co = coroutine.create(function() error("mine", 0) end)
coroutine.resume(co)
equal({coroutine.close(co)}, {false, "mine"})
equal({coroutine.close(co)}, {true})
spec.raises("cannot close a running coroutine", function() coroutine.close(coroutine.running()) end)
coroutine.wrap(function()
  local outer = coroutine.running()
  coroutine.wrap(function()
    spec.raises("cannot close a normal coroutine", coroutine.close, outer)
  end)()
end)()
spec.raises("bad argument #1 to 'close' (thread expected, got number)", function() coroutine.close(1) end)
