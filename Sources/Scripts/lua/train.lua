-- A training from the first step to the last. What one step does is the algorithm's: a page in
-- algorithms/, A*-PO unless another is asked for. Its figures are in metrics.lua, the run's folder
-- in journal.lua and checkpoint.lua.
--
-- A run is a pure function of its settings: sampling is keyed by (seed, step, row), the order of
-- the rows by (seed, epoch). So one that was stopped anywhere and resumed from its checkpoint
-- gives the same weights and the same figures as one that was not.

local apo = require "apo"
local documented = require "apo.documented"
local code_files, metrics = require "apo.code_files", require "apo.metrics"
local journal, checkpoint = require "apo.journal", require "apo.checkpoint"
local console, curve = require "apo.console", require "apo.curve"
local warnings, fail = require "apo.warnings", require "apo.fail"
local settings_of, options = require "apo.train_settings", require "apo.train_options"

-- Wall clock of the run, earlier sessions included.
local function seconds(run) return run.seconds + apo.system.clock() - run.start end

-- Evaluation, if it is due at this step and was not done yet.
local function evaluate(run)
  local eval = run.options.eval
  local is_due = eval and run.evaluated ~= run.step and (run.step % eval.every == 0
    or run.step == run.total)
  if not is_due then return end
  local result = apo.evaluate{
    model = run.policy, data = eval.data, reward = eval.reward or run.options.reward,
    weights = eval.weights or eval.reward and {} or run.options.weights, n = eval.n,
    temperature = eval.temperature, max_tokens = eval.max_tokens or run.options.max_tokens,
    correct = eval.correct, stop = run.options.stop,
    stop_token_ids = run.options.stop_token_ids, ignore_eos = run.options.ignore_eos,
    max_num_seqs = run.options.max_num_seqs, overlong = run.options.overlong, quiet = run.console.is_quiet,
    reward_timeout = run.options.reward_timeout,
  }
  local record = {step = run.step, epoch = run.epoch, seconds = seconds(run),
                  ["eval/reward"] = result.mean, ["eval/mean_length"] = result.mean_length}
  for k, value in pairs(result.pass_at) do record["eval/pass@" .. k] = value end
  for name, mean in pairs(result.rewards) do
    if name ~= "reward" then record["eval/rewards/" .. name .. "/mean"] = mean end
  end
  for source, of_source in pairs(result.sources) do
    record["eval/" .. source .. "/reward"] = of_source.mean
  end
  run.evaluated, run.evaluation = run.step, result
  run.journal:metrics(record)
  run.console:evaluation(record)
end

local function save(run)
  if not run.options.dir or run.saved == run.step then return end
  run.checkpoint = checkpoint.save(run.options.dir, run, {
    step = run.step, num_tokens = run.num_tokens, evaluated = run.evaluated,
    seconds = seconds(run), sizes = run.journal:sizes(),
  })
  run.saved = run.step
  curve(run.options.dir, run.journal.history)
end

-- Goes back to the last checkpoint of the run's folder, if there is one, or to the one asked for.
local function restore(run)
  local dir = run.options.dir
  local folder = checkpoint.choose(dir, run.options.resume)
  checkpoint.tidy(dir)
  if not folder then return run.journal:rewind{} end
  local state = checkpoint.load(folder, run)
  checkpoint.go_back(dir, state.step)
  run.journal:rewind(state.sizes)
  checkpoint.remove_others(dir, run)  -- a run that was killed may have saved without this
  curve(dir, run.journal.history)
  run.step, run.saved, run.checkpoint = state.step, state.step, folder
  run.num_tokens, run.evaluated, run.seconds = state.num_tokens, state.evaluated, state.seconds
  for _, record in ipairs(run.journal.history) do
    if record.reward then run.warn(record) end  -- what was said is not said again
  end
end

-- Writes down a step.
local function log(run, record, samples)
  local o = run.options
  record.step, record.epoch = run.step, run.epoch
  record.num_tokens, record.learning_rate = run.num_tokens, run.optimizer.lr
  record.seconds = seconds(run)
  if run.step % o.log_every == 0 or run.step == run.total then
    run.journal:metrics(record)
    run.journal:completions(samples, o.beta, o.log_completions)
    run.console:step(record)
    if o.dir then checkpoint.check_keep(run) end
    for _, text in ipairs(run.warn(record)) do
      run.console:warning(text)
      run.journal:event{event = "warning", step = run.step, text = text}
    end
  end
