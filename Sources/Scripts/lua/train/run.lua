-- The state of a run, and what train.lua does with it: `Run.new` checks the options, `open` starts
-- or resumes in the run folder, and the methods below it are the parts of the loop.

local apo = require "apo"
local fail, hook = require "apo.fail", require "apo.script.hook"
local journal, checkpoint = require "apo.run.journal", require "apo.run.checkpoint"
local console, curve = require "apo.run.console", require "apo.run.curve"
local sinks = require "apo.run.sinks"
local script_variables = require "apo.script.variables"
local algorithm_state, whole = require "apo.step.algorithm_state", require "apo.step.whole_state"
local plain_data = require "apo.data.plain_data"
local algorithms, resume = require "apo.train.algorithm", require "apo.train.resume"
local checks, check_memory = require "apo.train.checks", require "apo.train.memory"
local rates, evaluation = require "apo.train.rates", require "apo.train.evaluation"
local reward_memory = require "apo.rewards.memory"
local hot_reload, about = require "apo.train.hot_reload", require "apo.train.about"
local metrics, warnings = require "apo.train.metrics", require "apo.train.warnings"
local take_step = hot_reload.watched(require "apo.train.take_step")

local Run = {}
Run.__index = Run

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
  sinks.check(o)
  o.resume = resume(o)
  local said, data = checks.rows(o), o.data
  if o.values and o.values.drop_unsolved then data = o.values:solvable(data) end
  local per_epoch, total = checks.steps(o, data)
  local copies = check_memory(o, data, algorithm)
  local run = setmetatable({
    options = o, files = files, algorithm = algorithm, said = said, copies = copies,
    policy = o.policy, data = data, values = o.values,
    reference = o.reference or algorithm.needs_reference and usual_reference(o.policy) or nil,
    beta = type(o.beta) == "function" and o.beta or nil,
    seed = o.seed or o.resume and o.dir and journal.seed(o.dir) or apo.seed(),
    optimizer = rates.optimizer(o), schedule = rates.schedule(o, total),
    total = total, steps_per_epoch = per_epoch, step = 0, num_tokens = 0,
    seconds = 0, start = apo.system.clock(), last_save = apo.system.clock(),
  }, Run)
  if o.state then plain_data.encode(o.state, "option 'state'") end
  run.state = state_of(run)
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

-- Wall-clock time of the run, including earlier sessions.
function Run:elapsed() return self.seconds + apo.system.clock() - self.start end

-- Restores the last checkpoint of the run folder, if there is one, or the requested one.
local function restore(run)
  local dir = run.options.dir
  checkpoint.recover(dir)
  local folder = checkpoint.choose(dir, run.options.resume.from)
  checkpoint.tidy(dir)
  if not folder then return run.journal:rewind{} end
  local state, place = checkpoint.load(folder, run), folder .. "/state.json"
  checkpoint.go_back(dir, state.step)
  run.journal:rewind(state.sizes)
  checkpoint.remove_others(dir, run)  -- a killed run may not have removed them
  run:draw()
  run.step, run.saved, run.checkpoint = state.step, state.step, folder
  run.num_tokens, run.evaluated, run.seconds = state.num_tokens, state.evaluated, state.seconds
  run.saved_evaluation = state.evaluated
  whole.restore(run, state.kept, place)
  evaluation.restore(run, state.evaluation, place)
  for _, record in ipairs(run.journal.history) do
    if record.reward then run.warn(record) end  -- what was said is not said again
  end
end

-- Starts or resumes in the run folder, which is locked.
function Run:open(lock)
  local o, description = self.options, about.of(self)
  self.journal = journal.open(o.dir, description, o.resume, lock, about.rules)
  self.warn = warnings(self.algorithm)
  self.console = console{total = self.total, quiet = o.quiet}
  if o.dir and o.resume then restore(self) end
  self.epoch = self.step / self.steps_per_epoch
  self.console:begin(math.min(self.step, self.total))
  for _, text in ipairs(self.journal:adopt(description, self.step)) do self.console:say(text) end
  self.journal.sinks = sinks.open(o, {
    dir = o.dir, step = self.step, history = self.journal.history, about = description,
    began = apo.system.time() - self:elapsed(),
    warn = function(text) self.console:warning(text) end,
  })
  hot_reload.begin(self)
  whole.mark(self)
  self.changed_variable = o.dir and script_variables(self) or function() end
  for _, text in ipairs(description.warnings or {}) do self.console:say("warning: " .. text) end
