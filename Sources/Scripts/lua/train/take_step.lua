-- One training step: the algorithm's step, and its logging. Read the algorithm's page first, such
-- as algorithms/astarpo.lua.

local fail, hook = require "apo.fail", require "apo.script.hook"
local Step, options = require "apo.step.step", require "apo.train.algorithm".options
require "apo.step.update"

-- Reference log-probabilities for the log, if the algorithm does not need a reference.
local function complete(s)
  for _, rollout in ipairs(s.rollouts) do
    s:reference_logprobs(rollout)
  end
end

local function check(run, s)
  local scored, drawn = 0, #s.samples
  for _, sample in ipairs(s.samples) do scored = scored + (sample.reward and 1 or 0) end
  if drawn > 0 and scored == drawn then return end
  fail(("the algorithm '%s' %s in step %d: s:%s is missing"):format(run.algorithm.name,
    drawn == 0 and "drew no completions"
      or scored == 0 and "scored no completions"
      or ("scored %d of %d completions"):format(scored, drawn), s.step,
    drawn == 0 and "generate" or "score"))
end

-- Trains on one batch of rows. Returns the step, with its log data.
return function(run, step, rows)
  local s = Step.new(run, step, rows)
  hook.call("algorithm", run.algorithm.step, s, options(run.algorithm, run.options))
  check(run, s)
  if s.reference and not run.algorithm.needs_reference then complete(s) end
  s.seconds = s.lap "update_actor"
  return s
end
