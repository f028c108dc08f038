-- Optimisers, schedules and losses as scripts see them.

local apo, check = require "apo", require "check"
local test, eq, close, raises = check.test, check.eq, check.close, check.raises

test("a step of AdamW by hand", function()
  local w = apo.tensor{1, -2}:requires_grad_()
  local optimizer = apo.optim.adamw({w}, {lr = 0.1, weight_decay = 0.1})
  eq(optimizer.steps, 0);
  (w * apo.tensor{3, 4}):sum():backward()
  local norm, change = optimizer:step()
  close(norm, 5)
  -- After one step m / sqrt(v) is the sign of the gradient.
  close(w, {1 - 0.01 - 0.1, -2 + 0.02 - 0.1})
  close(change, math.sqrt(0.11 ^ 2 + 0.08 ^ 2))
  eq(w.grad, nil)
  eq(optimizer.steps, 1)
  raises("adamw: no parameter has a gradient; call loss:backward() first", optimizer.step, optimizer);
  (w * 1):sum():backward()
  optimizer:zero_grad()
  eq(w.grad, nil)
end)

test("clipping gives the norm before it", function()
  local w = apo.tensor{0, 0}:requires_grad_()
  local optimizer = apo.optim.adamw({w}, {lr = 1, betas = {0, 0.999}, weight_decay = 0});
  (w * apo.tensor{30, 40}):sum():backward()
  close((optimizer:step{max_grad_norm = 1}), 50)
end)

test("lr can be assigned", function()
  local w = apo.ones(1):requires_grad_()
  local optimizer = apo.optim.adamw{w}
  eq(optimizer.lr, 1e-3)
  optimizer.lr = 0.5
  eq(optimizer.lr, 0.5)
  raises("lr: a finite number >= 0 expected, got -1", function() optimizer.lr = -1 end)
  raises("lr: a finite number >= 0 expected", function() optimizer.lr = 0 / 0 end)
  raises("must be a number, got string", function() optimizer.lr = "x" end)
  raises("field 'steps' cannot be set", function() optimizer.steps = 1 end)
end)

test("state is saved and loaded exactly", function()
  local function train(w, optimizer, steps)
    for i = 1, steps do
      ((w - apo.tensor{i, -i, 2}) ^ 2):sum():backward()
      optimizer:step()
    end
  end
  local a = apo.zeros(3):requires_grad_()
  local first = apo.optim.adamw({a}, {lr = 0.1})
  train(a, first, 3)
  local path = temporary .. "/optimizer.safetensors"
  first:save(path)
  local b = apo.tensor(a):requires_grad_()
  local second = apo.optim.adamw({b}, {lr = 0.1})
  second:load(path)
  eq(second.steps, 3)
  train(a, first, 3)
  train(b, second, 3)
  eq(a, b)
  local other = apo.optim.adamw{apo.zeros(4):requires_grad_()}
  raises("optimizer.safetensors: adamw: state of '1' has shape [3], the parameter [4]",
    other.load, other, path)
  local file = assert(io.open(path, "wb"))
  file:write("nonsense")
  file:close()
  raises("optimizer.safetensors: ", second.load, second, path)
  raises("no/such: cannot be opened", second.load, second, "no/such")
  eq(second.steps, 6)
end)

test("faults of options", function()
  local w = apo.ones(1):requires_grad_()
  local function fails(text, options) raises(text, apo.optim.adamw, {w}, options) end
  fails("adamw: lr: a finite number >= 0 expected, got -1", {lr = -1})
  fails("adamw: lr: a finite number", {lr = math.huge})
  fails("adamw: betas: two numbers in [0, 1) expected, got 1", {betas = {0.9, 1}})
  fails("adamw: option 'betas' must be a list of two numbers, got 1", {betas = {0.9}})
  fails("adamw: option 'betas' must be a list of numbers, got number", {betas = 0.9})
  fails("adamw: unknown option 'weight_deacy'; did you mean 'weight_decay'?", {weight_deacy = 1})
  raises("adamw: no parameters were given", apo.optim.adamw, {})
  raises("adamw: parameter '2' is given twice", apo.optim.adamw, {w, w})
  raises("bad argument #1 to 'adamw' (apo.Model or list of apo.Tensor expected", apo.optim.adamw, 5)
  raises("is the result of an operation and not a parameter", apo.optim.adamw, {w * 2})
  local optimizer = apo.optim.adamw{w}
  ;(w * (0 / 0)):sum():backward()
  raises("adamw: the gradient of '1' is not finite", function() optimizer:step() end)
  eq(w, {1})
  local text = "max_grad_norm: a number above 0 expected (math.huge for no clipping), got "
  raises(text .. "0", function() optimizer:step{max_grad_norm = 0} end)
  raises(text .. "-2.5", function() optimizer:step{max_grad_norm = -2.5} end)
  raises(text, function() optimizer:step{max_grad_norm = 0 / 0} end)
end)