end

-- The batches that are left: an iterator of step and rows.
function Run:batches()
  local o = self.options
  local next_batch, data, last = self.data:batches{
    size = o.batch_size, epochs = o.epochs, shuffle = o.shuffle, seed = self.seed,
    drop_last = o.drop_last, start_step = self.step + 1,
  }
  return function()
    local step, rows = next_batch(data, last)
    last = step
    if step and step <= self.total then return step, rows end  -- `on_step` may have ended it
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

-- Records a step, which is then complete.
local function log(run, record, samples)
  local o = run.options
  local is_logged, texts = run.step % o.log_every == 0 or run.step == run.total, {}
  if is_logged then
    run.journal:metrics(record)
    run.journal:completions(samples, o.beta, o.log_completions)
    if o.dir then checkpoint.check_keep(run) end
    texts = run.warn(record)
  end
  texts[#texts + 1] = run.changed_variable()
  for _, text in ipairs(texts) do
    run.journal:event{event = "warning", step = run.step, text = text}
  end
  whole.mark(run)
  if is_logged then run.console:step(record) end
  for _, text in ipairs(texts) do run.console:warning(text) end
end

-- Computes and writes the metrics of a step, and calls `on_step`.
function Run:record(s)
  local o = self.options
  during(self, s.step, function()
    local record, tokens = metrics(s, o.beta, self.values)
    self.step, self.epoch = s.step, s.step / self.steps_per_epoch
    self.num_tokens = self.num_tokens + tokens
    record.step, record.epoch, record.seconds = self.step, self.epoch, self:elapsed()
    record.num_tokens, record.learning_rate = self.num_tokens, self.optimizer.lr
    record.beta = o.beta
    log(self, record, s.samples)
    self.console.bar:advance(1, ("reward %.3f"):format(record.reward))
    if not o.on_step then return end
    if hook.call("on_step", o.on_step, record, s.samples, o.state) == false then
      self.total = s.step
      self.journal:event{event = "ended", step = s.step, text = "on_step returned false"}
    end
    whole.mark(self)
  end)
end

-- Whether it is time for an evaluation ("eval") or a checkpoint ("save").
function Run:is_due(what)
  if what == "eval" then return evaluation.is_due(self) end
  local o = self.options
  return o.save_every and self.step % o.save_every == 0
    or apo.system.clock() - self.last_save >= 60 * o.save_minutes
    or checkpoint.is_new_best(self)
end

function Run:evaluate()
  evaluation.evaluate(self)
  whole.mark(self)
end

-- Saves the run as of its last complete step. An evaluation is part of its step's checkpoint: if
-- the run was stopped between the two, the step is saved again.
function Run:save()
  self.last_save = apo.system.clock()
  local is_saved = self.saved == self.step and self.saved_evaluation == self.evaluated
  if not self.options.dir or is_saved then return end
  self.checkpoint = checkpoint.save(self.options.dir, self, {
    step = self.step, num_tokens = self.num_tokens, evaluated = self.evaluated,
    seconds = self:elapsed(), sizes = self.whole.sizes, kept = self.whole.kept,
    evaluation = evaluation.kept(self),
  })
  self.saved, self.saved_evaluation = self.step, self.evaluated
  self:draw()
end

-- Draws the curves; a failure is only a warning.
function Run:draw()
  local is_drawn, problem = pcall(curve, self.options.dir, self.journal.history)
  if not is_drawn then self.console:warning("curve.html: " .. tostring(problem)) end
end

-- The result of apo.train.
function Run:result()
  local last
  for _, record in ipairs(self.journal.history) do
    if record.reward then last = record end
  end
  local dir = self.options.dir
  return {steps = self.step, metrics = last, history = self.journal.history, dir = dir,
          evaluation = self.evaluation, checkpoint = self.checkpoint,
          best_checkpoint = dir and checkpoint.best(dir, self)}
end

return Run
