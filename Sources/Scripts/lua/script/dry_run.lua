-- `apo-lua --dry-run`: whether this is one, and its end.

local dry_run = {}

function dry_run.is_on() return (os.getenv "APO_DRY_RUN" or "") ~= "" end

-- A line of the report.
function dry_run.say(name, text)
  print(require "apo".system.visible(("%-12s  %s"):format(name, text), true))
end

-- Ends the program, as what follows would take a trained model.
function dry_run.finish()
  dry_run.say("", "end of the dry run: nothing was written")
  os.exit(0, true)
end

return dry_run
