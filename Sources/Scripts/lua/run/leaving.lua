-- Runs cleanups where Lua runs none: before os.exit, and when a time limit stops what registered
-- them.

local exit, pending = os.exit, {}

-- Runs f so that neither a time limit nor Ctrl-C stops it; its errors are dropped.
local function undisturbed(f)
  pcall(require "apo".system.on_failure, function() error() end, f)
end

-- Runs the cleanups that were added after the first `count`, the last one first.
local function clean(count, cause)
  while #pending > count do
    local cleanup = table.remove(pending)
    undisturbed(function() cleanup(cause) end)
  end
end

function os.exit(...)
  clean(0, "exit")
  return exit(...)
end

local leaving = {undisturbed = undisturbed}

-- Adds a cleanup, which receives the cause, "exit" or "time"; returns the function that removes it.
function leaving.add(cleanup)
  pending[#pending + 1] = cleanup
  return function()
    for i = #pending, 1, -1 do
      if pending[i] == cleanup then table.remove(pending, i) end
    end
  end
end

-- apo.system.time_limit with cleanups.
function leaving.limited(time_limit)
  return function(...)
    local count = #pending
    local in_time, place = time_limit(...)
    if not in_time then clean(count, "time") end
    return in_time, place
  end
end

return leaving
