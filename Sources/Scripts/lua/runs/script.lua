-- The script of a recorded run, to be run again: where it was, with its arguments.

local apo = require "apo"
local folder = require "apo.runs.folder"
local system = apo.system

local script = {}

-- The script as a function. `env` are its globals; default: those of this program.
function script.load(run, env)
  local path = script.full(run.dir) .. "/script.lua"
  local text = folder.script(run.dir)
  if not text then
    error(("%s: is missing, so the run cannot be run again"):format(system.shown(path)), 0)
  end
  local chunk, problem = load(text, "@" .. path, "t", env or _G)
  return chunk or error(problem, 0)
end

-- Runs it in the folder where the run was started, if that is still there; comes back from there.
function script.run(run, chunk)
  local about, arguments, before = run.about, {}, {folder = system.working_folder(), arg = arg}
  if type(about.working_folder) == "string" then
    local is_there, problem = pcall(system.working_folder, about.working_folder)
    if not is_there then
      print(system.visible("the folder in which the run was started: " .. tostring(problem)))
    end
  end
  for i, text in ipairs(type(about.arguments) == "table" and about.arguments or {}) do
    arguments[i] = tostring(text)
  end
  script.text = folder.script(run.dir)
  local function restore()
    system.working_folder(before.folder)
    arg, script.text = before.arg, nil
  end
  arg = table.move(arguments, 1, #arguments, 1, {[0] = about.script or run.dir .. "/script.lua"})
  system.on_failure(function() chunk(table.unpack(arguments)) end, restore)
  restore()
end

-- The text of the script that runs by `script.run`, nil of others: `script.text`.

-- A path that stays right when the process moves to another folder.
function script.full(path)
  return path:find "^/" and path or system.working_folder() .. "/" .. path
end

return script
