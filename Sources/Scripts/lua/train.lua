-- A training from the first step to the last. What one step does is the algorithm's: a page in
-- algorithms/, A*-PO unless another is asked for. Its figures are in train/metrics.lua, the
-- run's folder in run/, what a stopped run leaves in step/whole_state.lua and train/stop.lua.
--
-- A run is a pure function of its settings: sampling is keyed by (seed, step, row), the order of
-- the rows by (seed, epoch). So one that was stopped anywhere and resumed from its checkpoint
-- gives the same weights and the same figures as one that was not.

local apo = require "apo"
local documented = require "apo.documented"
local hot_reload, metrics = require "apo.train.hot_reload", require "apo.train.metrics"
local journal, checkpoint = require "apo.run.journal", require "apo.run.checkpoint"
local console, curve = require "apo.run.console", require "apo.run.curve"
local warnings, fail = require "apo.train.warnings", require "apo.fail"
local hook, leaving = require "apo.script.hook", require "apo.run.leaving"
local script_variables = require "apo.script.variables"
local whole, evaluation = require "apo.step.whole_state", require "apo.train.evaluation"
local stop = require "apo.train.stop"
local settings_of, options = require "apo.train.settings", require "apo.train.options"

-- A curve that cannot be drawn is no reason to lose a run.
local function draw(run)
  local is_drawn, problem = pcall(curve, run.options.dir, run.journal.history)
  if not is_drawn then run.console:warning("curve.html: " .. tostring(problem)) end
end

-- Saves the run as it was after its last whole step. An evaluation belongs to the checkpoint of its
-- step: where the run was stopped between the two, the step is saved again.
local function save(run)
  local now = apo.system.clock()
  run.last_save = now
  local is_saved = run.saved == run.step and run.saved_evaluation == run.evaluated
  if not run.options.dir or is_saved then return end
  run.checkpoint = checkpoint.save(run.options.dir, run, {
    step = run.step, num_tokens = run.num_tokens, evaluated = run.evaluated,
    seconds = run:elapsed(), sizes = run.whole.sizes, kept = run.whole.kept,
    evaluation = evaluation.kept(run),
  })
  run.saved, run.saved_evaluation = run.step, run.evaluated
  draw(run)
end

-- Goes back to the last checkpoint of the run's folder, if there is one, or to the one asked for.
local function restore(run)
  local dir = run.options.dir
  checkpoint.recover(dir)
  local folder = checkpoint.choose(dir, run.options.resume.from)
  checkpoint.tidy(dir)
  if not folder then return run.journal:rewind{} end
  local state, place = checkpoint.load(folder, run), folder .. "/state.json"
  checkpoint.go_back(dir, state.step)
  run.journal:rewind(state.sizes)
  checkpoint.remove_others(dir, run)  -- a run that was killed may have saved without this
  draw(run)
  run.step, run.saved, run.checkpoint = state.step, state.step, folder
  run.num_tokens, run.evaluated, run.seconds = state.num_tokens, state.evaluated, state.seconds
  run.saved_evaluation = state.evaluated
  whole.restore(run, state.kept, place)
  evaluation.restore(run, state.evaluation, place)
  for _, record in ipairs(run.journal.history) do
    if record.reward then run.warn(record) end  -- what was said is not said again
  end
end

-- Writes down a step, which is whole with it.
local function log(run, record, samples)
  local o = run.options
  record.step, record.epoch = run.step, run.epoch
  record.num_tokens, record.learning_rate = run.num_tokens, run.optimizer.lr
  record.seconds = run:elapsed()
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

-- The beta of a step, where it is a function.
local function set_beta(run, step)
  if not run.beta then return end
  local beta = hook.call("beta", run.beta, step, run.total)
  if type(beta) ~= "number" or not (beta >= 0 and beta < math.huge) then
    fail(("the function 'beta' gave %s for step %d; it must give a finite number of at least 0")
      :format(type(beta) == "number" and beta or type(beta), step))
  end
  run.options.beta = beta
end

local function take_step(run, step, rows)
  for optimizer, lr in pairs(run.base_lr) do optimizer.lr = lr * run.schedule(step) end
  set_beta(run, step)
  apo.seed_step(run.seed, step)
  local result = hot_reload.step(run, step, rows)
  local record, tokens = metrics(result, run.options.beta, run.values)
  record.beta = run.options.beta
  run.epoch, run.num_tokens = step / run.steps_per_epoch, run.num_tokens + tokens
  run.step = step
  log(run, record, result.samples)
  return record, result.samples
