-- Rollouts: parts, reductions, recorded data.

local apo, check = require "apo", require "check"
local test, eq, close, raises = check.test, check.eq, check.close, check.raises

local tokenizer = apo.char_tokenizer{alphabet = "0123456789+="}
local function new()
  return apo.rollout({
    {prompt = "1+1=", text = "2", eos = true, answer = "2"},
    {prompt_ids = {2, 12}, ids = {3, 4, 5}},
    {prompt = "9=", text = ""},
  }, {tokenizer = tokenizer})
end

test("recorded text and ids", function()
  local rollout = new()
  eq(#rollout, 3)
  eq(rollout[1].ids, {3, 0})
  eq(rollout[1].text, "2")
  eq(rollout[1].prompt_ids, {2, 11, 2, 12})
  eq(rollout[1].finish_reason, "eos")
  eq(rollout[1].row.answer, "2")
  eq(rollout[1].logprob, nil)
  eq(rollout[2].text, "234")
  eq(rollout[2].prompt, "1=")
  eq(rollout[2].finish_reason, nil)
  eq(rollout[3].ids, {})
  eq(rollout:lengths(), {2, 3, 0})
  eq(rollout:texts(), {"2", "234", ""})
  eq(apo.rollout({{prompt = "1", text = "2"}}, {tokenizer = tokenizer, eos = true})[1].ids, {3, 0})
  eq(tostring(rollout), "apo.Rollout of 3 completions")
end)

test("text is encoded by the model that scores it", function()
  local model = apo.new_model{
    model_type = "llama", hidden_size = 8, num_hidden_layers = 1, num_attention_heads = 2,
    intermediate_size = 8, tokenizer = tokenizer}
  local later = apo.rollout{{prompt = "1+1=", text = "2", eos = true}}
  eq(later[1].ids, nil)
  raises("the token ids of completion 1 are not known yet", later.lengths, later)
  local now = apo.rollout({{prompt = "1+1=", text = "2", eos = true}}, {tokenizer = tokenizer})
  eq(model:logprobs(later), model:logprobs(now))
  eq(model:logprobs(later), model:logprobs(now))
  eq(later[1].ids, {3, 0})
  local sampled = model:generate({"1=", "2="}, {n = 2, max_tokens = 3, seed = 1})
  local again = apo.rollout{sampled[1], sampled[2], sampled[3], sampled[4]}
  eq(model:logprobs(again), sampled:logprobs())
  eq(again[3].row, {prompt = "2="})
  eq(again[3].finish_reason, sampled[3].finish_reason)
end)

test("completions of other rollouts keep temperature and log-probabilities", function()
  local model = apo.new_model{
    model_type = "llama", hidden_size = 8, num_hidden_layers = 1, num_attention_heads = 2,
    intermediate_size = 8, tokenizer = tokenizer, initializer_range = 0.3, seed = 2}
  local sampled = model:generate({"1=", "2="}, {n = 2, max_tokens = 4, temperature = 0.5, seed = 1})
  eq(sampled[1].temperature, 0.5)
  eq(#sampled[1].logprobs, #sampled[1].ids)
  local again = apo.rollout{sampled[3], sampled[1]}
  eq(again.temperature, 0.5)
  eq(again[2].logprobs, sampled[1].logprobs)
  eq(again[2].logprob, sampled[1].logprob)
  eq(again:logprobs{per_token = true}, model:logprobs(again, {per_token = true}))
  eq(model:logprobs(again)[2], model:logprobs(sampled)[1])
  raises("rollout: record 2: the temperature is 1.0, but that of the earlier records is 0.5; a "
    .. "rollout has one temperature", apo.rollout, {sampled[1], {prompt = "1", text = "2"}})
  local plain = apo.rollout{{prompt_ids = {2}, ids = {3}}}
  eq(plain.temperature, 1)
  eq(plain[1].temperature, 1)
  eq(plain[1].logprobs, nil)
  eq(apo.rollout{}.temperature, 1)
  eq(apo.rollout{{prompt_ids = {2}, ids = {3, 4}, logprobs = {-1, -2}}}:logprobs(), {-3})
end)

test("between tokens and completions", function()
  local rollout = new()
  local t = apo.tensor{1, 2, 3, 4, 5}:requires_grad_()
  eq(rollout:sum(t), {3, 12, 0})
  close(rollout:mean(t), {1.5, 4, 0})
  eq(rollout:expand(apo.tensor{7, 8, 9}), {7, 7, 8, 8, 8});
  (rollout:mean(t) * apo.tensor{2, 3, 4}):sum():backward()
  close(t.grad, {1, 1, 1, 1, 1})
  local v = apo.tensor{1, 2, 3}:requires_grad_()
  rollout:expand(v):sum():backward()
  eq(v.grad, {2, 3, 0})
  raises("a tensor of shape [5] expected for 3 completions of 5 tokens, got [4]",
    function() rollout:sum(apo.ones(4)) end)
  raises("a tensor of shape [3] expected", function() rollout:expand(apo.ones(5)) end)
  raises("bad argument #1 to 'mean'", function() rollout:mean(3) end)
end)

test("a field of a completion is computed when it is read", function()
  local model = apo.new_model{
    model_type = "llama", hidden_size = 8, num_hidden_layers = 1, num_attention_heads = 2,
    intermediate_size = 8, tokenizer = tokenizer, seed = 2}
  local rollout = model:generate({{prompt = "1=", answer = {7}}, {prompt = "2="}}, {n = 2, max_tokens = 4, seed = 1})
  local completion = rollout[1]
  eq(next(completion), nil)
  assert(completion.logprob < 0)
  eq({rawget(completion, "logprob"), rawget(completion, "ids"), rawget(completion, "logprobs")},
    {completion.logprob})
  assert(rawequal(completion.ids, completion.ids) and rawequal(completion.row, rollout[2].row))
  eq({completion.nothing, completion[1], #completion}, {nil, nil, 0})

  -- Whatever looks at it as a whole sees all of it, in the order of `pairs`.
  local function names_of(given)
    local names = {}
    for name in pairs(given) do names[#names + 1] = name end
    return table.concat(names, " ")
  end
  local all = "ids logprob logprobs prompt prompt_ids row sample temperature text"
  local function without_reasons(names) return (names:gsub("finish_reason ", ""):gsub("stop_reason ", "")) end
  eq(without_reasons(names_of(completion)), all)
  eq(without_reasons(names_of(apo.json.decode(apo.json.encode(rollout[2])))), all)
  eq({getmetatable(completion), next(completion) ~= nil}, {nil, true})

  -- It may be changed as any table, before it is read and after.
  local changed = rollout[3]
  changed.text = nil
  changed.mine = 5
  eq({changed.text, changed.mine, changed.prompt}, {nil, 5, "2="})
  for _, key in ipairs{false, 0 / 0} do
    raises("index is ", function() rollout[4][key or nil] = 1 end)
  end

  -- And it outlives its rollout.
  local last, ids = rollout[4], rollout[4].ids
  rollout = nil
  collectgarbage()
  collectgarbage()
  eq(last.ids, ids)
  eq(#apo.rollout{last}, 1)

  -- Its parts by hand are no harm.
  local metatable = debug.getmetatable(model:generate("1=", {max_tokens = 1})[1])
  eq({metatable.__index({}, "text"), metatable.__index(setmetatable({}, metatable), "text")}, {})
  eq(metatable.__pairs{}, pairs{})
end)

test("a completion of a freed rollout says so", function()
  local rollout = new()
  local first, second = rollout[1], rollout[2]
  eq(first.text, "2")
  rollout:free()
  eq(first.text, "2")  -- was read before
  raises("the rollout of this completion was freed", function() return first.ids end)
  raises("the rollout of this completion was freed", function() return pairs(second) end)
end)

test("lengths of prompts", function()
  eq(new():lengths{prompt = true}, {4, 2, 2})
  raises("the token ids of completion 1 are not known yet",
    function() apo.rollout{{prompt = "1", text = "2"}}:lengths{prompt = true} end)
end)

test("slices", function()
  local rollout = new()
  eq(rollout:slice(2):texts(), {"234", ""})
  eq(rollout:slice(1, 2):texts(), {"2", "234"})
  eq(rollout:slice(-1):texts(), {""})
  eq(rollout:slice(2, 100):texts(), {"234", ""})
  eq(#rollout:slice(3, 2), 0)
  eq(#rollout:slice(4), 0)
  eq(rollout:slice(math.mininteger, math.maxinteger):texts(), rollout:texts())
  eq(#rollout:slice(math.maxinteger, math.mininteger), 0)
  assert(rollout:slice(1, 1)[1].row == rollout[1].row)
  eq(rollout:slice(3, 2):lengths():shape(), {0})
end)

-- A tokenizer.json alone does not say which token ends a text.
local function without_end()
  local folder = temporary .. "/model"
  apo.new_model{
    model_type = "llama", hidden_size = 8, num_hidden_layers = 1, num_attention_heads = 2,
    intermediate_size = 8, tokenizer = tokenizer}:save(folder)
  os.remove(folder .. "/tokenizer_config.json")
  return apo.tokenizer(folder .. "/tokenizer.json")
end

test("faults", function()
  local function fails(text, records, options)
    raises(text, function() apo.rollout(records, options) end)
  end
  fails("rollout: record 2: field 'prompt' or 'prompt_ids' is missing (it has: text)",
    {{prompt = "1", text = "2"}, {text = "x"}})
  fails("rollout: record 1: field 'text' or 'ids' is missing (it has: prompt)", {{prompt = "1"}})
  fails("rollout: record 1: field 'ids' must be a list of token ids, got string",
    {{prompt = "1", ids = "x"}})
  fails("rollout: record 1: field 'ids' must be a list of token ids, got table",
    {{prompt = "1", ids = {1.5}}})
  fails("rollout: record 1: field 'prompt' must be a string of UTF-8, got string",
    {{prompt = "\xFF", text = "1"}})
  local function scored(logprobs) return {{prompt = "1", ids = {1, 2}, logprobs = logprobs}} end
  fails("rollout: record 1: field 'logprobs' must hold one number per id, got 1 for 2 ids",
    scored{-1})
  fails("got 1 for no ids", {{prompt = "1", text = "2", logprobs = {-1}}})
  fails("rollout: record 1: field 'logprobs' must be a list of finite numbers, got table",
    scored{-1, -math.huge})
  fails("field 'logprobs' must be a list of finite numbers, got string", scored "x")
  fails("rollout: record 1: eos = true appends a token for which 'logprobs' has no number; omit "
    .. "one of them", scored{-1, -2}, {eos = true})
  for _, wrong in ipairs{0, 0 / 0, 1e7, "x"} do
    fails("rollout: record 1: field 'temperature' must be a number from 0.01 to 1e6, got ",
      {{prompt = "1", text = "2", temperature = wrong}})
  end
  fails("rollout: record 1: there is no end token to append (eos = true)",
    {{prompt = "1", text = "1", eos = true}},
    {tokenizer = without_end()})
  fails("list of tables expected, got number at position 1", {1})
  fails("bad argument #1 to 'rollout'", "x")
  fails("rollout: unknown option 'tokeniser'", {{prompt = "1", text = "1"}}, {tokeniser = 1})
  eq(#apo.rollout{}, 0)
  local rollout = new()
  raises("logprobs: completion 1 was recorded and not sampled; use model:logprobs",
    function() rollout:logprobs() end)
end)
