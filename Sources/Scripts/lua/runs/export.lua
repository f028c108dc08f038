-- `apo-lua export RUN --csv | --tensorboard [DIR] | --trackio PROJECT`: a run in other formats.

local apo = require "apo"
local folder, play = require "apo.runs.folder", require "apo.runs.play"
local identity, settings_of = require "apo.runs.identity", require "apo.runs.settings"
local system = apo.system

local ways = {}

ways["--csv"] = function(dir, to)
  if to then error("export: --csv prints; it takes no name", 0) end
  require "apo.runs.csv"(dir)
end

ways["--tensorboard"] = function(dir, to)
  local event_files, open = require "apo.tensorboard.folder", require "apo.tensorboard.writer"
  local run = folder.summary(dir)
  to = to or dir
  if to == dir and run.state == "running" then
    error(("export: %s is being written; name another folder"):format(system.shown(dir)), 0)
  end
  system.make_folder(to)
  local there = event_files.names(to)
  if #there > 0 then
    error(("export: %s has event files already (%s); remove them, or name another folder"):format(
      system.shown(to), there[1]), 0)
  end
  local began = play.began(run)
  local writer = open(to, 0, settings_of(run.about.settings), began)
  play.all(run, writer, began)
  print(system.visible("wrote " .. writer.path))
end

ways["--trackio"] = function(dir, project)
  if not project then error("export: --trackio needs the name of a project", 0) end
  local run = folder.summary(dir)
  local began = play.began(run)
  local writer = require "apo.trackio.writer".open(project, {
    id = identity.of(run.about), name = run.name, settings = settings_of(run.about.settings),
    began = began, step = run.step,
  })
  play.all(run, writer, began)
  print(system.visible(("wrote %s into %s"):format(run.name, writer.store.path)))
end

return function(dir, way, to)
  local export = ways[way]
  if not export then
    error(("export: --csv, --tensorboard or --trackio expected, got '%s'"):format(way), 0)
  end
  local ok, problem = pcall(export, dir, to)
  -- Errors of compiled functions begin with a place in this file.
  if not ok then error((tostring(problem):gsub("^%[apo%] [^:]+:%d+: ", "")), 0) end
end
