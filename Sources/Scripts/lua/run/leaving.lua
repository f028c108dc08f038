-- Runs cleanup before os.exit.

local exit, pending = os.exit, {}

function os.exit(...)
  while #pending > 0 do
    -- Neither a time limit nor Ctrl-C stops a cleanup.
    pcall(require "apo".system.on_failure, function() error() end, table.remove(pending))
  end
  return exit(...)
end

-- Adds a cleanup before os.exit; returns the function that removes it.
return function(cleanup)
  pending[#pending + 1] = cleanup
  return function()
    for i = #pending, 1, -1 do
      if pending[i] == cleanup then table.remove(pending, i) end
    end
  end
end
