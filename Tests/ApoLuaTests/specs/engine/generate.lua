-- Sampling and scoring as scripts see them.

local apo, check = require "apo", require "check"
local rows = require "apo.rows"
local test, eq, close, raises = check.test, check.eq, check.close, check.raises

local tokenizer = apo.char_tokenizer{alphabet = "0123456789+="}
local model = apo.new_model{
  model_type = "llama", hidden_size = 16, num_hidden_layers = 2, num_attention_heads = 4,
  intermediate_size = 24, max_position_embeddings = 32, tokenizer = tokenizer, seed = 5,
  initializer_range = 0.3,
}

test("prompts come as rows, texts and ids, one or several", function()
  local row = {prompt = "1+2=", answer = "3"}
  local options = {max_tokens = 4, seed = 1, step = 0}
  local function first(prompts) return model:generate(prompts, options)[1] end
  for _, prompts in ipairs{row, {row}, "1+2=", {"1+2="}, {tokenizer:encode "1+2="}} do
    local completion = first(prompts)
    eq(completion.prompt, "1+2=")
    eq(completion.prompt_ids, {2, 11, 3, 12})
    eq(completion.ids, first(row).ids)
  end
  eq(first(tokenizer:encode "1+2=").ids, first(row).ids)
  eq(first({{prompt = tokenizer:encode "1+2="}}).ids, first(row).ids)
  assert(first({row}).row == row)
  eq(first("1+2=").row, {prompt = "1+2="})
  local mixed = model:generate({row, "5=", {2, 3}}, options)
  eq(#mixed, 3)
  eq(mixed[3].prompt, "12")
  eq(mixed[-1].prompt, "12")
  eq(#model:generate(apo.dataset{row, {prompt = "9="}}, options), 2)
end)

test("what a completion holds", function()
  local rollout = model:generate({"1=", "2="}, {n = 3, max_tokens = 8, seed = 2})
  eq(#rollout, 6)
  for i, completion in ipairs(rollout) do
    eq(completion.sample, (i - 1) % 3 + 1)
    eq(completion.prompt, i <= 3 and "1=" or "2=")
    local ended = completion.ids[#completion.ids] == 0
    eq(completion.finish_reason, ended and "eos" or "length")
    assert(ended or #completion.ids == 8)
    local ids = table.move(completion.ids, 1, #completion.ids - (ended and 1 or 0), 1, {})
    eq(completion.text, tokenizer:decode(ids))
    close(completion.logprob, rollout:logprobs()[i]:item(), 0)
    eq(rollout:texts()[i], completion.text)
  end
  eq(rollout[7], nil)
  eq(rollout[0], nil)
  eq(rollout[-7], nil)
  eq(rollout[math.mininteger], nil)
  eq(rollout[math.maxinteger], nil)
  raises("rollout: a position expected, got number", function() return rollout[1.5] end)
  raises("apo.Rollout has no field 'text'", function() return rollout.text end)
end)

test("a sample depends on seed, step, row and number only", function()
  local options = {n = 4, max_tokens = 6, seed = 3, step = 1}
  local prompts = {"1=", "22=", "333="}
  local all = model:generate(prompts, options):texts()
  for i, prompt in ipairs(prompts) do
    eq(model:generate(prompt, options):texts(), table.move(all, 4 * i - 3, 4 * i, 1, {}))
  end
  local function texts(changes)
    local changed = {}
    for key, value in pairs(options) do changed[key] = value end
    for key, value in pairs(changes) do changed[key] = value end
    return table.concat(model:generate("1=", changed):texts(), "|")
  end
  assert(texts{seed = 4} ~= texts{})
  assert(texts{step = 2} ~= texts{})
  -- The same prompt twice goes on with other samples.
  local twice = model:generate({"1=", "1="}, {n = 2, max_tokens = 6, seed = 3, step = 1}):texts()
  eq(twice, table.move(all, 1, 4, 1, {}))
  -- A row of a dataset is known by its number.
  local a, b = {prompt = "1="}, {prompt = "1="}
  rows.set(a, 7)
  rows.set(b, 8)
  eq(rows.get(a), 7)
  eq(rows.get{}, nil)
  local of_rows = model:generate({a, b}, {max_tokens = 12, seed = 3, step = 1})
  eq(model:generate(b, {max_tokens = 12, seed = 3, step = 1})[1].ids, of_rows[2].ids)
  assert(table.concat(of_rows[1].ids, ",") ~= table.concat(of_rows[2].ids, ","))
end)

test("each prompt may have its own max_tokens, and few may run at a time", function()
  local prompts = {"1=", "22=", "333=", "4="}
  local function ids(changes)
    local options = {n = 3, max_tokens = 9, seed = 3, step = 1, ignore_eos = true}
    for key, value in pairs(changes) do options[key] = value end
    local list = {}
    for i, completion in ipairs(model:generate(prompts, options)) do list[i] = completion.ids end
    return list
  end
  local all, limits = ids{}, {2, 9, 1, 5}
  for _, at_a_time in ipairs{1, 2, 5, 100} do
    for i, completion in ipairs(ids{max_tokens = limits, max_num_seqs = at_a_time}) do
      eq(completion, table.move(all[i], 1, limits[(i - 1) // 3 + 1], 1, {}))
    end
  end
  eq(#model:generate("1=", {max_tokens = {4}, ignore_eos = true})[1].ids, 4)
  local function fails(text, max_tokens)
    raises("generate: " .. text, function() model:generate(prompts, {max_tokens = max_tokens}) end)
  end
  fails("option 'max_tokens': a number for each prompt expected, got 3 for 4", {1, 2, 3})
  fails("option 'max_tokens': a number for each prompt expected, got 0 for 4", {})
  fails("max_tokens: a whole number from 1 to 2147483648 expected, got 0 for prompt 2", {1, 0, 3, 4})
  fails("option 'max_tokens' must be an integer or list of integers, got ", {1, 2.5, 3, 4})
  fails("prompt 2: the prompt has 3 tokens, which with max_tokens = 30 exceeds the model's context of 32",
    {1, 30, 3, 4})
end)

test("without a step, calls are numbered since apo.seed", function()
  apo.seed(11)
  local a, b = model:generate("1=", {n = 4}):texts(), model:generate("1=", {n = 4}):texts()
  apo.seed(11)
  eq(model:generate("1=", {n = 4}):texts(), a)
  eq(model:generate("1=", {n = 4}):texts(), b)
  assert(table.concat(a, "|") ~= table.concat(b, "|"))
  eq(model:generate("1=", {n = 4, seed = 11, step = 0}):texts(), a)
end)

test("greedy, stop strings, ignored ends", function()
  local greedy = model:generate("1+1=", {temperature = 0, max_tokens = 8, ignore_eos = true})
  eq(greedy.temperature, 1)
  local text, ids = greedy[1].text, greedy[1].ids
  eq(#ids, 8)
  eq(greedy[1].finish_reason, "length")
  local logits = model:logits{2, 11, 2, 12}
  eq(ids[1], logits[4]:argmax():item() - 1)
  local target = text:sub(1, 1)
  local stopped = model:generate("1+1=", {
    temperature = 0, max_tokens = 8, ignore_eos = true, stop = {target, "zz"}})
  if ids[1] ~= 0 then
    eq(stopped[1].text, "")
    eq(stopped[1].finish_reason, "stop")
    eq(stopped[1].stop_reason, target)
    eq(apo.rollout{stopped[1]}[1].stop_reason, target)
    eq(#stopped[1].ids, 1)
  end
  eq(model:generate("1=", {stop = "=", max_tokens = 3, seed = 1})[1].prompt, "1=")
end)

test("the sampler's log-probabilities are those of scoring, to the bit", function()
  for _, temperature in ipairs{1, 0.7, 0} do
    local rollout = model:generate({"1=", "2+2=", "98="}, {
      n = 5, max_tokens = 7, temperature = temperature, seed = 4})
    eq(rollout.temperature, temperature == 0 and 1 or temperature)
    eq(model:logprobs(rollout), rollout:logprobs())
    eq(model:logprobs(rollout, {per_token = true}), rollout:logprobs{per_token = true})
    eq(model:logprobs(rollout, {micro_batch = 2}), rollout:logprobs())
  end
end)

test("log-probabilities by hand", function()
  local rollout = apo.rollout{{prompt_ids = {2, 12}, ids = {5, 0}}, {prompt_ids = {3}, ids = {4}}}
  local function expected(ids, from, temperature)
    local logp = (model:logits(ids) / temperature):log_softmax(2)
    local sum, entropy = 0, 0
    for i = from, #ids do
      sum = sum + logp[i - 1][ids[i] + 1]:item()
      entropy = entropy - (logp[i - 1] * logp[i - 1]:exp()):sum():item()
    end
    return sum, entropy / (#ids - from + 1)
  end
  for _, temperature in ipairs{1, 0.5} do
    local a, entropy_a = expected({2, 12, 5, 0}, 3, temperature)
    local b, entropy_b = expected({3, 4}, 2, temperature)
    local logp, entropy = model:logprobs(rollout, {temperature = temperature, entropy = true})
    close(logp, {a, b})
    close(entropy, {entropy_a, entropy_b})
    local per_token, entropies = model:logprobs(rollout, {
      temperature = temperature, entropy = true, per_token = true})
    eq(per_token:shape(), {3})
    close(rollout:sum(per_token), {a, b})
    close(rollout:mean(entropies), {entropy_a, entropy_b})
  end
  eq(select("#", model:logprobs(rollout)), 1)
end)

test("gradients are the same in micro-batches, and none where the model is frozen", function()
  local rollout = model:generate({"1=", "2+2=", "98="}, {n = 2, max_tokens = 5, seed = 6})
  local weight = model:parameter("model.embed_tokens.weight")
  local function gradient(options)
    weight.grad = nil
    ;(model:logprobs(rollout, options) ^ 2):mean():backward()
    local result = weight.grad:totable()
    for _, parameter in ipairs(model:parameters()) do parameter.grad = nil end
    return result
  end
  close(gradient{micro_batch = 2}, gradient(), 1e-4)
  close(gradient{micro_batch = 1}, gradient(), 1e-4)
  assert(not model:clone():freeze():logprobs(rollout).requires_grad)
  assert(not apo.no_grad(model.logprobs, model, rollout).requires_grad)
  assert(model:logprobs(rollout).requires_grad)
end)

test("faults of prompts name the prompt and the reason", function()
  local function fails(text, prompts, options)
    raises("generate: " .. text, function() model:generate(prompts, options) end)
  end
  fails("there are no prompts", {})
  fails("prompt 3: field 'prompt' is missing (row has: answer, question)",
    {{prompt = "1"}, {prompt = "2"}, {question = "q", answer = "a"}})
  fails("prompt 1: field 'prompt' is missing (row has: question)", {question = "q"})
  fails("prompt 2: field 'prompt' is missing (row has: nothing)", {"1", {}})
  fails("prompt 1: field 'prompt' must be a string, a list of token ids or a list of messages, got boolean",
    {{prompt = true}})
  fails("prompt 2: a row with a prompt, a string, a list of token ids or a list of messages expected, got boolean",
    {"1", true})
  fails("prompt 2: a row with a prompt, a string, a list of token ids or a list of messages expected, got apo.Tensor",
    {"1", apo.ones(2)})
  fails("prompt 1: token id 13 is outside of 0..12", {1, 13})
  fails("prompt 1: token id -1 is outside of 0..12", {{-1}})
  fails("prompt 1: list of integer values expected, got string at position 2", {{1, "x"}})
  fails("prompt 1: it has no tokens; at least one expected", "")
  fails("prompt 2: it has no tokens", {"1", "xyz"})
  fails("prompt 1: the text is not valid UTF-8", "\xFF\xFE")
  fails("prompt 1: the prompt has 20 tokens, which with max_tokens = 16 exceeds the model's context of 32",
    ("1"):rep(20))
  raises("bad argument #1 to 'generate'", function() model:generate() end)
  raises("bad argument #1 to 'generate'", function() model:generate(5) end)
  raises("bad argument #1 to 'generate'", function() model:generate(model) end)
end)

test("options have vLLM's names and ranges", function()
  local function fails(text, options)
    raises(text, function() model:generate("1=", options) end)
  end
  fails("generate: unknown option 'max_token'; did you mean 'max_tokens'? known options: adapter, first_sample, ignore_eos, "
    .. "max_num_seqs, max_tokens, min_p, n, overlong, seed, step, stop, stop_token_ids, temperature, top_k, top_p", {max_token = 3})
  fails("generate: option 'max_tokens' must be an integer or list of integers, got 2.5", {max_tokens = 2.5})
  fails("generate: option 'max_num_seqs' must be an integer of at least 1, got 0", {max_num_seqs = 0})
  fails("generate: max_tokens: a whole number from 1", {max_tokens = 0})
  fails("generate: max_tokens:", {max_tokens = math.maxinteger})
  fails("generate: n:", {n = 0})
  fails("generate: n:", {n = math.mininteger})
  fails("generate: temperature: 0 (greedy) or a number from 0.01 to 1e6 expected, got -1", {temperature = -1})
  fails("generate: temperature:", {temperature = 0 / 0})
  fails("generate: temperature:", {temperature = math.huge})
  fails("generate: top_p:", {top_p = 0})
  fails("generate: top_p:", {top_p = 0 / 0})
  fails("generate: top_k:", {top_k = -2})
  fails("generate: min_p:", {min_p = 1.5})
  fails("generate: stop: texts that are not empty expected, got an empty one", {stop = {""}})
  fails("generate: option 'stop' must be a string or list of strings, got number at position 1", {stop = {1}})
  fails("generate: option 'ignore_eos' must be a boolean, got number", {ignore_eos = 1})
  fails("generate: option 'seed' must be an integer, got string", {seed = "x"})
  eq(#model:generate("1=", {top_k = -1, top_p = 0.9, min_p = 0.1, seed = -5, step = math.mininteger}), 1)
end)

test("faults of scoring", function()
  local rollout = model:generate("1=", {max_tokens = 2})
  local function fails(text, options)
    raises(text, function() model:logprobs(rollout, options) end)
  end
  fails("logprobs: option 'temperature' must be a number from 0.01 to 1e6, got 0", {temperature = 0})
  fails("logprobs: option 'temperature' must be", {temperature = 0 / 0})
  fails("logprobs: option 'micro_batch' must be an integer of at least 1, got 0", {micro_batch = 0})
  fails("logprobs: unknown option 'per_tokens'; did you mean 'per_token'?", {per_tokens = true})
  raises("bad argument #1 to 'logprobs' (apo.Rollout expected, got table)",
    function() model:logprobs{} end)
  raises("logprobs: completion 1: token id 99 is outside of 0..12", function()
    model:logprobs(apo.rollout{{prompt_ids = {1}, ids = {99}}})
  end)
  raises("token id -5", function() model:logprobs(apo.rollout{{prompt_ids = {-5}, ids = {1}}}) end)
  raises("logprobs: completion 1: the prompt is empty", function()
    model:logprobs(apo.rollout{{prompt_ids = {}, ids = {1}}})
  end)
end)

test("faults name the prompt or the completion", function()
  local long = {}
  for i = 1, 33 do long[i] = 2 end
  local function scored(completion) return apo.rollout{
    {prompt_ids = {2}, ids = {3}}, {prompt_ids = long, ids = completion}} end
  raises("logprobs: completion 2: the sequence has 33 tokens and the model's context is 32 "
    .. "(max_position_embeddings)", function() model:logprobs(scored{3}) end)
  eq(model:logprobs(scored{}):shape(), {2})
  long[33] = nil
  eq(model:logprobs(scored{3}):shape(), {2})
  local broken = model:clone()
  broken:freeze():parameter("model.embed_tokens.weight")[6]:fill_(0 / 0)
  raises("generate: prompt 3: the logit of token ", function()
    broken:generate({"1", "2", "34"}, {max_tokens = 1, n = 2, seed = 1})
  end)
end)

if shared then
  test("greedy text of a real model equals the stored one", function()
    local stories = apo.load(shared .. "/models/stories260K")
    local text = stories:generate({{1}}, {temperature = 0, max_tokens = 60})[1].text
    assert(text:find("Once upon a time", 1, true), text)
    local rollout = stories:generate("Once upon a time", {
      n = 4, max_tokens = 40, stop = "\n", seed = 1, temperature = 0.8})
    for _, completion in ipairs(rollout) do
      assert(not completion.text:find("\n", 1, true))
    end
    eq(stories:logprobs(rollout), rollout:logprobs())
    -- The text goes on from the prompt's: the space between them is its own.
    local options = {temperature = 0, max_tokens = 6}
    eq(stories:generate("One day, Tom and", options)[1].text, " his mom went to the")
    options.stop = " mom"
    eq(stories:generate("One day, Tom and", options)[1].text, " his")
  end)
end
