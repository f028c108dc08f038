-- The training loop. One step is defined by the algorithm: a page in algorithms/, A*-PO by default.
-- The parts of the loop are in train/run.lua, the metrics in train/metrics.lua, what is recorded in
-- run/recorder.lua, and the handling of stops in run/stop.lua.
--
-- A run is a pure function of its settings: sampling is keyed by (seed, step, row), the order of
-- the rows by (seed, epoch). So a run that was stopped anywhere and resumed gives the same weights
-- and metrics as an uninterrupted one.

local documented, dry_run = require "apo.documented", require "apo.script.dry_run"
local journal, Run = require "apo.run.journal", require "apo.train.run"
local options, stop = require "apo.train.options", require "apo.run.stop"
local replaying = require "apo.attach.replaying"

local function train(run)
  run:boundary()
  if run:is_due "eval" then run:evaluate() end
  for step, rows in run:batches() do
    run:set_rates(step)                    -- the learning rate and beta
    local s = run:take_step(step, rows)    -- the algorithm
    run:record(s)                          -- metrics, completions, warnings, `on_step`
    run:boundary(s.samples)                -- what `apo-lua attach` asks for
    if run:is_due "eval" then run:evaluate() end
    if run:is_due "save" then run:save_checkpoint() end
  end
  run:save_checkpoint()
  run:draw "done"
end

return documented{
  name = "apo.train", summary = "Trains a policy by A*-PO, or by another algorithm.",
  details = "Stage 2 of A*-PO: each step samples one completion per prompt of a batch, then "
    .. "makes an update that minimises `mean((beta * (logp - ref_logp) - target)^2)` with the "
    .. "target `reward - value`. `target` and `loss` replace these; `algorithm` replaces the "
    .. "whole step. With `dir` the run is recorded in a folder: `run.json`, `script.lua`, "
    .. "`metrics.jsonl`, `completions.jsonl`, `report.html`, `checkpoint/`; after a kill, `resume "
    .. "= true` continues from the last checkpoint and ends with the same bytes.",
  options = options.declared,
  returns = {{type = "table", text = "`steps`, `metrics` (of the last step), `history` (all logged "
    .. "records), `evaluation` (the last result of apo.evaluate), `dir`, `checkpoint` (the last "
    .. "checkpoint's folder), `best_checkpoint` (the best one's, with `keep.best`)"}},
  example = [[apo.train{
  policy = policy, reference = reference, data = train, values = values, reward = reward,
  target = function(s) return s.reward - s.value end,
  beta = 1e-3, lr = 3e-4, batch_size = 64, epochs = 4, max_tokens = 12,
  eval = {data = test, every = 20}, dir = "runs/arithmetic",
}]],
  call = function(given)
    replaying.redirect(given)
    local run = Run.new(given)
    if dry_run.is_on() then require "apo.train.dry_run"(run) end  -- ends the program
    local lock = journal.lock(given.dir, given.resume)
    stop.saving_if_stopped(run, lock, function()
      run:open(lock)
      train(run)
      run.console.bar:finish()
    end)
    return run:result()
  end,
}
