-- sweep.json of a sweep's folder: what its runs were started with and how their scripts ended.

local apo = require "apo"
local fail, same = require "apo.fail", require "apo.data.same"
local json, system, shown = apo.json, apo.system, apo.system.shown

local Record = {}
Record.__index = Record

local function read(path)
  local found = json.read(path)
  local runs = type(found) == "table" and found.runs
  if type(runs) ~= "table" or type(found.script) ~= "string" then
    fail(shown(path) .. ": must have the fields 'script' and 'runs'")
  end
  for name, run in pairs(runs) do
    if type(run) ~= "table" or type(run.arguments) ~= "table" then
      fail(("%s: field 'runs'.%s must have the field 'arguments'"):format(
        shown(path), system.visible(tostring(name))))
    end
  end
  return found
end

-- Arguments as JSON gives them back.
local function plain(arguments) return json.decode(json.encode(arguments, {lossy = true})) end

local function write(record) json.write(record.path, record.about, {lossy = true}) end

-- Whether the script of a run ended well in an earlier session.
function Record:is_done(run) return self.about.runs[run.name].status == 0 end

-- Notes how the script of a run ended.
function Record:ended(run, status)
  self.about.runs[run.name].status = status
  write(self)
end

-- The record of the sweep in a folder, which gets the runs that it does not have yet.
return function(dir, script, runs)
  local path = dir .. "/sweep.json"
  local about = system.exists(path) and read(path) or {script = script, runs = {}}
  if about.script ~= script then
    fail(("%s holds a sweep of %s; choose another dir for %s"):format(
      shown(dir), shown(about.script), shown(script)))
  end
  for _, run in ipairs(runs) do
    local arguments, before = plain(run.arguments), about.runs[run.name]
    if before and not same(before.arguments, arguments) then
      fail(("%s: the run '%s' was started with other settings (%s); give these settings another "
        .. "name, or choose another dir"):format(
        shown(dir), run.name, system.visible(table.concat(before.arguments, " "))))
    end
    about.runs[run.name] = before or {arguments = arguments}
  end
  local record = setmetatable({path = path, about = about}, Record)
  write(record)
  return record
end
