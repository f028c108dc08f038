-- `apo-lua replay-run RUN -o FOLDER`: the script of a run is run again and records into another
-- folder; what clients did to the run is done at the same steps.

local apo = require "apo"
local system = apo.system

local replaying = {}

-- What is replayed: {from = the run's folder, to = the new one, seed =, commands = by step}.
local now

-- Begins; `events` are those of the run, `last` the last step that it took.
function replaying.begin(from, to, seed, events, last)
  local by_step = {}
  for _, event in ipairs(events) do
    local is_command = event.event == "attach" and (event.lua or event.command)
    local name = event.command and event.command:match "^%a+"
    local is_left_out = name == "pause" or name == "resume" or name == "rewind"
      or name == "stop" and event.step < last  -- the run went on later
    if is_command and not is_left_out then
      by_step[event.step] = by_step[event.step] or {}
      table.insert(by_step[event.step], event)
    end
  end
  now = {from = from, to = to, seed = seed, commands = by_step}
end

-- Has the options of a run record the replay instead, if it is the run that is replayed.
function replaying.redirect(options)
  if not (now and options.dir and system.is_same(options.dir, now.from)) then return end
  now.is_found = true
  options.dir, options.resume, options.attach = now.to, false, false
  options.seed = now.seed
end

-- The commands for a run, by step; nil where it is no replay.
function replaying.commands(run)
  return now and run.dir == now.to and now.commands or nil
end

-- Ends the replay; whether the run was there.
function replaying.finish()
  local was_found = now ~= nil and now.is_found == true
  now = nil
  return was_found
end

return replaying