test("a frozen model says so", function()
  local model = apo.new_model{
    model_type = "llama", hidden_size = 8, num_hidden_layers = 1, num_attention_heads = 2,
    intermediate_size = 8, vocab_size = 5}
  local optimizer = apo.optim.adamw(model:freeze())
  raises("none requires one (is the model frozen?)", optimizer.step, optimizer)
end)

test("schedules", function()
  local rate = apo.schedule.cosine{lr = 2, warmup_steps = 10, total_steps = 110, min_ratio = 0.1}
  eq(rate(0), 0.0)
  eq(rate(5), 1.0)
  eq(rate(10), 2.0)
  close(rate(60), 1.1)
  close(rate(110), 0.2)
  close(rate(math.maxinteger), 0.2)
  eq(rate(math.mininteger), 0.0)
  close(apo.schedule.linear{total_steps = 100}(25), 0.75)
  eq(apo.schedule.constant()(5), 1.0)
  eq(apo.schedule.constant{lr = 3, warmup_steps = 2}(1), 1.5)
  raises("cosine: option 'total_steps' is missing (an integer of at least 1)", apo.schedule.cosine, {})
  raises("total_steps: more than warmup_steps (5) expected, got 5", apo.schedule.linear,
    {warmup_steps = 5, total_steps = 5})
  raises("lr", apo.schedule.constant, {lr = math.huge})
  raises("lr", apo.schedule.constant, {lr = 0 / 0})
  raises("bad argument", function() rate("x") end)
  raises("bad argument", function() rate() end)
end)

test("optimal values", function()
  close(apo.optimal_value({1, 0, 0, 0}, 0.5), 0.5 * math.log((math.exp(2) + 3) / 4), 1e-12)
  close(apo.optimal_value(apo.tensor{1, 0}, 1e-300), 1)
  eq(apo.optimal_value({1, 0}, 0), 1.0)
  eq(apo.optimal_value({1, 0}, math.huge), 0.5)
  eq(apo.optimal_value({1, 0, 0, 0}, 1, "mean"), 0.25)
  eq(apo.optimal_value({1, 0}, 1, "max"), 1.0)
  eq(apo.optimal_value({1, 0}, 1, "zero"), 0.0)
  raises("rewards: at least one number expected", apo.optimal_value, {}, 1)
  raises("rewards: finite numbers expected, number 2 is", apo.optimal_value, {1, 0 / 0}, 1)
  raises("bad argument #2 to 'optimal_value'", apo.optimal_value, {1}, -1)
  raises("bad argument #2 to 'optimal_value'", apo.optimal_value, {1}, 0 / 0)
  raises("one of 'optimal', 'mean', 'max', 'zero' expected", apo.optimal_value, {1}, 1, "median")
end)

-- The compiled loss against its formula in tensors: value and gradients have the same bits.
test("the compiled loss is the one in Lua", function()
  for _, count in ipairs{1, 2, 17, 64, 300} do
    local function random(scale) return (apo.randn(count) * scale):requires_grad_() end
    local inputs = {logp = random(30), ref_logp = random(30), target = random(1), beta = 0.0137}
    local function run(loss)
      loss:backward()
      local result = {loss:item()}
      for _, name in ipairs{"logp", "ref_logp", "target"} do
        result[name], inputs[name].grad = inputs[name].grad:totable(), nil
      end
      return result
    end
    local compiled = run(apo.loss.astarpo(inputs))
    local twin = run(((0.0137 * (inputs.logp - inputs.ref_logp) - inputs.target) ^ 2):mean())
    eq(compiled, twin)
    local fit = apo.loss.fit(inputs)
    close(fit.residual_rms ^ 2, compiled[1])
    close(fit.advantage, inputs.target:mean():item(), 1e-6)
  end
  local inputs = {logp = apo.ones(2), ref_logp = apo.ones(2), target = apo.ones(3), beta = 1}
  raises("astarpo: logp, ref_logp and target of one shape [B] expected, got target [3]",
    apo.loss.astarpo, inputs)
  raises("fit: 3 values for 2 samples", apo.loss.fit, inputs)
  inputs.target = nil
  raises("astarpo: option 'target' is missing (an apo.Tensor)", apo.loss.astarpo, inputs)
  inputs.target, inputs.beta = apo.ones(2), math.huge
  raises("astarpo: beta: a finite number expected, got inf", apo.loss.astarpo, inputs)
end)