end

local function evaluate(run)
  if evaluation.evaluate(run) then whole.mark(run) end
end

local function is_save_due(run)
  local o = run.options
  return o.save_every and run.step % o.save_every == 0
    or apo.system.clock() - run.last_save >= 60 * o.save_minutes
end

local function loop(run)
  local o = run.options
  evaluate(run)
  local batches = {size = o.batch_size, epochs = o.epochs, shuffle = o.shuffle, seed = run.seed,
                   drop_last = o.drop_last, start_step = run.step + 1}
  for step, rows in run.data:batches(batches) do
    if step > run.total then break end
    local record, samples
    hook.during("apo.train, step " .. step, nil, function()
      record, samples = take_step(run, step, rows)
      run.console.bar:advance(1, ("reward %.3f"):format(record.reward))
      if o.on_step and hook.call("on_step", o.on_step, record, samples, o.state) == false then
        run.total = step
      end
      if o.on_step then whole.mark(run) end
    end)
    evaluate(run)
    if is_save_due(run) or checkpoint.is_new_best(run) then save(run) end
  end
  save(run)
end

-- From an open folder to the end.
local function train(run, about, lock)
  local o = run.options
  run.journal = journal.open(o.dir, about, o.resume, lock)
  run.warn = warnings(run.algorithm.name)
  run.console = console{total = run.total, quiet = o.quiet}
  if o.dir and o.resume then restore(run) end
  run.epoch = run.step / run.steps_per_epoch
  run.console:begin(math.min(run.step, run.total))
  for _, text in ipairs(run.journal:adopt(about, run.step)) do run.console:say(text) end
  hot_reload.begin(run)
  whole.mark(run)
  run.changed_variable = o.dir and script_variables(run) or function() end
  for _, text in ipairs(about.warnings or {}) do run.console:say("warning: " .. text) end
  loop(run)
  run.console.bar:finish()
end

return documented{
  name = "apo.train", summary = "Trains a policy by A*-PO, or by another algorithm.",
  details = "A*-PO's stage 2: at each step one completion for each prompt of a batch, then an "
    .. "update that minimises `mean((beta * (logp - ref_logp) - target)^2)` with the target "
    .. "`reward - value`. `target` and `loss` replace these; `algorithm` replaces the step. With "
    .. "`dir` the run is recorded in a folder: `run.json`, `script.lua`, `metrics.jsonl`, "
    .. "`completions.jsonl`, `curve.html`, `checkpoint/`; when it is killed, `resume = true` goes "
    .. "on from the last checkpoint and ends with the same bytes.",
  options = options,
  returns = {{type = "table", text = "`steps`, `metrics` (of the last step), `history` (all logged "
    .. "records), `evaluation` (the last result of apo.evaluate), `dir`, `checkpoint` (the folder "
    .. "of the last one), `best_checkpoint` (of the best one, with `keep.best`)"}},
  example = [[apo.train{
  policy = policy, reference = reference, data = train, values = values, reward = reward,
  target = function(s) return s.reward - s.value end,
  beta = 1e-3, lr = 3e-4, batch_size = 64, epochs = 4, max_tokens = 12,
  eval = {data = test, every = 20}, dir = "runs/arithmetic",
}]],
  call = function(given)
    local run = settings_of.run(given)
    local about = settings_of.about(run)
    local lock = journal.lock(given.dir, given.resume)
    local function leave(kind, problem)
      if run.whole then stop(run, save, kind, problem) end
      whole.drop(run)
      if lock then lock:free() end  -- after a signal or a limit of time Lua runs no `<close>`
    end
    local forget = leaving(function() leave "exit" end)
    apo.system.on_failure(function() train(run, about, lock) end, function(kind, problem)
      forget()
      leave(kind, problem)
    end)
    forget()
    whole.drop(run)
    if lock then lock:free() end
    local last
    for _, record in ipairs(run.journal.history) do
      if record.reward then last = record end
    end
    return {steps = run.step, metrics = last, history = run.journal.history, dir = given.dir,
            evaluation = run.evaluation, checkpoint = run.checkpoint,
            best_checkpoint = given.dir and checkpoint.best(given.dir, run)}
  end,
}
