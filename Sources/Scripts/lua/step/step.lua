-- A training step, as passed to an algorithm: the batch's rows, and methods to sample, score and
-- update. What an algorithm does through them is timed, logged and recorded.
--
-- This file has the first half: completions and their data. The second half, mini-batches and
-- updates, is in update.lua.

local apo = require "apo"
local documented, fail = require "apo.documented", require "apo.fail"
local targets, sampling = require "apo.step.targets", require "apo.data.sampling"

local Step = documented{
  class = "apo.Step", summary = "One training step, as passed to an algorithm.",
  details = "Fields: `step` (from 1), `rows` (the batch), `options` (of apo.train), `policy`, "
    .. "`reference` (or nil), `values` (the apo.Values, if any), `state` (what the algorithm's "
    .. "`start` returned), `samples` (data of each completion so far: `row`, "
    .. "`completion`, `reward`, `rewards`, `logp`, `length`, `prompt_length`, `finish_reason`, "
    .. "`stop_reason`, `step`, and what `note` added).",
}

-- Seconds of each phase. Time outside the methods counts as the algorithm's.
local function stopwatch()
  local seconds, last = {}, apo.system.clock()
  return function(phase)
    local now = apo.system.clock()
    seconds[phase] = (seconds[phase] or 0) + now - last
    last = now
    return seconds
  end
end

-- Adds the data of new completions to `samples`, and records their positions.
local function add_samples(self, rollout)
  local places, lengths = {}, rollout:lengths():totable()
  local prompt_lengths = rollout:lengths{prompt = true}:totable()
  for i = 1, #rollout do
    local completion = rollout[i]
    self.samples[#self.samples + 1] = {
      row = completion.row, completion = completion, step = self.step, logp = completion.logprob,
      length = math.tointeger(lengths[i]), prompt_length = math.tointeger(prompt_lengths[i]),
      finish_reason = completion.finish_reason, stop_reason = completion.stop_reason,
    }
    places[i] = #self.samples
  end
  self.places[rollout] = places
end

-- The samples of a rollout.
local function samples_of(self, rollout)
  local places, list = self.places[rollout], {}
  if not places then fail("the rollout is not from this step; see s:generate and s:select") end
  for i, place in ipairs(places) do list[i] = self.samples[place] end
  return list
end

Step.generate = documented{
  name = "apo.Step:generate", summary = "Samples completions of the batch's prompts.",
  details = "Uses apo.train's settings. A second call in the same step draws different samples.",
  options = {
    {name = "n", type = "integer", minimum = 1, default = 1, text = "completions per prompt"},
    {name = "rows", type = "list of tables", optional = true, text = "default: the whole batch"},
    {name = "model", type = "apo.Model", optional = true,
     text = "the sampler; default: the policy"},
  },
  returns = {{type = "apo.Rollout", text = "the completions, grouped by prompt"}},
  call = function(self, options)
    local o, model = self.options, options.model or self.policy
    self.lap "update_actor"
    local rollout = model:generate(options.rows or self.rows, sampling.for_generate(o, {
      n = options.n, step = self.step,
      seed = self.seed ~ self.calls * 0x9E3779B97F4A7C15,  -- other random numbers for each call
    }))
    self.calls = self.calls + 1
    self.is_off_policy = self.is_off_policy or not rawequal(model, self.policy)
    add_samples(self, rollout)
    table.insert(self.rollouts, rollout)
    self.lap "gen"
    return rollout
  end,
}

Step.score = documented{
  name = "apo.Step:score", summary = "Scores completions with apo.train's reward.",
  parameters = {{name = "rollout", type = "apo.Rollout", text = "of this step"}},
  returns = {{type = "apo.Tensor", text = "the rewards [B]"}},
  call = function(self, rollout)
    self.lap "update_actor"
    local o = self.options
    local reward, scored = apo.score(rollout, o.reward, {
      weights = o.weights, reward_timeout = o.reward_timeout, state = o.state,
      reward_memory = o.reward_memory,
    })
    for i, sample in ipairs(samples_of(self, rollout)) do
      sample.reward, sample.rewards = scored.rewards[i], scored.parts[i]
    end
    self.lap "reward"
    return reward
  end,
}

Step.reference_logprobs = documented{
  name = "apo.Step:reference_logprobs",
  summary = "Computes the log-probabilities of completions under the reference policy.",
  parameters = {{name = "rollout", type = "apo.Rollout", text = "of this step"}},
  options = {{name = "per_token", type = "boolean", default = false, text = "a value per token"}},
  returns = {{type = "apo.Tensor", text = "[B], or [tokens]; without gradients"}},
  call = function(self, rollout, options)
    self.lap "update_actor"
    if not self.reference then
      fail("there is no reference: the algorithm does not declare needs_reference = true")
    end
    local logp = self.reference:logprobs(rollout, {
      micro_batch = self.options.micro_batch, per_token = options.per_token,
    }):detach()
    self:note(rollout, "ref_logp", options.per_token and rollout:sum(logp) or logp)
    self.lap "ref"
    return logp
  end,
}