test("a training loop keeps memory flat", function()
  local model = apo.new_model{
    model_type = "llama", hidden_size = 32, num_hidden_layers = 2, num_attention_heads = 4,
    intermediate_size = 64, tokenizer = apo.char_tokenizer{alphabet = "0123456789+="}, seed = 1}
  local optimizer = apo.optim.adamw(model, {lr = 1e-3})
  local function step()
    local rollout = model:generate({"1+1=", "2+3="}, {n = 4, max_tokens = 6})
    local loss = (model:logprobs(rollout) ^ 2):mean()
    loss:backward()
    optimizer:step{max_grad_norm = 1}
  end
  for _ = 1, 3 do step() end
  collectgarbage()
  local before = storage_bytes()
  for _ = 1, 20 do step() end
  collectgarbage()
  eq(storage_bytes(), before)
end)

test("steps are taken back to the bit", function()
  local function step(w, optimizer, i)
    ((w - apo.tensor{i, -i, 0.3}) ^ 2):sum():backward()
    optimizer:step()
  end
  local function values(w) return w:detach():totable() end
  for first = 0, 2 do
    local w, same = apo.zeros(3):requires_grad_(), apo.zeros(3):requires_grad_()
    local optimizer, other = apo.optim.adamw({w}, {lr = 0.1}), apo.optim.adamw({same}, {lr = 0.1})
    eq(optimizer:rollback(), false)
    for i = 1, first do
      step(w, optimizer, i)
      step(same, other, i)
    end
    optimizer:snapshot()
    for i = 5, 7 do step(w, optimizer, i) end
    optimizer:snapshot(false)
    eq(optimizer:rollback(), false)
    w, optimizer = same:detach():clone():requires_grad_(), nil
    optimizer = apo.optim.adamw({w}, {lr = 0.1})
    local path = temporary .. "/taken_back.safetensors"
    other:save(path)
    optimizer:load(path)
    for _ = 1, 2 do  -- the copy's storage is used again
      optimizer:snapshot()
      optimizer:snapshot()
      local packed = (w * 2):totable()
      for i = 5, 7 do step(w, optimizer, i) end
      eq(optimizer:rollback(), true)
      eq(optimizer:rollback(), false)
      eq({values(w), optimizer.steps, (w * 2):totable()}, {values(same), first, packed})
    end
    for i = 8, 9 do
      step(w, optimizer, i)
      step(same, other, i)
    end
    eq({values(w), optimizer.steps}, {values(same), first + 2})
  end
end)

test("packed weights follow what is taken back, and a copy counts in the estimate", function()
  local model = apo.new_model{
    model_type = "llama", hidden_size = 32, num_hidden_layers = 2, num_attention_heads = 4,
    intermediate_size = 64, tokenizer = apo.char_tokenizer{alphabet = "0123456789+="}, seed = 1}
  local optimizer = apo.optim.adamw(model, {lr = 0.1})
  local before, sum = model:logits{1, 2, 3}:totable(), model:checksum()
  optimizer:snapshot()
  model:logits{1, 2, 3}:sum():backward()
  optimizer:step()
  assert(model:checksum() ~= sum)
  model:logits{1, 2, 3}
  optimizer:rollback()
  eq({model:logits{1, 2, 3}:totable(), model:checksum()}, {before, sum})
  local plain = apo.memory_estimate{policy = model}
  local copied, text = apo.memory_estimate{policy = model, snapshot = true}
  eq(copied.total - plain.total, 12 * model:num_parameters())
  eq({copied.snapshot, plain.snapshot}, {12 * model:num_parameters(), 0})
  assert(text:find("copy for steps that end half way", 1, true), text)
end)
