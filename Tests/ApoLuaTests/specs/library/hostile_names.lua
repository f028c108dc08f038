-- Names from data and models in pages and drawings: nothing of them is markup, and the XML is sound.

local spec = ...
local apo = require "apo"
local equal, raises = spec.equal, spec.raises

local bad = "</text><script>alert(1)</script>\" onload=\"x\27[2J\xff\0&amp;\u{202E}\u{9B}"
local series = {{name = bad, x = {1, 2}, y = {1, 2}}}
for _, format in ipairs{"html", "svg", "HTML"} do
  local path = spec.folder .. "/plot." .. format
  apo.plot{path = path, title = bad, subtitle = bad, x_label = bad, y_label = bad, series = series}
  local text = spec.read(path)
  assert(not text:find("<script", 1, true) and not text:find('" onload', 1, true), format)
  assert(not text:find("[\0-\8\11-\31\127]") and utf8.len(text), format)
  assert(not text:find("\u{202E}", 1, true) and not text:find("\u{9B}", 1, true))
  assert(text:find("&lt;script&gt;", 1, true) and text:find("\\x1B[2J\\xFF\\x00&amp;amp;", 1, true))
  -- Every tag that opens is closed.
  if format == "svg" then
    equal({text:match("^<svg xmlns=\"http://www.w3.org/2000/svg\"") ~= nil, text:sub(-7)}, {true, "</svg>\n"})
    local open = {}
    for slash, tag, rest in text:gmatch("<(/?)(%a+)([^>]*)>") do
      if slash == "/" then equal(table.remove(open), tag)
      elseif rest:sub(-1) ~= "/" then open[#open + 1] = tag end
    end
    equal(open, {})
  end
end

-- What the name of the file promises is what is written.
for name, problem in pairs{
  ["l.png"] = ": PNG is not written", ["l.pdf"] = ": PDF is not", ["l.PNG"] = ": PNG is not",
  l = " must end in .html or .svg", ["l.html.gz"] = " must end in .html or .svg",
  [".html"] = " must end in .html or .svg", ["l.jsonl"] = " must end in .html or .svg",
} do
  raises(name .. problem, apo.plot, {path = spec.folder .. "/" .. name, series = series})
  assert(not apo.system.exists(spec.folder .. "/" .. name))
end
raises("an .svg file holds one chart, got 2; .html holds several", apo.plot,
  {path = spec.folder .. "/l.svg", charts = {{series = series}, {series = series}}})

-- A freed object is said to be freed, whatever takes it.
local model = apo.load(spec.checkout .. "/examples/models/arithmetic")
local tokenizer = apo.tokenizer(spec.checkout .. "/examples/models/arithmetic")
local optimizer, tensor, rollout = apo.optim.sgd and apo.optim.sgd(model, {lr = 1}) or
  apo.optim.adamw(model, {lr = 1}), apo.zeros(1), model:generate("1+1=", {max_tokens = 1})
local data = apo.dataset{{prompt = "1+1="}}
local frozen = model:clone()
for _, object in ipairs{tokenizer, optimizer, tensor, rollout, frozen} do object:free() end
local function never_itself(f, ...)
  local ok, message = pcall(f, ...)
  assert(not ok)
  assert(message:find("was freed", 1, true), message)
  local class = message:match("got (apo%.%a+)$")
  assert(not class, message)
end
never_itself(apo.evaluate, {model = frozen, data = data, reward = print, max_tokens = 1})
never_itself(apo.train, {policy = frozen, data = data, reward = print, max_tokens = 1})
never_itself(apo.train, {policy = model, optimizer = optimizer, data = data, reward = print, max_tokens = 1})
never_itself(apo.estimate_values, {model = frozen, data = data, reward = print, max_tokens = 1})
never_itself(apo.rollout, {{prompt = "1", text = "1"}}, {tokenizer = tokenizer})
never_itself(model.logprobs, model, rollout)
never_itself(model.logprobs, frozen, rollout)
never_itself(frozen.generate, frozen, "1")
never_itself(apo.cat, {tensor, apo.zeros(1)})
never_itself(apo.loss.astarpo, {logp = tensor, ref_logp = apo.zeros(1), target = apo.zeros(1), beta = 1})
never_itself(optimizer.step, optimizer)
never_itself(function() return tensor + 1 end)
never_itself(function() return rollout[1] end)
never_itself(function() return #rollout end)
never_itself(apo.optim.adamw, {tensor}, {lr = 1})
never_itself(apo.memory_estimate, {policy = frozen, batch_size = 1, max_tokens = 1})
