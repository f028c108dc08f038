-- A run that is recorded, whoever computes its steps: apo.train, or a loop of the script's own
-- (run.lua). This class has what both do: the folder, the terminal, checkpoints, the report.

local apo = require "apo"
local documented, fail = require "apo.documented", require "apo.fail"
local journal, checkpoint = require "apo.run.journal", require "apo.run.checkpoint"
local console, whole = require "apo.terminal.console", require "apo.step.whole_state"
local identity = require "apo.runs.identity"
local report, sinks = require "apo.report", require "apo.run.sinks"
local attach, forking = require "apo.attach.control", require "apo.run.forking"
local system = apo.system

local Recorder = documented{
  class = "apo.Run", summary = "A run that is being recorded.",
  fields = {
    {name = "step", type = "integer", text = "The last complete step."},
    {name = "total", type = "integer", text = "The number of steps."},
    {name = "epoch", type = "number", text = "The passes over the data so far."},
    {name = "dir", type = "string", text = "The run folder."},
    {name = "state", type = "table", text = "Saved in checkpoints."},
    {name = "history", type = "list of tables",
     text = "All logged records; those of evaluations have `kind = \"eval\"`."},
    {name = "metrics", type = "table", text = "The record of the last step."},
    {name = "evaluation", type = "table", text = "The last result of an evaluation."},
  },
}

-- The fields of a run before its first step; `o` are its options.
function Recorder.fields(o, total)
  return {
    options = o, dir = o.dir, state = o.state, total = total,
    seed = o.seed or o.resume and o.dir and journal.seed(o.dir) or apo.seed(),
    step = 0, epoch = 0, num_tokens = 0, seconds = 0, start = system.clock(),
    last_save = system.clock(), next_report = system.clock() + 30, state_name = "option 'state'",
  }
end

-- Wall-clock time of the run, including earlier sessions.
function Recorder:elapsed() return self.seconds + system.clock() - self.start end

-- What a kind of run adds: messages about a logged record, what a checkpoint holds of the last
-- evaluation, what to do once a checkpoint was restored.
function Recorder.warnings() return {} end
function Recorder.kept_evaluation() end
function Recorder.restored() end

-- Marks the state as complete, and what was written as belonging to it.
function Recorder:mark() whole.mark(self) end

-- Opens the run to `apo-lua attach`, once it can be marked.
function Recorder:listen() self.control = attach.open(self) end

-- Lets whoever is attached ask and steer, between two steps.
function Recorder:boundary(samples)
  if self.control then self.control:boundary(samples) end
end

-- Whether the run ended itself at this step, and nothing asks for more steps.
local function is_over(run)
  local before, has_ended = run.journal.before, false
  for _, event in ipairs(run.journal.events) do
    has_ended = has_ended or event.event == "ended" and event.step == run.step
  end
  return has_ended and not run.options.resume.force
    and not (before and run.total > (before.steps or math.huge))
end

-- Restores a checkpoint, and drops what was recorded since.
local function go_back(run, folder)
  local dir = run.dir
  local state, place = checkpoint.load(folder, run), folder .. "/state.json"
  checkpoint.go_back(dir, state.step)
  run.journal:rewind(state.sizes)
  checkpoint.remove_others(dir, run)  -- a killed run may not have removed them
  run:draw()
  run.step, run.saved, run.checkpoint = state.step, state.step, folder
  run.num_tokens, run.evaluated, run.seconds = state.num_tokens, state.evaluated, state.seconds
  run.saved_evaluation = state.evaluated
  whole.restore(run, state.kept, place)
  run:restored(state, place)
end

-- Restores the last checkpoint of the run folder, if there is one, or the requested one.
local function restore(run)
  checkpoint.recover(run.dir)
  local folder = checkpoint.choose(run.dir, run.options.resume.from)
  checkpoint.tidy(run.dir)
  if not folder then return run.journal:rewind{} end
  go_back(run, folder)
  if is_over(run) then run.total = run.step end
