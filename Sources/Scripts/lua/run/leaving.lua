-- os.exit in the middle of something: what must not be lost is saved first.

local exit, pending = os.exit, {}

function os.exit(...)
  while #pending > 0 do
    -- A clean-up is stopped neither by a limit of time, nor by Ctrl-C.
    pcall(require "apo".system.on_failure, function() error() end, table.remove(pending))
  end
  return exit(...)
end

-- Puts a clean-up in front of os.exit; gives the function that takes it back.
return function(cleanup)
  pending[#pending + 1] = cleanup
  return function()
    for i = #pending, 1, -1 do
      if pending[i] == cleanup then table.remove(pending, i) end
    end
  end
end
