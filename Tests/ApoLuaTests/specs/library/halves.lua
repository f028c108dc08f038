-- Pairs of ways by which the same input comes in, or the same question is asked: both give the
-- same.

local spec = ...
local apo = require "apo"
local rows_of_files = require "apo.rows"
local equal, raises = spec.equal, spec.raises

local model = apo.load(spec.checkout .. "/examples/models/arithmetic")
local list = {}
for i = 1, 6 do list[i] = {prompt = i .. "+1=", answer = tostring(i + 1)} end
local data = apo.dataset(list)
local function reward(_, completion) return #completion.text end

-- Sampling options: generate, evaluate, estimate_values and train have the same ones.
local shared = {"top_k", "top_p", "min_p", "stop", "stop_token_ids", "ignore_eos", "max_num_seqs",
                "temperature", "max_tokens", "seed", "overlong"}
for _, f in ipairs{"evaluate", "estimate_values", "train"} do
  for _, name in ipairs(shared) do
    local o = {data = data, reward = reward, max_tokens = 4}
    o[f == "train" and "policy" or "model"], o[name] = model, print
    raises(("option '%s' must be"):format(name), apo[f], o)
  end
end

-- ignore_eos reaches all of them: every completion is as long as it may be.
local longest = {max_tokens = 9, ignore_eos = true, seed = 3}
local function with(more)
  local o = {model = model, data = data, reward = reward, quiet = true}
  for name, value in pairs(longest) do o[name] = value end
  for name, value in pairs(more or {}) do o[name] = value end
  return o
