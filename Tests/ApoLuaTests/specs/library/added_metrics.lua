-- What a script adds to the record of apo.train, and how it ends a training: metrics of on_step and
-- of a loss, on_eval, patience.
local spec = ...
local apo = require "apo"
local equal, raises = spec.equal, spec.raises

local set_up = spec:training{rows = 24, prompt = "What is %d plus 2?"}
local train, data, folder, regression = set_up.train, set_up.data, set_up.folder, set_up.regression
local function records(dir, kind)
  local list = {}
  for record in apo.json.read_lines(dir .. "/metrics.jsonl") do
    if record.kind == kind then list[#list + 1] = record end
  end
  return list
end

-- A table that a loss returns as second value, and what on_step adds, are metrics like others.
local dir = folder()
train{
  dir = dir, mini_batch = 2,
  loss = function(b)
    return regression(b), {["own/rows"] = #b.rows, ["own/logp"] = b.logp:mean()}
  end,
  on_step = function(metrics, samples)
    metrics["own/samples"], metrics.note, metrics.even = #samples, "a text", metrics.step % 2 == 0
  end,
}
local steps = records(dir, "step")
equal({#steps, steps[1]["own/rows"], steps[6]["own/samples"], steps[2].note, steps[2].even},
  {6, 2, 4, "a text", true})
assert(steps[1]["own/logp"] < 0)
assert(spec.read(dir .. "/report.html"):find("own/samples", 1, true))

-- Names that are taken, and values that are no metrics.
raises("logs 'reward', which is a metric of apo.train", train,
  {loss = function(b) return regression(b), {reward = 1} end})
raises("log: 'x' must be a number, got table", train,
  {loss = function(b) return regression(b), {x = {}} end})
raises("on_step changed the metric 'reward'", train, {on_step = function(m) m.reward = 2 end})
raises("a metric added by on_step: 'x' must be a number, a string or a boolean, got function", train,
  {on_step = function(m) m.x = print end})

-- A run is saved as of the step whose on_step failed, with its record and without what was added.
dir = folder()
raises("judge offline", train, {dir = dir, on_step = function(m)
  m.added = 1
  if m.step == 3 then error "judge offline" end
end})
steps = records(dir, "step")
equal({#steps, steps[2].added, steps[3].added}, {3, 1, nil})
equal(train{dir = dir, resume = true, on_step = function(m) m.added = 1 end}.steps, 6)

-- on_eval gets the result and the run, and ends the training, once.
local function eval(fields)
  local of = {data = data:take(3), every = 1}
  for name, value in pairs(fields or {}) do of[name] = value end
  return of
end
local seen = {}
dir = folder()
local function ending(result, run)
  seen[#seen + 1] = {run.step, result.mean}
  if run.step == 2 then run:stop "good enough" end
end
equal(train{dir = dir, eval = eval(), on_eval = ending}.steps, 2)
equal({#seen, seen[3][1]}, {3, 2})
equal(records(dir, "eval")[3]["eval/reward"], seen[3][2])
equal(train{dir = dir, eval = eval(), on_eval = ending, resume = true}.steps, 2)
equal(#seen, 3, "a run that ended itself is over")
equal(train{eval = eval(), on_eval = function(_, run) return run.step < 1 end}.steps, 1)

-- Patience counts evaluations that are no better than the best one.
local values = {[0] = 1, 2, 2, 1.5, 3, 3, 3}
local now
local function reward() return values[now] end
local function patient(patience, keep)
  now = 0
  return train{
    eval = eval{patience = patience, reward = reward, weights = {}}, keep = keep,
    on_step = function(m) now = m.step end,
  }.steps
end
equal({patient(2), patient(3), patient(1)}, {3, 6, 2})
equal(patient(1, {best = "eval/reward", mode = "min"}), 1)
