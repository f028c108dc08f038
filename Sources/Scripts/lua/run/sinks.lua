-- The other formats in which a run is recorded beside its folder: TensorBoard's and Trackio's. Each
-- is opened where `wanted` by an option, and has the methods
--
--   metrics(record, time)                    of a step or an evaluation
--   completions(step, samples, limit, time)  of a step
--   finish(state)                            "done", "failed" or "stopped"
--
-- One that fails is left out from then on with a warning: the run itself is in its folder, from
-- which `apo-lua export` makes the rest.

local apo = require "apo"
local fail = require "apo.fail"
local settings_of = require "apo.runs.settings"
local event_files = require "apo.tensorboard.folder"

local Sinks = {}
Sinks.__index = Sinks

-- Calls a method of all sinks.
local function call(sinks, method, ...)
  for name, sink in pairs(sinks.open) do
    local ok, problem = pcall(sink[method], sink, ...)
    if not ok then
      sinks.open[name] = nil
      sinks.warn(("%s: %s; it gets nothing more of this run; 'apo-lua export' writes it later")
        :format(name, tostring(problem)))
    end
  end
end

function Sinks:metrics(record) call(self, "metrics", record, apo.system.time()) end

function Sinks:completions(step, samples, limit)
  call(self, "completions", step, samples, limit, apo.system.time())
end

function Sinks:finish(state)
  call(self, "finish", state, apo.system.time())
  self.open = {}
end

local openers = {}

-- A run that goes on continues where its checkpoint is; what was written after it is cut off.
function openers.tensorboard(run)
  local open = require "apo.tensorboard.writer"
  local was_there = event_files.cut(run.dir, run.step)
  local writer = open(run.dir, run.step, settings_of(run.settings), run.began)
  if not was_there then  -- the earlier steps, where the option is new
    for _, record in ipairs(run.history) do
      writer:metrics(record, run.began + (record.seconds or 0))
    end
  end
  return writer
end

-- A run has the name of its folder, or of its script where there is none.
local function name_of(run)
  local path = run.dir or arg and arg[0] or "run"
  return path:match "([^/]+)/*$" or path
end

-- Rows that are there already stay.
function openers.trackio(run, project)
  local writer = require "apo.trackio.writer".open(project, {
    id = run.id, name = name_of(run), settings = settings_of(run.settings), began = run.began,
    step = run.step,
  })
  for _, record in ipairs(run.history) do
    writer:metrics(record, run.began + (record.seconds or 0))
  end
  return writer
end

-- Raises an error about options that cannot be.
local function check(caller, o)
  local problem = o.trackio and require "apo.trackio.store".name_problem(o.trackio)
  if problem then fail(("%s: option 'trackio': %s"):format(caller, problem)) end
  if o.tensorboard and not o.dir then
    fail(caller .. ": option 'tensorboard' needs 'dir', the run folder for the event files")
  end
end

-- The sinks that options want. `run` has `dir`, `id`, `settings`, `step` (of the checkpoint that it
-- goes on from), `history` up to there, `began` (when its clock was 0), `warn`, which is called
-- with a text.
local function open(wanted, run)
  local sinks = setmetatable({open = {}, warn = run.warn}, Sinks)
  for name, opener in pairs(openers) do
    if wanted[name] then
      local ok, sink = pcall(opener, run, wanted[name])
      if not ok then fail(("%s: %s"):format(name, tostring(sink))) end
      sinks.open[name] = sink
    end
  end
  return sinks
end

return {check = check, open = open}