end
for _, completion in ipairs(model:generate(list, longest)) do equal(#completion.ids, 9) end
spec.close(apo.evaluate(with{max_num_seqs = 1}).mean_length, 9)
spec.close(apo.estimate_values(with{n = 2, max_num_seqs = 2}):summary().mean_length, 9)
local lengths = {}
local trained = apo.train{
  policy = model:clone(), data = data, reward = reward, target = function(s) return s.reward end,
  lr = 1e-5,
  batch_size = 6, max_tokens = 9, ignore_eos = true, max_num_seqs = 1, seed = 3, quiet = true,
  eval = {data = data}, on_step = function(_, samples)
    for i, s in ipairs(samples) do lengths[i] = s.length end
  end,
}
equal(lengths, {9, 9, 9, 9, 9, 9})
spec.close(trained.evaluation.mean_length, 9)

-- The batch is not part of the result, also where rows share a number: a table that is in the data
-- twice, rows of two files.
for name, second in pairs{one = "2+2=", two = "3+3="} do
  spec.write(("%s/%s.jsonl"):format(spec.folder, name),
    ('{"prompt":"%s"}\n{"prompt":"5+5="}\n'):format(second))
end
local mixed = {list[1], list[1], list[1]}
for _, name in ipairs{"one", "two"} do
  local rows = apo.dataset(("%s/%s.jsonl"):format(spec.folder, name)).rows
  table.move(rows, 1, #rows, #mixed + 1, mixed)
end
mixed = apo.dataset(mixed)
equal({rows_of_files.get(mixed[2]), rows_of_files.get(mixed[4]), rows_of_files.get(mixed[6])},
  {1, 1, 1})
local function texts(batch_size)
  local found = {}
  for _, row in ipairs(apo.evaluate{model = model, data = mixed, reward = reward, n = 4,
    temperature = 1,
                                    max_tokens = 6, batch_size = batch_size, quiet = true}.rows) do
    for _, sample in ipairs(row.samples) do found[#found + 1] = sample.text end
  end
  return found
end
local whole = texts(64)
for _, size in ipairs{1, 2, 3} do equal(texts(size), whole) end
-- Other samples of the same row.
assert(table.concat(whole, ",", 1, 4) ~= table.concat(whole, ",", 5, 8))
local function rewards(batch_size)
  local values = apo.estimate_values{model = model, data = mixed, reward = reward, n = 4,
    max_tokens = 6,
                                     seed = 1, batch_size = batch_size, quiet = true}
  local found = {}
  for i = 1, #mixed do found[i] = values:rewards(mixed[i]) end
  return found
end
local all = rewards(64)
for _, size in ipairs{1, 2, 3} do equal(rewards(size), all) end
raises("option 'first_sample': a number for each prompt expected, got 1 for 6", model.generate,
  model, list,
  {first_sample = {0}})

-- A row keeps its number in a data set that is made of rows, with a function for the prompt too.
local part = data:filter(function(row) return row.answer > "4" end)
local again = apo.dataset(part.rows, {prompt = function(row) return row.prompt .. "0" end})
equal({rows_of_files.get(part[1]), rows_of_files.get(again[1]), again[1].prompt, part[1].prompt},
  {4, 4, "4+1=0", "4+1="})

-- Weights: of one function, of a list with one, of a table with one.
local rollout = model:generate(list, {max_tokens = 3, seed = 1})
local function total(given, weights)
  return apo.score(rollout, given, {weights = weights}):sum():item()
end
local full = total(reward)
assert(full > 0)
for _, case in ipairs{{reward, {reward = 0.5}}, {reward, {0.5}}, {{reward}, {0.5}},
                      {{reward}, {reward_1 = 0.5}}, {{a = reward}, {a = 0.5}},
                      {function(...) return {a = reward(...)} end, {a = 0.5}},
                      {function(...) return {reward = reward(...)} end, {reward = 0.5}}} do
  equal(total(case[1], case[2]), full / 2)
end

-- Rewards of recorded completions without a row: apo.score and apo.rollout take the record for it.
local record = {prompt = "1+1=", text = "2", answer = "2"}
local exact = apo.rewards.exact()
equal(apo.score({record}, exact):totable(), {1.0})
equal(apo.score(apo.rollout({record}, {tokenizer = model.tokenizer}), exact):totable(), {1.0})
raises("a row (prompt: 1+1=)", apo.score, {record}, function() end)

-- The weights of an evaluation in a training.
local function evaluated(eval)
  eval.data = data
  return apo.train{policy = model:clone(), data = data, reward = {a = reward}, weights = {a = 3},
    seed = 1,
    target = function(s) return s.reward end, lr = 0, batch_size = 6, max_tokens = 4, max_steps = 1,
    quiet = true, eval = eval}.evaluation.mean
end
local plain = evaluated{reward = {b = reward}}
spec.close(evaluated{}, 3 * plain)
spec.close(evaluated{reward = {b = reward}, weights = {b = 2}}, 2 * plain)

-- Bytes that are no UTF-8 are refused in a text as in a file, and are not another text.
raises("decode: the text is not valid UTF-8", apo.json.decode, '"\xff"')
spec.write(spec.folder .. "/x.json", '"\xff"')
assert(not pcall(apo.json.read, spec.folder .. "/x.json"))
raises("generate: option 'stop' is not valid UTF-8", model.generate, model, "1", {stop = "\xff"})
raises("generate: option 'stop': text 2 is not valid UTF-8", model.generate, model, "1",
  {stop = {"a", "\xff"}})
equal({model.tokenizer:id("\xff"), model.tokenizer:id("1") ~= nil}, {nil, true})

-- Columns of rewards: a row that has more than the first one, or less, is an error with its place.
raises("values_from: row 2: it has a column 'eval_1', which the first row does not have; set "
  .. "option 'n' to the number of columns",
  apo.values_from, {data = apo.dataset{
    {prompt = "a", eval_0 = 1}, {prompt = "b", eval_0 = 1, eval_1 = 1}}})
raises("values_from: row 2: the column 'eval_0' must be a finite number, got the string "
  .. "\"1\" (prompt: b); and 1 more: row 3",
  apo.values_from, {data = apo.dataset{
    {prompt = "a", eval_0 = 1}, {prompt = "b", eval_0 = "1"}, {prompt = "c"}}})

-- Names that promise another format than what is written.
raises("save: a folder is written, but x.safetensors ends in .safetensors", model.save,
  model, "x.safetensors")
raises("save_adapter: a folder is written, but x.bin ends in .bin",
  function() model:clone():add_adapter{r = 2}:save_adapter("x.bin") end)
raises("save: a .safetensors file is written, but o.pt ends in .pt", function()
  apo.optim.adamw(model:clone(), {lr = 1}):save("o.pt")
end)

-- What ended a completion is in every record of it: the stop string, or the id of the stop token.
do
  local dir, path = spec.folder .. "/stops", spec.folder .. "/stops.jsonl"
  local options = {stop = {"9", "0"}, stop_token_ids = {4, 5}}
  local kinds = {}
  local function check(s, completion)
    kinds[math.type(s.stop_reason) or type(s.stop_reason)] = true
    equal({s.stop_reason, s.finish_reason}, {completion.stop_reason, completion.finish_reason})
    equal(s.stop_reason ~= nil, s.finish_reason == "stop")
  end
  local seen = {}
  apo.train{
    policy = model:clone(), data = data, reward = reward, lr = 1e-5, batch_size = 6, max_tokens = 9,
    stop = options.stop, stop_token_ids = options.stop_token_ids, dir = dir, quiet = true, seed = 3,
    ignore_eos = true, target = function(s)
      check(s, s.completion)
      seen[#seen + 1] = s.stop_reason or "none"
      return s.reward
    end,
  }
  equal({kinds.string, kinds.integer}, {true, true})
  local recorded = {}
  for line in apo.json.read_lines(dir .. "/completions.jsonl") do
    recorded[#recorded + 1] = line.stop_reason or "none"
  end
  equal(recorded, seen)
  local count = 0
  for _, rollout, samples in apo.recorded(dir) do
    for i, s in ipairs(samples) do
      count = count + 1
      check(s, rollout[i])
      equal(s.stop_reason or "none", seen[i])
    end
  end
  equal(count, #seen)
  local result = apo.evaluate(with{
    stop = options.stop, stop_token_ids = options.stop_token_ids, path = path,
  })
  local i = 0
  for line in apo.json.read_lines(path) do
    i = i + 1
    local sample = result.rows[i].samples[1]
    equal({line.samples[1].stop_reason, sample.stop_reason ~= nil},
      {sample.stop_reason, sample.finish_reason == "stop"})
  end
  equal(i, #result.rows)
end
