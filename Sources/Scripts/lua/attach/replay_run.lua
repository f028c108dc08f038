-- `apo-lua replay-run RUN -o FOLDER`: runs the script of a run again, into another folder, and does
-- at the same steps what clients of `apo-lua attach` did.

local apo = require "apo"
local folder, replaying = require "apo.runs.folder", require "apo.attach.replaying"
local differences, script = require "apo.runs.differences", require "apo.runs.script"
local system = apo.system
local shown, visible = system.shown, system.visible

local function read_arguments(...)
  local given, from, to = {...}, nil, nil
  local i = 1
  while i <= #given do
    if given[i] == "-o" then to, i = given[i + 1], i + 2
    elseif given[i]:find "^%-" or from then
      error(("replay-run: a run and -o FOLDER expected, got '%s'"):format(given[i]), 0)
    else from, i = given[i], i + 1 end
  end
  if not from or not to then error("replay-run: usage: apo-lua replay-run RUN -o FOLDER", 0) end
  return from, to
end

-- What keeps the replay from being the same.
local function say_doubts(run)
  for _, event in ipairs(run.events) do
    if event.event == "force" then
      print(visible(('the run went on with other settings before step %s (resume = "force"); '
        .. "the replay has the last ones from the start"):format(event.step)))
    elseif event.event == "change" then
      print(visible(("%s was edited before step %s; the replay has it as it is now"):format(
        event.file or "a file", event.step)))
    end
  end
end

local function say_result(run, to)
  local replay = folder.open(to)
  local rows = differences{run, replay}
  if #rows > 0 then
    print "settings that differ from those of the run:"
    for _, row in ipairs(rows) do
      print(visible(("  %s: %s, now %s"):format(row[1], row[2], row[3])))
    end
  end
  print(visible(("%s: %d steps replayed; compare with apo-lua compare %s %s"):format(
    shown(to), replay.step, run.dir, to)))
end

return function(...)
  local from, to = read_arguments(...)
  from, to = script.full(from), script.full(to)
  local run = folder.open(from)
  if folder.is_run(to) then
    error(shown(to) .. ": holds a run already; choose another folder", 0)
  end
  local chunk = script.load(run)
  say_doubts(run)
  local seed = run.about.settings.seed
  if math.type(seed) == "integer" then apo.seed(seed) end
  replaying.begin(from, to, seed, run.events, run.step)
  script.run(run, chunk)
  if not replaying.finish() then
    error(("replay-run: the script recorded no run in %s"):format(shown(from)), 0)
  end
  say_result(run, to)
end