end

-- Begins with a checkpoint of another run (apo.fork), which becomes this run's first one.
local function begin_with(run, parent)
  local folder = checkpoint.choose(parent.from, "step-" .. parent.step)
  local state, place = checkpoint.load(folder, run), folder .. "/state.json"
  run.step, run.num_tokens, run.evaluated = state.step, state.num_tokens, state.evaluated
  whole.restore(run, state.kept, place)
  run:restored(state, place)
  run.journal:event{event = "fork", step = run.step, time = system.time(), text = "from "
    .. system.shown(parent.from)}
  run:mark()
  run:save_checkpoint()
end

-- Takes what the journal has of the steps so far.
local function take_history(run)
  run.history, run.metrics = run.journal.history, nil
  for _, record in ipairs(run.history) do
    if record.kind ~= "eval" then run.metrics = record end
  end
  run.console:begin(math.min(run.step, run.total))
end

-- Goes on in the other formats.
local function open_sinks(run)
  local about = run.about
  run.journal.sinks = sinks.open(run.options, {
    dir = run.dir, step = run.step, history = run.history, settings = about.settings,
    id = identity.of(run.journal.before or about), began = system.time() - run:elapsed(),
    warn = function(text) run.console:warning(text) end,
  })
end

-- Goes back to a kept checkpoint between two steps: what was recorded since is dropped.
function Recorder:rewind(step)
  if self.is_in_step then
    fail "rewind: only between two steps: from apo-lua attach"
  end
  local folder = checkpoint.choose(self.dir, ("step-%d"):format(step))
  system.hold_stop(true)
  local is_done, problem = pcall(function()
    self.journal.sinks:finish "stopped"
    go_back(self, folder)
    self.start, self.epoch = system.clock(), self.steps_per_epoch
      and self.step / self.steps_per_epoch
    take_history(self)
    open_sinks(self)
    self:mark()
  end)
  if not is_done then self.whole = nil end  -- what is in memory is not to be saved
  system.hold_stop(false)
  if not is_done then
    self.control.fault = problem
    error(problem, 0)
  end
end

-- Starts or resumes in the run folder, which is locked. `about` is what run.json will hold.
function Recorder:open(lock, about, rules)
  local o, parent = self.options, forking.take()
  if parent then
    checkpoint.choose(parent.from, "step-" .. parent.step)  -- before anything is written
    about.parent = {run = parent.from, step = parent.step, id = parent.id}
  end
  self.journal = journal.open(o.dir, about, o.resume, lock, rules)
  self.console = console{
    total = math.max(1, self.total), quiet = o.quiet, title = self.title,
    columns = o.columns or self.usual_columns,
  }
  if o.dir and o.resume then restore(self) end
  if parent and not self.saved then begin_with(self, parent) end
  self.about = about
  take_history(self)
  for _, text in ipairs(self.journal:adopt(about, self.step)) do self.console:say(text) end
  open_sinks(self)
end

-- Writes the record of the step, which is then complete. `kept` is what a checkpoint holds of the
-- script's state, if that is known.
function Recorder:write(record, samples, kept)
  local o = self.options
  local is_logged, texts = self.step % o.log_every == 0 or self.step == self.total
    or self.ending ~= nil, {}
  if is_logged then
    self.metrics = record
    self.journal:metrics(record)
    if samples then self.journal:completions(samples, o.beta, o.log_completions) end
    if o.dir then checkpoint.check_keep(self) end
    texts = self:warnings(record)
  end
  for _, text in ipairs(texts) do
    self.journal:event{event = "warning", step = self.step, text = text}
  end
  local evaluations = self.evaluations or {}
  self.evaluations = self.evaluations and {}
  for _, of in ipairs(evaluations) do self:add_evaluation(of) end
  whole.mark(self, kept)
  if is_logged then self.console:step(record) end
  for _, of in ipairs(evaluations) do self.console:evaluation(of) end
  for _, text in ipairs(texts) do self.console:warning(text) end
  self.console:advance(record)
  if system.clock() >= self.next_report then self:draw() end
