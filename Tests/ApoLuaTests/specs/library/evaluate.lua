local spec = ...
local apo = require "apo"
local equal, close, raises = spec.equal, spec.close, spec.raises

local model = apo.load(spec.fixtures .. "/models/tiny-qwen2-tied")
local list = {}
for i = 1, 8 do
  list[i] = {prompt = "How many are " .. i .. " apples?", data_source = i % 2 == 0 and "even" or "odd"}
end
local data = apo.dataset(list)
local function reward(_, completion) return #completion.text % 3 == 0 and 1 or 0 end
local function run(options)
  options.model, options.data, options.reward = model, data, options.reward or reward
  options.max_tokens, options.quiet = 6, true
  return apo.evaluate(options)
end

-- Against the definitions, sample by sample: C(n, k) by counting subsets.
local function subsets(n, k) return k == 0 and 1 or n < k and 0 or subsets(n - 1, k - 1) * n // k end
local path = spec.folder .. "/samples.jsonl"
local result = run{n = 6, temperature = 1, path = path}
local mean, pass, even = 0, {[1] = 0, [2] = 0, [4] = 0, [6] = 0}, 0
for i, record in ipairs(result.rows) do
  equal({record.row, #record.samples}, {data[i], 6})
  local correct = 0
  for _, sample in ipairs(record.samples) do correct = correct + sample.reward end
  mean = mean + correct / 48
  if i % 2 == 0 then even = even + correct / 24 end
  for k in pairs(pass) do
    pass[k] = pass[k] + (1 - subsets(6 - correct, k) / subsets(6, k)) / 8
  end
end
close(result.mean, mean)
close(result.sources.even.mean, even)
for k, value in pairs(pass) do close(result.pass_at[k], value) end
assert(mean > 0 and mean < 1 and result.pass_at[1] < result.pass_at[6])
local lines = 0
for record in apo.json.read_lines(path) do
  lines = lines + 1
  equal({#record.samples, record.row, record.data_source}, {6, lines, data[lines].data_source})
end
equal(lines, 8)

-- The majority: of three texts the most frequent one counts, with an extractor by its answer.
local by_answer = run{n = 3, temperature = 1, answer = function() return "same" end}
local first = 0
for _, record in ipairs(by_answer.rows) do first = first + record.samples[1].reward / 8 end
close(by_answer.maj_at[3], first)

-- Own seed: the same twice, whatever the batch; the run's random numbers stay where they are.
apo.seed(5)
local before = apo.rand(3):totable()
apo.seed(5)
equal(run{n = 2, temperature = 1, batch_size = 3}.rows[5].samples,
  run{n = 2, temperature = 1}.rows[5].samples)
equal(apo.rand(3):totable(), before)
local greedy = run{}
equal({greedy.count, greedy.pass_at[1]}, {8, greedy.mean})

-- Named rewards: each on its own, beside their sum.
local named = run{reward = function(_, completion)
  return {short = #completion.text < 15 and 1 or 0, always = 0.5}
end}
close(named.rewards.always, 0.5)
close(named.rewards.short + 0.5, named.mean)
equal(named.rows[3].samples[1].rewards.always, 0.5)

-- Correct is what earns half a point, unless it is said otherwise; a format score is not.
local function format_only(_, completion) return #completion.text % 3 == 0 and 1 or 0.1 end
local strict, lax = run{n = 3, temperature = 1, reward = format_only},
  run{n = 3, temperature = 1, reward = format_only, correct = 0.1}
local zero_one = run{n = 3, temperature = 1}
equal({strict.pass_at, strict.maj_at}, {zero_one.pass_at, zero_one.maj_at})
equal({lax.pass_at, lax.maj_at}, {{1.0, 1.0, 1.0}, {1.0, 1.0, 1.0}})
local cut = run{n = 3, temperature = 1, correct = function(_, c) return c.finish_reason == "length" end}
close(cut.pass_at[1], cut.clipped_ratio)
assert(cut.rows[1].samples[1].correct == (cut.rows[1].samples[1].finish_reason == "length"))
raises("the function 'correct' returned nil for the reward", run, {correct = function() end})
raises("option 'correct'", run, {correct = "1"})

-- Samples without an answer have no vote, however many they are.
local calls = 0
local function third(completion)
  calls = calls + 1
  return calls % 3 == 0 and completion.text or nil
end
local votes, last = run{n = 3, temperature = 1, answer = third}, 0
for _, record in ipairs(votes.rows) do
  equal(record.samples[1].answer, nil)
  last = last + record.samples[3].reward / 8
end
close(votes.maj_at[3], last)
equal({votes.maj_at[1], run{answer = function() end, reward = function() return 1 end}.maj_at[1]}, {0.0, 0.0})

raises("the reward function returned nil for row 1", run, {reward = function() end})
raises("there are no rows", function()
  apo.evaluate{model = model, data = data:take(0), reward = reward, max_tokens = 2}
end)

-- A path that cannot be written to is found out before anything is sampled.
local function never() error("it was sampled") end
spec.write(spec.folder .. "/file", "x")
for bad, problem in pairs{
  [""] = "must not be empty", [spec.folder] = "is a folder", [spec.folder .. "/file/x"] = "not a folder",
} do
  raises(problem, run, {path = bad, reward = never})
end
run{path = spec.folder .. "/new/folder/samples.jsonl"}
equal(apo.system.exists(spec.folder .. "/new/folder/samples.jsonl"), "file")
raises("took more than 0.01 s for row 1", run,
  {reward = function() while true do end end, reward_timeout = 0.01})