Step.optimal_values = documented{
  name = "apo.Step:optimal_values",
  summary = "Returns V*(x) of each completion's prompt, from apo.train's `values`.",
  details = "0 without `values`. Stored as `value`.",
  parameters = {{name = "rollout", type = "apo.Rollout", text = "of this step"}},
  returns = {{type = "apo.Tensor", text = "[B]"}},
  call = function(self, rollout)
    local rows = {}
    for i, sample in ipairs(samples_of(self, rollout)) do rows[i] = sample.row end
    local values = self.values and self.values:of(rows) or apo.zeros(#rows)
    self:note(rollout, "value", values)
    return values
  end,
}

Step.targets = documented{
  name = "apo.Step:targets", summary = "Calls a target function on each completion.",
  details = "It receives a copy of the completion's data, with apo.train's `state`, and must "
    .. "return a finite number within `reward_timeout` seconds. Stored as `target`.",
  parameters = {
    {name = "rollout", type = "apo.Rollout", text = "of this step"},
    {name = "target", type = "function", text = "as apo.train's option `target`"},
  },
  returns = {{type = "apo.Tensor", text = "the targets [B]"}},
  call = function(self, rollout, target)
    local o = self.options
    return targets(samples_of(self, rollout), target, o.reward_timeout, o.state)
  end,
}

Step.select = documented{
  name = "apo.Step:select", summary = "Selects completions of this step into a rollout.",
  details = "They may come from several calls of `generate`.",
  parameters = {
    {name = "rollouts", type = "apo.Rollout or list of apo.Rollouts", text = "the source rollouts"},
    {name = "positions", type = "list of integers",
     text = "positions, counted from 1 across all rollouts"},
  },
  returns = {{type = "apo.Rollout", text = "the completions, in that order"}},
  call = function(self, rollouts, positions)
    local samples, places, records = {}, {}, {}
    for _, rollout in ipairs(type(rollouts) == "table" and rollouts or {rollouts}) do
      samples_of(self, rollout)  -- is of this step
      table.move(self.places[rollout], 1, #rollout, #samples + 1, samples)
    end
    for i, position in ipairs(positions) do
      places[i] = samples[position]
      if not places[i] then
        fail(("select: there is no completion %d, there are %d"):format(position, #samples))
      end
      records[i] = self.samples[places[i]].completion
    end
    local chosen = apo.rollout(records)
    self.places[chosen] = places
    return chosen
  end,
}

Step.note = documented{
  name = "apo.Step:note", summary = "Stores a number for each completion.",
  details = "Stores it in `samples` under its name, for `on_step`. `advantage` and `ref_logp` "
    .. "are also logged and recorded.",
  parameters = {
    {name = "rollout", type = "apo.Rollout", text = "of this step"},
    {name = "name", type = "string", text = "what it is"},
    {name = "values", type = "apo.Tensor", text = "[B]"},
  },
  call = function(self, rollout, name, values)
    local list = values:detach():totable()
    for i, sample in ipairs(samples_of(self, rollout)) do sample[name] = list[i] end
  end,
}

Step.samples_of = documented{
  name = "apo.Step:samples_of", summary = "Returns the data of a rollout's completions.",
  parameters = {{name = "rollout", type = "apo.Rollout", text = "of this step"}},
  returns = {{type = "table", text = "their entries of `samples`"}},
  call = samples_of,
}

Step.time = documented{
  name = "apo.Step:time", summary = "Charges the elapsed time to a named phase.",
  details = "Logged as `timing_s/NAME`. Time not charged to a phase counts as `update_actor`.",
  parameters = {{name = "name", type = "string", text = "the phase that ends here"}},
  call = function(self, name) self.lap(name) end,
}

-- A step of a run: see train/run.lua for what a run has.
function Step.new(run, step, rows)
  return setmetatable({
    step = step, rows = rows, seed = run.seed, options = run.options,
    policy = run.policy, reference = run.reference, values = run.values,
    state = run.algorithm_state,
    run = run, lap = stopwatch(), calls = 0, rollouts = {}, samples = {}, updates = {},
    figures = {}, differences = {}, count = 0, update_count = 0,
    places = setmetatable({}, {__mode = "k"}),
  }, Step)
end

return Step