end

-- Adds the record of an evaluation after the step to the journal.
function Recorder:add_evaluation(record)
  record.step, record.kind, record.epoch = self.step, "eval", self.epoch
  record.seconds = self:elapsed()
  self.journal:metrics(record)
  self.evaluated = self.step
end

-- Writes the record of an evaluation after the step.
function Recorder:write_evaluation(record)
  self:add_evaluation(record)
  self.console:evaluation(record)
end

Recorder.stop = documented{
  name = "apo.Run:stop", summary = "Ends the run after the current step.",
  details = "The run is then complete: `resume = true` returns its result, unless more steps are "
    .. "asked for.",
  parameters = {{name = "reason", type = "string", default = "the script ended it",
                 text = "for events.jsonl"}},
  call = function(self, reason) self.ending = reason end,
}

Recorder.save = documented{
  name = "apo.Run:save", summary = "Saves a checkpoint at the end of the current step.",
  call = function(self) self.wants_save = true end,
}

-- Makes the step the last one, if something has asked for that.
function Recorder:end_early()
  if not self.ending or self.total == self.step then return end
  self.total = self.step
  self.journal:event{event = "ended", step = self.step, time = system.time(), text = self.ending}
  whole.mark(self)
end

-- Whether it is time for a checkpoint.
function Recorder:is_save_due()
  local o = self.options
  return self.wants_save or o.save_every and self.step % o.save_every == 0
    or system.clock() - self.last_save >= 60 * o.save_minutes
    or checkpoint.is_new_best(self)
end

-- Saves the run as of its last complete step. An evaluation is part of its step's checkpoint: if
-- the run was stopped between the two, the step is saved again.
function Recorder:save_checkpoint()
  self.last_save, self.wants_save = system.clock(), nil
  local is_saved = self.saved == self.step and self.saved_evaluation == self.evaluated
    and not self.is_noted
  if not self.dir or is_saved then return end
  self.checkpoint = checkpoint.save(self.dir, self, {
    step = self.step, num_tokens = self.num_tokens, evaluated = self.evaluated,
    seconds = self:elapsed(), sizes = self.whole.sizes, kept = self.whole.kept,
    evaluation = self:kept_evaluation(),
  })
  self.saved, self.saved_evaluation, self.is_noted = self.step, self.evaluated, nil
end

-- Writes the report, which takes at most a fiftieth of the time; a failure is only a warning. The
-- last one of a run is told the `state` in which it ends.
function Recorder:draw(state)
  if not self.dir then return end
  local began = system.clock()
  local is_drawn, problem = pcall(report.write, {self.dir}, self.dir .. "/report.html", state)
  local now = system.clock()
  self.next_report = now + math.max(30, 50 * (now - began))
  if not is_drawn and self.console then
    self.console:warning("report.html: " .. tostring(problem))
  end
end

Recorder.best_checkpoint = documented{
  name = "apo.Run:best_checkpoint", summary = "Returns the folder of the best checkpoint.",
  returns = {{type = "string", text = "the folder; nil unless `keep.best` names a metric"}},
  call = function(self) return self.dir and checkpoint.best(self.dir, self) end,
}

-- Checks a metric of the script's own.
function Recorder.check_metric(name, value, place)
  if type(name) ~= "string" then
    fail(("%s: the name of a metric must be a string, got %s"):format(place, type(name)))
  end
  if type(value) == "userdata" and pcall(function() return value:numel() end) then
    if value:numel() == 1 then return value:item() end
    fail(("%s: '%s' must be a number, got a tensor of shape [%s]"):format(
      place, name, table.concat(value:shape(), ", ")))
  end
  if type(value) == "number" or type(value) == "string" or type(value) == "boolean" then
    return value
  end
  fail(("%s: '%s' must be a number, a string or a boolean, got %s"):format(
    place, name, type(value)))
end

return Recorder
