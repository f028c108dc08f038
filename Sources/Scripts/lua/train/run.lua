-- The state of a training run, and what train.lua does with it: `Run.new` checks the options,
-- `open` starts or resumes in the run folder, and the methods below it are the parts of the loop.
-- What is recorded, and how, is in run/recorder.lua.

local apo = require "apo"
local fail, hook = require "apo.fail", require "apo.script.hook"
local Recorder, tokens = require "apo.run.recorder", require "apo.run.tokens"
local script_variables, sinks = require "apo.script.variables", require "apo.run.sinks"
local algorithm_state, whole = require "apo.step.algorithm_state", require "apo.step.whole_state"
local plain_data = require "apo.data.plain_data"
local algorithms, resume = require "apo.train.algorithm", require "apo.run.resume"
local checks, check_memory = require "apo.train.checks", require "apo.train.memory"
local rates, evaluation = require "apo.train.rates", require "apo.train.evaluation"
local reward_memory = require "apo.rewards.memory"
local hot_reload, about = require "apo.train.hot_reload", require "apo.train.about"
local metrics, warnings = require "apo.train.metrics", require "apo.train.warnings"
local take_step = hot_reload.watched(require "apo.train.take_step")

local Run = setmetatable({}, {__index = Recorder})
Run.__index, Run.__name = Run, "apo.Run"

-- The default reference.
local function usual_reference(policy)
  return policy.adapter and policy:base_model() or policy:clone():freeze()
end

-- What the algorithm keeps from step to step.
local function state_of(run)
  local algorithm = run.algorithm
  local state = algorithm.start and hook.call("algorithm", algorithm.start, run,
    algorithms.options(algorithm, run.options)) or {}
  if type(state) ~= "table" then
    fail(("train: option 'algorithm': the function 'start' of '%s' must return a table, got %s")
      :format(algorithm.name, type(state)))
  end
  plain_data.encode(algorithm_state.plain(state), "state")
  return state
end

local function made(o)
  local files = hot_reload.open(o)
  local algorithm = algorithms.of(o)
  checks.models(o)
  checks.clipping(o)
  sinks.check("train", o)
  o.resume = resume("train", o)
  local said, data = checks.rows(o), o.data
  if o.values and o.values.drop_unsolved then data = o.values:solvable(data) end
  local per_epoch, total = checks.steps(o, data)
  local copies = check_memory(o, data, algorithm)
  local run = setmetatable(Recorder.fields(o, total), Run)
  run.files, run.algorithm, run.said, run.copies = files, algorithm, said, copies
  run.policy, run.data, run.values = o.policy, data, o.values
  run.reference = o.reference or algorithm.needs_reference and usual_reference(o.policy) or nil
  run.beta = type(o.beta) == "function" and o.beta or nil
  run.optimizer, run.schedule = rates.optimizer(o), rates.schedule(o, total)
  run.steps_per_epoch, run.title, run.usual_columns = per_epoch, "training", "usual"
  if o.state then plain_data.encode(o.state, run.state_name) end
  run.algorithm_state = state_of(run)
  run.base_lr = algorithm_state.learning_rates(run)
  run.optimizer:zero_grad()  -- gradients left from other or interrupted backward passes
  return run
end

-- The state of a run before its first step, from the options of apo.train.
function Run.new(o)
  local memory, run = reward_memory.bytes(o.reward_memory), nil
  hook.during("apo.train", nil, function() run = made(o) end, memory)
  run.memory = memory
  return run
end

-- An AdamW optimizer with apo.train's settings, for anything else that an algorithm trains.
function Run:adamw(parameters, lr) return rates.adamw(self.options, parameters, lr) end

Run.kept_evaluation = evaluation.kept
Run.declared, Run.setters = require "apo.train.options".declared, require "apo.train.setters"

-- What a checkpoint has beside the script's state.
function Run:objects()
  local objects = algorithm_state.objects(self.algorithm_state)
  objects.policy, objects.optimizer = self.policy, self.optimizer
  return objects
end

function Run:restored(state, place)
  evaluation.restore(self, state.evaluation, place)
  for _, record in ipairs(self.journal.history) do
    if record.kind ~= "eval" then self.warn(record) end  -- what was said is not said again
  end
