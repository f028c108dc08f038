-- The steps of a loop that a script writes itself (apo.run), and how it ends.
--
-- A signal waits for the end of the step; an error leaves the last complete step, which is saved if
-- nothing that checkpoints hold has changed since. Each step has its own random numbers, so a run
-- that is resumed ends with the same bytes.

local apo = require "apo"
local documented, fail = require "apo.documented", require "apo.fail"
local whole, Recorder = require "apo.step.whole_state", require "apo.run.recorder"
local evaluation_metrics = require "apo.run.evaluation_metrics"
local stop, leaving = require "apo.run.stop", require "apo.run.leaving"
local dry_run, format = require "apo.script.dry_run", require "apo.runs.format"
local system = apo.system

local Loop = setmetatable({}, {__index = Recorder})
Loop.__index, Loop.__name = Loop, "apo.Run"

function Loop:objects() return self.saved_objects end

-- Ends the run: as complete, or as stopped by an error or a signal.
function Loop:close(kind, problem)
  if self.is_closed then return end
  self.is_closed = true
  self.forget()
  if not kind then
    system.on_failure(function()
      self:save_checkpoint()
      self:draw "done"
    end, function(of, fault) stop.leave(self, self.lock, of, fault) end)
    self.console.bar:finish()
  end
  stop.leave(self, self.lock, kind, problem)
end

-- In a dry run: what the first step was like. Ends the program.
local function say_step(run)
  local seconds, parts = system.clock() - run.start, {}
  for name, value in pairs(run.record) do parts[#parts + 1] = ("%s %s"):format(name, value) end
  dry_run.say("one step", ("%.3g s; %s"):format(seconds, table.concat(parts, ", ")))
  dry_run.say("steps", ("%d, about %s in all"):format(
    run.total, format.duration(seconds * run.total)))
  run.forget()
  run.is_closed = true
  dry_run.finish()
end

local function begin_step(run)
  whole.hold(run)
  apo.seed_step(run.seed, run.step + 1)
  run.record, run.is_in_step = {}, true
end

local function complete_step(run)
  run.is_in_step = false
  run.step = run.step + 1
  run.epoch = run.steps_per_epoch and run.step / run.steps_per_epoch or nil
  local record = run.record
  record.step, record.kind, record.epoch = run.step, "step", run.epoch
  record.seconds = run:elapsed()
  run:write(record)
  run:end_early()
  whole.mark(run)
  if run:is_save_due() then run:save_checkpoint() end
end

-- Completes the step: its record, its checkpoint. Then a signal that waited ends the run, unless
-- `body`, what follows, has begun another step.
local function end_step(run, body)
  local is_held = false
  system.on_failure(function()
    if run.is_in_step then
      is_held = true
      system.hold_stop(true)
      complete_step(run)
      is_held = false
      system.hold_stop(false)
      run:boundary()
    end
    if body then body() end
  end, function(kind, problem)
    if is_held then system.hold_stop(false) end
    run:close(kind, problem)
  end)
end

-- What a loop that is left in mid-step, by `break`, an error or `return`, comes to.
local function left(run, problem)
  if run.is_closed then return end
  if problem ~= nil then  -- a signal that waited is not to stop this
    leaving.undisturbed(function() run:close("error", problem) end)
    return
  end
  if run.is_in_step and dry_run.is_on() then say_step(run) end
  if run.is_in_step then
    run:stop "the loop was left"
    end_step(run)
  end
  run:close()
end

Recorder.steps = documented{
  name = "apo.Run:steps", summary = "Iterates over the steps that are left, of apo.run.",
  details = "With `data`, a second variable has the rows of the step. What the body logs is "
    .. "written when the step ends; `break` ends the run after this step, an error before it. "
    .. "Each step begins with random numbers of its own. Signals wait for the end of the step.",
  returns = {{type = "function", signature = "fun(): integer, table[]",
              text = "iterator of step (from 1), and rows if there is `data`"}},
  call = function(self)
    if not self.is_loop then fail "steps: apo.train runs its own steps" end
    if self.is_closed or self.is_running then
      fail "steps: the steps of a run can be taken once; call apo.run again"
    end
    self.is_running = true
    local o = self.options
    local next_rows = o.data and o.data:batches{
      size = o.batch_size, epochs = o.epochs, shuffle = o.shuffle, seed = self.seed,
      drop_last = o.drop_last, start_step = self.step + 1,
    }
    local function next_step()
      if self.is_in_step and dry_run.is_on() then say_step(self) end
      local step, rows, _
      end_step(self, function()
        if self.step >= self.total or self.is_stopped then return end
        if next_rows then _, rows = next_rows(nil, self.step) end
        if next_rows and not rows then  -- `total` was set to more than there is
          self.total = self.step
          return
        end
        step = self.step + 1
        begin_step(self)
      end)
      return step, rows
    end
    local guard = setmetatable({}, {__close = function(_, problem) left(self, problem) end})
    return next_step, nil, nil, guard
  end,
}

local counters = {step = true, kind = true, epoch = true, seconds = true}

local function check_in_step(run, name)
  if not run.is_in_step then
    fail(name .. ": only within a step: for step in run:steps() do … end")
  end
end

Recorder.log = documented{
  name = "apo.Run:log", summary = "Adds metrics to the record of the current step of apo.run.",
  details = "The record is written to metrics.jsonl when the step ends; a metric that is given "
    .. "again replaces the earlier one.",
  parameters = {{name = "metrics", type = "table",
                 text = "numbers, scalar tensors, strings or booleans by name"}},
  call = function(self, metrics)
    check_in_step(self, "log")
    for name, value in pairs(metrics) do
      if counters[name] then fail(("log: the run itself records '%s'"):format(name)) end
      self.record[name] = Recorder.check_metric(name, value, "log")
    end
  end,
}

Recorder.log_eval = documented{
  name = "apo.Run:log_eval", summary = "Records an evaluation after the current step of apo.run.",
  parameters = {{name = "result", type = "table",
                 text = "a result of apo.evaluate, or metrics by name, which get `eval/` before "
                   .. "their names"}},
  call = function(self, result)
    check_in_step(self, "log_eval")
    local metrics, record = result, {}
    if type(result.pass_at) == "table" then
      metrics, self.evaluation = evaluation_metrics(result), result
    end
    for name, value in pairs(metrics) do
      local checked = Recorder.check_metric(name, value, "log_eval")
      record[name:find "^eval/" and name or "eval/" .. name] = checked
    end
    self.evaluations[#self.evaluations + 1] = record
  end,
}

-- What `apo-lua attach` sets that is not just an option.
Loop.setters = {}

-- The only optimizer among the objects that checkpoints hold.
local function the_optimizer(run)
  local optimizer, other = next(run.base_lr)
  other = optimizer and next(run.base_lr, optimizer)
  if optimizer and not other then return optimizer end
  error(("set: 'lr' is unclear: the option 'save' has %s optimizer; Lua can set one")
    :format(other and "more than one" or "no"), 0)
end

Loop.setters.lr = {
  get = function(run) return the_optimizer(run).lr end,
  set = function(run, lr) the_optimizer(run).lr = lr end,
}

Loop.setters.total = {
  get = function(run) return run.total end,
  set = function(run, total)
    if total < run.step then
      error(("set: 'total' must be at least %d, the steps so far"):format(run.step), 0)
    end
    run.total = total
  end,
}

return Loop
