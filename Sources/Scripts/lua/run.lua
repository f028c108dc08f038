-- apo.run: the record of a loop that a script writes itself, as apo.train keeps one of its own.
--
-- A signal waits for the end of the step; an error leaves the last complete step, which is saved if
-- no optimizer has stepped since. Each step has its own random numbers, so a run that is resumed
-- ends with the same bytes.

local apo = require "apo"
local documented, fail = require "apo.documented", require "apo.fail"
local declarations, plain_data = require "apo.data.declarations", require "apo.data.plain_data"
local algorithm_state, whole = require "apo.step.algorithm_state", require "apo.step.whole_state"
local journal, Recorder = require "apo.run.journal", require "apo.run.recorder"
local settings, resume = require "apo.run.settings", require "apo.run.resume"
local evaluation_metrics, sinks = require "apo.run.evaluation_metrics", require "apo.run.sinks"
local replaying = require "apo.attach.replaying"
local stop, leaving = require "apo.run.stop", require "apo.run.leaving"
local dry_run, format = require "apo.script.dry_run", require "apo.runs.format"
local system = apo.system

local Loop = setmetatable({}, {__index = Recorder})
Loop.__index, Loop.__name = Loop, "apo.Run"

function Loop:objects() return self.saved_objects end

local options = declarations.append({
  {name = "total", type = "integer", minimum = 1, optional = true,
   notes = {resume = "free", live = true},
   text = "the number of steps; default: as many as the batches of `data`"},
  {name = "data", type = "apo.Dataset", optional = true,
   text = "rows that `run:steps()` gives in batches"},
  {name = "batch_size", type = "integer", minimum = 1, default = 64, text = "rows per step"},
  {name = "epochs", type = "integer", minimum = 1, maximum = 1000000000, default = 1,
   notes = {resume = "free"}, text = "passes over the data"},
  {name = "shuffle", type = "boolean", default = true, text = "reshuffle every epoch"},
  {name = "drop_last", type = "boolean", default = false, text = "drop incomplete batches"},
  {name = "seed", type = "integer", optional = true,
   text = "seed of the row order and of the steps' random numbers; default: the process's"},
  {name = "save", type = "table", default = {}, notes = {resume = "session"},
   text = "the models and optimizers that checkpoints hold: a list, or by names of your own"},
  {name = "state", type = "table", optional = true, notes = {resume = "session"},
   text = "`run.state`: plain data that checkpoints hold"},
  {name = "settings", type = "table", default = {},
   text = "what else the result depends on, such as `{lr = 1e-4}`: recorded, and compared when the "
     .. "run is resumed"},
}, require "apo.run.options")

local rules = settings.rules(options, {})

-- How `apo-lua attach` changes what is not just an option.
Loop.declared, Loop.setters = declarations.append({
  {name = "lr", type = "number", minimum = 0, notes = {live = true}, text = "the learning rate"},
}, options), {}

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

local names_of_kinds = {["apo.Model"] = "policy", ["apo.ValueModel"] = "value_model",
                        ["apo.Optimizer"] = "optimizer"}

local function kind_of(value) return (debug.getmetatable(value) or {}).__name or type(value) end

local function check_object(name, value)
  if type(name) ~= "string" or not name:find "^[%a_][%w_]*$" or name == "state" then
    fail(("run: option 'save': '%s' must be a name of letters, digits and _, other than state")
      :format(tostring(name)))
  elseif not names_of_kinds[kind_of(value)] then
    fail(("run: option 'save': '%s' must be a model or an optimizer, got %s; plain data belongs "
      .. "into `state`"):format(name, kind_of(value)))
  end
end

-- The option `save` by names: those of a list are named by what they are.
local function named(save)
  local objects = {}
  for key, value in pairs(save) do
    local name = key
    if type(key) == "number" then
      local kind = names_of_kinds[kind_of(value)] or "object"
      name = kind
      for i = 2, math.huge do
        if not objects[name] then break end
        name = ("%s_%d"):format(kind, i)
      end
    end
    objects[name] = value
  end
  for name, value in pairs(objects) do check_object(name, value) end
  return objects
end

