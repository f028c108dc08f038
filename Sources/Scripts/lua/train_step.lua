-- One step of training: the algorithm's, and what is logged of it. The page to read first is the
-- algorithm's own: algorithms/astarpo.lua, or another beside it.

local Step = require "apo.step"
require "apo.step_update"

-- The reference's log-probabilities where the algorithm did without them, for the log.
local function complete(s)
  for _, rollout in ipairs(s.rollouts) do
    for _, sample in ipairs(s:samples_of(rollout)) do
      if not sample.ref_logp then return s:reference_logprobs(rollout) end
    end
  end
end

-- Trains on one batch of rows. Gives what there is to log.
return function(run, step, rows)
  local s = Step.new(run, step, rows)
  run.algorithm.step(s, run.algorithm.options)
  if s.reference then complete(s) end
  return {
    samples = s.samples, updates = s.updates, figures = s.figures, differences = s.differences,
    seconds = s.lap "update_actor",
  }
end
