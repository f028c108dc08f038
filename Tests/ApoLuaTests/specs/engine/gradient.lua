-- Gradients as scripts see them: the graph, no_grad, changes in place, memory.

local apo, check = require "apo", require "check"
local test, eq, close, raises = check.test, check.eq, check.close, check.raises

test("backward adds to grad", function()
  local x = apo.tensor{1, 2, 3}:requires_grad_()
  eq(x.grad, nil)
  assert(x.requires_grad);
  (x ^ 2):sum():backward()
  eq(x.grad, {2, 4, 6});
  (x * 3):sum():backward()
  eq(x.grad, {5, 7, 9})
  x.grad = nil
  eq(x.grad, nil)
  x:backward(apo.ones(3))
  eq(x.grad, {1, 1, 1})
end)

test("parts are differentiable", function()
  local x = apo.tensor{{1, 2}, {3, 4}}:requires_grad_()
  local y = x[2][1] * 10 + x[-1][2] + x:gather(2, apo.tensor{{1}, {1}})[1][1]
  y:backward()
  eq(x.grad, {{1, 0}, {10, 1}})
end)

test("every operation of one argument agrees with differences", function()
  local start = {0.3, 1.2, 2.5, 0.7}
  local function sum(values, name, ...)
    local f = values[name](values, ...)
    return (f * apo.arange(1, f:numel() + 1):reshape(f:shape())):sum()
  end
  local cases = {
    {"exp"}, {"log"}, {"sqrt"}, {"tanh"}, {"sigmoid"}, {"relu"}, {"abs"}, {"clamp", 0.5, 2},
    {"sum"}, {"mean", 1}, {"max"}, {"min"}, {"logsumexp"}, {"softmax", 1}, {"log_softmax"},
    {"var"}, {"std"}, {"cumsum", 1}, {"pow", 3}, {"minimum", 1}, {"maximum", 1},
    {"reshape", 2, 2}, {"narrow", 1, 2, 2}, {"unsqueeze", 1}, {"clone"},
  }
  for _, case in ipairs(cases) do
    local x = apo.tensor(start):requires_grad_()
    sum(x, table.unpack(case)):backward()
    local got, h = x.grad:totable(), 1 / 256
    for i = 1, #start do
      local function at(value)
        local moved = {table.unpack(start)}
        moved[i] = value
        return sum(apo.tensor(moved), table.unpack(case)):item()
      end
      local expected = (at(start[i] + h) - at(start[i] - h)) / (2 * h)
      if math.abs(got[i] - expected) > 5e-3 * math.max(1, math.abs(expected)) then
        error(("%s: d/dx[%d] is %g, expected %g"):format(case[1], i, got[i], expected))
      end
    end
  end
end)

test("a graph is used once, or as often as it is retained", function()
  local x = apo.tensor{2}:requires_grad_()
  local y = (x ^ 3):sum()
  y:backward{retain_graph = true}
  y:backward()
  eq(x.grad, {24})
  raises("was freed by an earlier or interrupted backward(); pass retain_graph = true to the "
    .. "first one to use it twice", y.backward, y)
  local z = x ^ 2
  z:backward(apo.ones(1), {retain_graph = true})
  z:backward(apo.ones(1))
  eq(x.grad, {32})
  raises("backward: a tensor with one element expected, got shape [2]", function()
    (apo.ones(2):requires_grad_() * 2):backward()
  end)
  raises("backward: the tensor does not depend on anything that requires a gradient", function()
    apo.ones(1):backward()
  end)
  raises("backward: gradient of shape [2] for a tensor of shape [1]", function()
    (x * 2):backward(apo.ones(2))
  end)
  raises("backward: unknown option 'retain'; known options: retain_graph", function() (x * 2):backward{retain = 1} end)
  raises("bad argument #1 to 'backward'", function() (x * 2):backward(3) end)
end)

test("no_grad records nothing, passes values and errors", function()
  local x = apo.ones(2):requires_grad_()
  local a, b, c = apo.no_grad(function(...) return x * 2, nil, ... end, 5)
  assert(not a.requires_grad and b == nil and c == 5)
  assert((x * 2).requires_grad)
  local mark = {}
  local ok, e = pcall(apo.no_grad, function() error(mark) end)
  assert(not ok and e == mark)
  assert((x * 2).requires_grad, "recording goes on after an error")
  raises("boom", apo.no_grad, function() error("boom") end)
  raises("bad argument #1 to 'no_grad' (function expected, got no value)", apo.no_grad)
  eq(select("#", apo.no_grad(function() end)), 0)
end)

