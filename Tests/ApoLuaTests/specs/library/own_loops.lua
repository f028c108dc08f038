-- apo.run: loops of a script's own are recorded, stopped and resumed as apo.train is.
local spec = ...
local apo = require "apo"
local equal, raises, system = spec.equal, spec.raises, apo.system

local count = 0
local function folder()
  count = count + 1
  return ("%s/run-%d"):format(spec.folder, count)
end
local function read_metrics(dir)
  local list = {}
  for record in apo.json.read_lines(dir .. "/metrics.jsonl") do
    record.seconds = nil
    list[#list + 1] = record
  end
  return list
end
local function events(dir)
  local list = {}
  if not system.size(dir .. "/events.jsonl") then return list end
  for event in apo.json.read_lines(dir .. "/events.jsonl") do list[#list + 1] = event end
  return list
end
local function checkpoints(dir) return system.list(dir .. "/checkpoint") end

local rows = {}
for i = 1, 10 do rows[i] = {prompt = tostring(i), x = i} end
rows = apo.dataset(rows)

-- A loop with everything that a resume must restore: weights, moments, state, order of rows, random
-- numbers. `at` is called in each step, before and after the update.
local function loop(o, at)
  local model = apo.new_model{
    model_type = "llama", hidden_size = 8, num_hidden_layers = 1, num_attention_heads = 2,
    num_key_value_heads = 2, intermediate_size = 16, max_position_embeddings = 32, seed = 5,
    tie_word_embeddings = true, rms_norm_eps = 1e-5, tokenizer = apo.char_tokenizer{alphabet = "0123456789"},
  }
  local optimizer = apo.optim.adamw(model, {lr = 1e-2})
  local options = {data = rows, batch_size = 3, epochs = 2, save = {model, optimizer}, seed = 3, quiet = true,
                   settings = {lr = 1e-2}, state = {sum = 0}}
  for name, value in pairs(o) do options[name] = value end
  local run = apo.run(options)
  for step, batch in run:steps() do
    if at then at(step, "before", run) end
    local records, noise = {}, apo.randn(1):item() + math.random()
    for i, row in ipairs(batch) do records[i] = {prompt = row.prompt, text = "7"} end
    local loss = -model:logprobs(apo.rollout(records)):mean()
    loss:backward()
    optimizer:step()
    run.state.sum = run.state.sum + noise
    run:log{loss = loss, noise = noise, first = batch[1].x, sum = run.state.sum}
    if step % 2 == 0 then run:log_eval{loss = loss, half = step / 2} end
    if at then at(step, "after", run) end
  end
  return run
end
local function same_end(a, b, last)
  equal(read_metrics(a), read_metrics(b))
  for _, name in ipairs{"policy/model.safetensors", "optimizer.safetensors"} do
    local path = ("/checkpoint/step-%d/%s"):format(last, name)
    assert(spec.read(a .. path) == spec.read(b .. path), name)
  end
end

local whole = folder()
local run = loop{dir = whole}
equal({run.step, run.total, #run.history, run.metrics.step}, {8, 8, 12, 8})
equal({run.history[2].kind, run.history[3].kind, run.history[3]["eval/half"]}, {"step", "eval", 1})
equal({checkpoints(whole), system.exists(whole .. "/report.html")}, {{"step-8"}, "file"})
local function is_done(dir)
  local lock = system.lock(dir .. "/.lock")
  if lock then lock:free() end
  return lock ~= nil
end
assert(is_done(whole))

-- An error before the update of step 5 saves step 4; after it, the last checkpoint is what there is.
for _, case in ipairs{{"before", 4, nil}, {"after", 3, 3}, {"after", 2, 2}} do
  local dir = folder()
  raises("judge offline", loop, {dir = dir, save_every = case[3]}, function(step, place)
    if step == 5 and place == case[1] then error("judge offline") end
  end)
  equal({checkpoints(dir)[#checkpoints(dir)], is_done(dir)}, {"step-" .. (case[3] == 2 and 4 or case[2]), true})
  local last = events(dir)[#events(dir)]
  equal({last.event, last.kind, last.text:match "judge offline"}, {"stopped", "error", "judge offline"})
  loop{dir = dir, resume = true}
  same_end(whole, dir, 8)
end

-- `break` ends a run after its step, as run:stop does; it is then complete, until more is asked for.
for _, way in ipairs{"break", "stop"} do
  local dir, seen = folder(), {}
  local function begin(o)
    o.dir, o.quiet = dir, true
    local of = apo.run(o)
    for step in of:steps() do
      seen[#seen + 1] = step
      of:log{x = step}
      if step == 3 and way == "break" then break end
      if step == 3 then of:stop "enough" end
    end
    return of
  end
  equal(begin{total = 6}.step, 3)
  equal({events(dir)[1].event, events(dir)[1].step}, {"ended", 3})
  equal({begin{total = 6, resume = true}.step, seen}, {3, {1, 2, 3}})
  equal({begin{total = 7, resume = true}.step, seen}, {7, {1, 2, 3, 4, 5, 6, 7}})
  equal(#read_metrics(dir), 7)
end

-- The last step of a run that ends itself is logged whatever `log_every` is.
do
  local dir = folder()
  local short = apo.run{dir = dir, total = 20, log_every = 10, quiet = true}
  for step in short:steps() do
    short:log{x = step}
    if step == 13 then break end
  end
  equal({short.metrics.x, #read_metrics(dir), require "apo.runs.folder".summary(dir).state}, {13, 2, "done"})
  -- An event of a later session does not make it go on.
  spec.write(dir .. "/events.jsonl", spec.read(dir .. "/events.jsonl"))
  equal(apo.run{dir = dir, total = 20, log_every = 10, quiet = true, resume = true}.total, 13)
end

-- Weights that no saved optimizer updates may have changed in the step that fails: it is not saved.
do
  local dir = folder()
  raises("judge offline", function()
    local model = apo.new_model{
      model_type = "llama", hidden_size = 8, num_hidden_layers = 1, num_attention_heads = 2,
      num_key_value_heads = 2, intermediate_size = 16, max_position_embeddings = 32, seed = 5,
      tie_word_embeddings = true, rms_norm_eps = 1e-5, tokenizer = apo.char_tokenizer{alphabet = "01"},
    }
    local of = apo.run{dir = dir, total = 9, save = {model}, save_every = 2, quiet = true}
    for step in of:steps() do
      for _, weights in ipairs(model:parameters()) do apo.no_grad(function() weights:fill_(step) end) end
      if step == 4 then error "judge offline" end
    end
  end)
  equal(checkpoints(dir), {"step-2"})
end

-- A limit of time around a loop ends the run: its last whole step is saved and the folder free.
do
  local dir = folder()
  local in_time = system.time_limit(0.5, function()
    local limited = apo.run{dir = dir, total = 5, quiet = true}
    for step in limited:steps() do
      limited:log{x = step}
      while step == 3 do end
    end
  end)
  equal({in_time, checkpoints(dir), is_done(dir)}, {false, {"step-2"}, true})
  equal(events(dir)[1].kind, "time")
end

-- Without a folder nothing is written; the best checkpoint is that of any metric.
equal(loop{}.step, 8)
do
  local dir = folder()
  local best = loop({dir = dir, keep = {best = "eval/half", mode = "min"}, save_every = 1})
  equal({best:best_checkpoint(), checkpoints(dir)}, {dir .. "/checkpoint/step-2", {"step-2", "step-7", "step-8"}})
  raises("no metric is named 'accuracy'; there are", loop, {dir = folder(), keep = {best = "accuracy"}})
end

-- What cannot be.
raises("option 'total' or 'data' is needed", apo.run, {})
raises("'dir', the folder of the run", apo.run, {total = 1, resume = true})
raises("3 rows do not fill a batch of 4", apo.run, {data = rows:take(3), batch_size = 4, drop_last = true})
raises("'a' must be a model or an optimizer, got number", apo.run, {total = 1, save = {a = 1}})
do
  local function model(seed)
    return apo.new_model{
      model_type = "llama", hidden_size = 8, num_hidden_layers = 1, num_attention_heads = 2,
      num_key_value_heads = 2, intermediate_size = 16, max_position_embeddings = 32, seed = seed,
      tie_word_embeddings = true, rms_norm_eps = 1e-5, tokenizer = apo.char_tokenizer{alphabet = "01"},
    }
  end
  local saved, other = model(1), model(2)
  for _, save in ipairs{{apo.optim.adamw(saved, {lr = 1})}, {saved, apo.optim.adamw(other, {lr = 1})}} do
    raises("an optimizer without the model that it updates", apo.run, {total = 1, save = save})
  end
end
raises("'a b' must be a name of letters", apo.run, {total = 1, save = {["a b"] = 1}})
raises("'state' must be a name of letters, digits and _, other than state", apo.run, {total = 1, save = {state = 1}})
raises("the name 'seed' is that of an option of apo.run", apo.run, {total = 1, settings = {seed = 1}})
raises("run.state.f", apo.run, {total = 1, state = {f = print}})
raises("already holds a run", apo.run, {total = 1, dir = whole})
raises("lr was 0.01, now 0.1", loop, {dir = whole, resume = true, settings = {lr = 0.1}})
raises("the rows of data are others", loop, {dir = whole, resume = true, data = rows:take(9)})
equal(loop{dir = whole, resume = "force", settings = {lr = 0.1}}.step, 8)

local open = apo.run{total = 2, quiet = true}
raises("log: only within a step", open.log, open, {x = 1})
for _ in open:steps() do
  raises("log: 'x' must be a number, a string or a boolean, got table", open.log, open, {x = {}})
  raises("'x' must be a number, got a tensor of shape [2]", open.log, open, {x = apo.zeros(2)})
  raises("the name of a metric must be a string, got number", open.log, open, {1})
  raises("the steps of a run can be taken once", open.steps, open)
  open:log{x = apo.ones(1), text = "\27[31m", yes = true, nan = 0 / 0}
end
equal({open.metrics.x, open.metrics.yes}, {1, true})
do  -- a metric that is not a number is null in the file
  local dir = folder()
  local odd = apo.run{total = 1, dir = dir, quiet = true}
  for _ in odd:steps() do odd:log{nan = 0 / 0, inf = math.huge, text = "\xff"} end
  assert(spec.read(dir .. "/metrics.jsonl"):find('"inf":null,"nan":null,', 1, true))
end
raises("log_eval: only within a step", open.log_eval, open, {x = 1})
do
  local taken = apo.run{total = 1, quiet = true}
  for _ in taken:steps() do raises("the run itself records 'step'", taken.log, taken, {step = 7}) end
end