end

-- The beta of a step, where it is a function.
local function set_beta(run, step)
  if not run.beta then return end
  local beta = run.beta(step, run.total)
  if type(beta) ~= "number" or not (beta >= 0 and beta < math.huge) then
    fail(("the function 'beta' gave %s for step %d; it must give a finite number of at least 0")
      :format(type(beta) == "number" and beta or type(beta), step))
  end
  run.options.beta = beta
end

local function loop(run)
  local o = run.options
  evaluate(run)
  local batches = {size = o.batch_size, epochs = o.epochs, shuffle = o.shuffle, seed = run.seed,
                   drop_last = o.drop_last, start_step = run.step + 1}
  for step, rows in run.data:batches(batches) do
    if step > run.total then break end
    for optimizer, lr in pairs(run.base_lr) do optimizer.lr = lr * run.schedule(step) end
    set_beta(run, step)

    local result = code_files.step(run, step, rows)

    local record, tokens = metrics(result, o.beta, run.values)
    record.beta = o.beta
    run.step, run.epoch, run.num_tokens = step, step / run.steps_per_epoch, run.num_tokens + tokens
    log(run, record, result.samples)
    run.is_updating = false
    run.console.bar:advance(1, ("reward %.3f"):format(record.reward))
    if o.on_step and o.on_step(record, result.samples) == false then run.total = step end
    evaluate(run)
    local is_due = o.save_every and step % o.save_every == 0
    if is_due or checkpoint.is_new_best(run) then save(run) end
  end
  save(run)
end

-- What is done when Ctrl-C was typed.
local function interrupted(run)
  local dir = run.options.dir
  if not dir then return run.console:say("stopped after step " .. run.step) end
  if not run.is_updating then save(run) end
  if not run.saved then return run.console:say("stopped; there is no checkpoint yet") end
  run.console:say(("stopped; %s/checkpoint holds step %d. To go on, run the script again with "
    .. "resume = true"):format(dir, run.saved))
end

return documented{
  name = "apo.train", summary = "Trains a policy by A*-PO, or by another algorithm.",
  details = "A*-PO's stage 2: at each step one completion for each prompt of a batch, then an update that "
    .. "minimises `mean((beta * (logp - ref_logp) - target)^2)` with the target `reward - value`. "
    .. "`target` and `loss` replace these; `algorithm` replaces the step. With `dir` the run is recorded in a folder: `run.json`, "
    .. "`script.lua`, `metrics.jsonl`, `completions.jsonl`, `curve.html`, `checkpoint/`; when it "
    .. "is killed, `resume = true` goes on from the last checkpoint and ends with the same bytes.",
  options = options,
  returns = {{type = "table", text = "`steps`, `metrics` (of the last step), `history` (all logged "
    .. "records), `evaluation` (the last result of apo.evaluate), `dir`, `checkpoint` (the folder of "
    .. "the last one), `best_checkpoint` (of the best one, with `keep.best`)"}},
  example = [[apo.train{
  policy = policy, reference = reference, data = train, values = values, reward = reward,
  target = function(s) return s.reward - s.value end,
  beta = 1e-3, lr = 3e-4, batch_size = 64, epochs = 4, max_tokens = 12,
  eval = {data = test, every = 20}, dir = "runs/arithmetic",
}]],
  call = function(given)
    local run = settings_of.run(given)
    local about = settings_of.about(run)
    local lock <close> = journal.lock(given.dir, given.resume)
    run.journal, run.warn = journal.open(given.dir, about, lock), warnings(run.algorithm.name)
    if given.dir and given.resume then restore(run) end
    run.epoch = run.step / run.steps_per_epoch
    local done = math.min(run.step, run.total)
    run.console = console{total = run.total, done = done, quiet = given.quiet}
    code_files.begin(run)
    for _, text in ipairs(about.warnings or {}) do run.console:say("warning: " .. text) end
    apo.system.on_interrupt(function() loop(run) end, function()
      interrupted(run)
      if lock then lock:free() end  -- after Ctrl-C Lua runs no `<close>`
    end)
    run.console.bar:finish()
    local last
    for _, record in ipairs(run.journal.history) do
      if record.reward then last = record end
    end
    return {steps = run.step, metrics = last, history = run.journal.history, dir = given.dir,
            evaluation = run.evaluation, checkpoint = run.checkpoint,
            best_checkpoint = given.dir and checkpoint.best(given.dir, run)}
  end,
}