test("detach, clone, requires_grad_", function()
  local x = apo.ones(2):requires_grad_()
  assert(not (x * 2):detach().requires_grad)
  assert(x:clone().requires_grad)
  assert(not x:requires_grad_(false).requires_grad)
  x.requires_grad = true
  raises("only leaves", function() (x * 2):requires_grad_(false) end)
  raises("bad argument #1 to 'requires_grad_'", function() x:requires_grad_(1) end)
  raises("must be a boolean", function() x.requires_grad = 1 end)
  raises("grad: nil or a tensor of shape [2] expected", function() x.grad = 3 end)
  raises("grad: nil or a tensor of shape [2] expected", function() x.grad = apo.ones(3) end)
  x.grad = apo.ones(2)
  eq(x.grad, {1, 1})
end)

test("changes in place are for what no graph needs", function()
  local t = apo.zeros(2, 2)
  eq(t:fill_(3), {{3, 3}, {3, 3}})
  t[1]:fill_(0)
  eq(t, {{0, 0}, {3, 3}})
  t:copy_(apo.tensor{1, 2})
  eq(t, {{1, 2}, {1, 2}})
  t:add_(10):add_(apo.tensor{1, 1}, -1)
  eq(t, {{10, 11}, {10, 11}})
  t:mul_(2)
  eq(t, {{20, 22}, {20, 22}})
  raises("copy_: shape [3] does not broadcast to [2, 2]", t.copy_, t, apo.ones(3))
  raises("add_: shape [3] does not broadcast to [2, 2]", t.add_, t, apo.ones(3))
  local x = apo.ones(2):requires_grad_()
  raises("fill_: the tensor requires a gradient; change it inside apo.no_grad", x.fill_, x, 1)
  apo.no_grad(function() x:add_(1) end)
  eq(x, {2, 2})
  local y = x * 2
  raises("fill_: the tensor is part of a graph", y.fill_, y, 0)
  local z = (x ^ 2):sum()
  apo.no_grad(function() x:fill_(0) end)
  raises("was changed in place after it was used", z.backward, z)
end)

test("a loop of dropped tensors and graphs stays flat", function()
  collectgarbage()
  local before, peak = storage_bytes(), 0
  local x = apo.ones(512, 512):requires_grad_()
  for _ = 1, 400 do  -- a megabyte a tensor, about two gigabytes in all
    local loss = (x * 2 + 1):exp():mean()
    loss:backward()
    x.grad = nil
    peak = math.max(peak, storage_bytes())
  end
  assert(peak < 1 << 30, peak)
  x = nil
  collectgarbage()
  eq(storage_bytes(), before)
end)

test("a graph of a model that nobody walks is freed with its tensors", function()
  local model = apo.new_model{
    model_type = "llama", hidden_size = 64, num_hidden_layers = 2, num_attention_heads = 2,
    intermediate_size = 64, vocab_size = 8, seed = 1,
  }
  local rollout = apo.rollout{{prompt_ids = {1, 2, 3, 4}, ids = {2, 3, 4, 5}}}
  model:logprobs(rollout)  -- packs the weights
  model:logits{1, 2, 3, 4}
  collectgarbage()
  local before = storage_bytes()
  for _, options in ipairs{{}, {entropy = true}, {micro_batch = 1}} do
    model:logprobs(rollout, options)
    model:logits{1, 2, 3, 4}
    collectgarbage()
    eq(storage_bytes(), before)
  end
end)

test("weights changed before a recomputing backward are noticed", function()
  local model = apo.new_model{
    model_type = "llama", hidden_size = 8, num_hidden_layers = 1, num_attention_heads = 2,
    intermediate_size = 8, vocab_size = 8, seed = 1,
  }
  local rollout = apo.rollout{{prompt_ids = {1}, ids = {2}}, {prompt_ids = {3}, ids = {4}}}
  local loss = model:logprobs(rollout, {micro_batch = 1}):sum()
  apo.no_grad(function() model:parameters()[1]:mul_(2) end)
  raises("weights of the model were changed in place after 'logprobs'", loss.backward, loss)
end)

test("free and <close> give memory back at once", function()
  collectgarbage()
  local before = storage_bytes()
  local t = apo.zeros(1000)
  eq(storage_bytes(), before + 4000)
  t:free()
  eq(storage_bytes(), before)
  do local inner <close> = apo.zeros(1000) end  -- luacheck: ignore
  eq(storage_bytes(), before)
end)