end

function Run:warnings(record)
  local texts = self.warn(record)
  texts[#texts + 1] = self.changed_variable()
  return texts
end

-- Starts or resumes in the run folder, which is locked.
function Run:open(lock)
  local o, description = self.options, about.of(self)
  self.warn = warnings(self.algorithm)
  Recorder.open(self, lock, description, about.rules)
  self.journal.tokens = o.dir and tokens(self.policy.tokenizer, o.log_tokens)
  self.epoch = self.step / self.steps_per_epoch
  hot_reload.begin(self)
  whole.mark(self)
  self.changed_variable = o.dir and script_variables(self) or function() end
  for _, text in ipairs(description.warnings or {}) do self.console:say("warning: " .. text) end
  self:listen()
end

-- The batches that are left: an iterator of step and rows.
function Run:batches()
  local o = self.options
  local next_batch = self.data:batches{
    size = o.batch_size, epochs = o.epochs, shuffle = o.shuffle, seed = self.seed,
    drop_last = o.drop_last, start_step = self.step + 1,
  }
  return function()
    local step, rows = next_batch(nil, self.step)  -- attach may have rewound it
    -- `on_step` may have ended it, and attach may have stopped it.
    if step and step <= self.total and not self.is_stopped then return step, rows end
  end
end

-- What errors in the script's functions say they were in, and what memory these may take.
local function during(run, step, f)
  hook.during("apo.train, step " .. step, nil, f, run.memory)
end

function Run:set_rates(step)
  during(self, step, function() rates.set(self, step) end)
end

-- Runs the algorithm's step on a batch of rows; nothing is written yet.
function Run:take_step(step, rows)
  local s
  during(self, step, function()
    apo.seed_step(self.seed, step)
    s = take_step(self, step, rows)
  end)
  return s
end

-- Calls `on_step` with a copy of the record, and adds the metrics that it adds. If it fails, the
-- step is recorded without them and with the script's state before.
local function call_on_step(run, record, samples)
  local o, before, marked, given, added = run.options, whole.kept(run), run.whole, {}, {}
  for name, value in pairs(record) do given[name] = value end
  local after
  apo.system.on_failure(function()
    -- The update is made, so a signal need not wait any longer. One that did stops this function.
    whole.mark(run, before)
    if hook.call("on_step", o.on_step, given, samples, o.state) == false then
      run:stop "on_step returned false"
    end
    for name, value in pairs(given) do
      if record[name] == nil then
        added[name] = Recorder.check_metric(name, value, "train: a metric added by on_step")
      elseif not rawequal(record[name], value) and value == value then
        fail(("train: on_step changed the metric '%s'; add one of another name"):format(name))
      end
    end
    after = whole.kept(run)
    whole.unmark(run, marked)  -- until the record is written
  end, function()
    whole.unmark(run, marked)
    run:write(record, samples, before)
  end)
  for name, value in pairs(added) do record[name] = value end
  return after
end

-- Computes the metrics of a step, calls `on_step`, and writes them.
function Run:record(s)
  local o = self.options
  during(self, s.step, function()
    local record, tokens = metrics(s, o.beta, self.values)
    self.step, self.epoch = s.step, s.step / self.steps_per_epoch
    self.num_tokens = self.num_tokens + tokens
    record.step, record.kind, record.epoch = self.step, "step", self.epoch
    record.seconds, record.num_tokens = self:elapsed(), self.num_tokens
    record.learning_rate, record.beta = self.optimizer.lr, o.beta
    local kept = o.on_step and call_on_step(self, record, s.samples)
    self:write(record, s.samples, kept)
    self:end_early()
  end)
end

-- Whether it is time for an evaluation ("eval") or a checkpoint ("save").
function Run:is_due(what)
  if what == "eval" then return evaluation.is_due(self) end
  return self:is_save_due()
end

function Run:evaluate()
  evaluation.evaluate(self)
  whole.mark(self)
end

-- The result of apo.train.
function Run:result()
  return {steps = self.step, metrics = self.metrics, history = self.history, dir = self.dir,
          evaluation = self.evaluation, checkpoint = self.checkpoint,
          best_checkpoint = self:best_checkpoint()}
end

return Run