-- The number of steps, and those of an epoch; nil without data.
local function steps_of(o)
  if not o.data then
    return o.total or fail("run: option 'total' or 'data' is needed"), nil
  end
  local per_epoch = (o.drop_last and #o.data or #o.data + o.batch_size - 1) // o.batch_size
  if per_epoch == 0 then
    fail(("run: %d rows do not fill a batch of %d, and drop_last is set"):format(
      #o.data, o.batch_size))
  end
  return math.min(per_epoch * o.epochs, o.total or math.huge), per_epoch
end

local function about(run)
  local o, list = run.options, {}
  for _, option in ipairs(options) do
    if not (option.notes and option.notes.resume == "session") then
      list[option.name] = settings.described(o[option.name])
    end
  end
  for name, value in pairs(o.settings) do list[name] = settings.described(value) end
  list.settings, list.seed, list.rows = nil, run.seed, o.data and #o.data
  list.save = settings.described(run.saved_objects)
  return settings.about{kind = "run", data = o.data and o.data.name, steps = run.total,
                        settings = list, functions = {}}
end

local function check_settings(o)
  local taken = {}
  for _, option in ipairs(options) do taken[option.name] = true end
  for name in pairs(o.settings) do
    if type(name) ~= "string" or taken[name] then
      fail(("run: option 'settings': the name '%s' %s"):format(tostring(name),
        type(name) == "string" and "is that of an option of apo.run" or "must be a string"))
    end
  end
end

-- Steps -------------------------------------------------------------------------------------

-- Ends the run: as complete, or as stopped by an error or a signal.
local function close(run, kind, problem)
  if run.is_closed then return end
  run.is_closed = true
  run.forget()
  if not kind then
    system.on_failure(function()
      run:save_checkpoint()
      run:draw "done"
    end, function(of, fault) stop.leave(run, run.lock, of, fault) end)
    run.console.bar:finish()
  end
  stop.leave(run, run.lock, kind, problem)
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
    close(run, kind, problem)
  end)
end

-- What a loop that is left in mid-step, by `break`, an error or `return`, comes to.
local function left(run, problem)
  if run.is_closed then return end
  if problem ~= nil then  -- a signal that waited is not to stop this
    leaving.undisturbed(function() close(run, "error", problem) end)
    return
  end
  if run.is_in_step and dry_run.is_on() then say_step(run) end
  if run.is_in_step then
    run:stop "the loop was left"
    end_step(run)
  end
  close(run)
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

return documented{
  name = "apo.run", summary = "Records a training loop of your own.",
  details = "The run folder, the lines on the terminal, checkpoints, resuming and stops are those "
    .. "of apo.train; see docs/runs.md.",
  options = options,
  returns = {{type = "apo.Run", text = "the run; `run:steps()` are its steps"}},
  example = [[local run = apo.run{
  dir = "runs/own", total = 3, save = {policy}, settings = {lr = 1e-4}, quiet = true,
}
for step in run:steps() do
  run:log{loss = 1 / step}
end
print(run.metrics.loss)]],
  call = function(o)
    check_settings(o)
    replaying.redirect(o)
    sinks.check("run", o)
    o.resume = resume("run", o)
    local total, per_epoch = steps_of(o)
    local run = setmetatable(Recorder.fields(o, total), Loop)
    run.is_loop, run.title, run.steps_per_epoch, run.evaluations = true, "steps", per_epoch, {}
    run.state, run.state_name = o.state or {}, "run.state"
    run.saved_objects = named(o.save)
    run.base_lr = algorithm_state.learning_rates(run)
    run.is_unguarded = algorithm_state.has_other_weights(run.saved_objects, run.base_lr)
    plain_data.encode(run.state, run.state_name)
    if dry_run.is_on() then
      journal.check(o.dir, o.resume)
      o.dir, o.resume, o.tensorboard, o.trackio, run.dir = nil, false, false, nil, nil
    end
    run.lock = journal.lock(o.dir, o.resume)
    system.on_failure(function()
      run:open(run.lock, about(run), rules)
      whole.mark(run)
      run:listen()
    end, function() if run.lock then run.lock:free() end end)
    run.epoch = per_epoch and run.step / per_epoch or nil
    run.forget = leaving.add(function(cause) close(run, cause) end)
    return run
  end,
}
