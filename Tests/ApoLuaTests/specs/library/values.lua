local spec = ...
local apo = require "apo"
local equal, close, raises = spec.equal, spec.close, spec.raises
local system = apo.system

apo.seed(3)
local model = apo.load(spec.fixtures .. "/models/tiny-qwen2-tied")
local list = {}
for i = 1, 10 do list[i] = {prompt = "What is " .. i .. " plus 2?", answer = i % 4} end
list[11] = {prompt = list[1].prompt, answer = 0}  -- the same prompt, another answer
local data = apo.dataset(list)
local calls, limit = 0, math.huge
local function reward(row, completion)
  calls = calls + 1
  if calls > limit then error("stopped") end
  return #completion.text % 4 == row.answer and 1 or 0
end

local path = spec.folder .. "/runs/values.jsonl"
local options = {model = model, data = data, reward = reward, n = 4, max_tokens = 6, path = path,
                 batch_size = 3, quiet = true}
local values = apo.estimate_values(options)
local whole = spec.read(path)
equal(calls, 44)

-- The file: a header, then a line for each row.
local lines = {}
for value in apo.json.read_lines(path) do lines[#lines + 1] = value end
equal({#lines, lines[1].format, lines[1].version}, {12, "apo.values", 1})
equal(lines[1].settings.model, model:checksum())
equal({lines[2].index, lines[2].prompt, #lines[2].rewards, #lines[2].lengths}, {1, list[1].prompt, 4, 4})

-- V* against the formula; other betas and modes from the same samples.
local rewards = values:rewards(data[2])
local sum, best, mean = 0, 0, 0
for _, r in ipairs(rewards) do
  sum, best, mean = sum + math.exp(r / 0.5) / 4, math.max(best, r), mean + r / 4
end
close(values:of{data[2]}:item(), 0.5 * math.log(sum))
close(values:with_mode("mean"):of{data[2]}:item(), mean)
close(values:with_mode("max"):of{data[2]}:item(), best)
close(values:with_mode("zero"):of{data[2]}:item(), 0)
close(values:with_beta(math.huge):of{data[2]}:item(), mean)
close(values:of{data[2]}:item(), 0.5 * math.log(sum))
equal(values:of(data.rows):shape(), {11})
equal(#values, 11)
local summary, solved = values:summary(), 0
for _, row in ipairs(data.rows) do
  local any = 0
  for _, r in ipairs(values:rewards(row)) do any = math.max(any, r) end
  solved = solved + any
end
close(summary.unsolved, 1 - solved / 11)
equal(#values:solvable(data), solved)
assert(tostring(values):find("11 prompts, 4 samples each, beta 0.5 (optimal)", 1, true))

-- Solved: half a point or more, a least reward, or what a function says; from the same samples.
local function solvable(correct, score)
  local v = apo.estimate_values{model = model, data = data, n = 4, max_tokens = 6, quiet = true, seed = 3,
    reward = function(row, c) return #c.text % 4 == row.answer and 1 or score end, correct = correct}
  return #v:solvable(data), v
end
equal((solvable(nil, 0.1)), solved)
equal((solvable(0.1, 0.1)), 11)
equal((solvable(function(r) return r > 0.05 end, 0.1)), 11)
local _, scored = solvable(nil, 0.1)
close(scored:summary().unsolved, 1 - solved / 11)
close(scored:pass_rate(data[2]), mean)
close(select(2, solvable(0.1, 0.1)):summary().all_solved, 1)

-- Same prompt, two rows: two entries.
assert(lines[2].prompt == lines[12].prompt and lines[2].hash ~= lines[12].hash)

-- A second call samples nothing; nor does it write.
calls = 0
apo.estimate_values(options)
equal({calls, spec.read(path) == whole}, {0, true})

-- Stopped, torn and resumed: the same bytes.
os.remove(path)
limit = 20
raises("stopped", apo.estimate_values, options)
local part = spec.read(path)
assert(#part > 100 and whole:sub(1, #part) == part)
spec.write(path, part .. '{"index":7,"hash":"0')
limit, calls = math.huge, 0
apo.estimate_values(options)
equal({spec.read(path) == whole, calls < 44}, {true, true})

-- Two processes that filled the file at the same time: both headers, and every line twice.
spec.write(path, (whole:gsub("[^\n]*\n", "%0%0")))
calls = 0
equal(apo.estimate_values(options):of(data.rows):totable(), values:of(data.rows):totable())
equal(calls, 0)
spec.write(path, whole)

-- The batch size does not matter, nor whether there is a file.
options.path, options.batch_size = nil, 11
equal(apo.estimate_values(options):of(data.rows):totable(), values:of(data.rows):totable())
options.path = path

-- An edited row is not taken for the old one.
local edited = apo.dataset{{prompt = list[1].prompt, answer = 99}}
raises("row 1 has no recorded value: it is not in the data that was sampled, or was changed",
  values.of, values, edited.rows)
raises("of: a list of rows expected, got one row; pass {row}", values.of, values, data[1])
raises("estimate_values: there are no rows", apo.estimate_values,
  {model = model, data = data:take(0), reward = reward, max_tokens = 6})
raises("a row that is not from an apo.dataset", values.of, values, {{prompt = "x"}})

-- Other settings are an error and leave the file as it is.
local function with(name, value)
  local changed = {}
  for key, old in pairs(options) do changed[key] = old end
  changed[name] = value
  return changed
end
raises("values.jsonl was made with other settings (n was 4, now 5); use them again, or choose "
  .. "another path", apo.estimate_values, with("n", 5))
raises("(the reward has changed)", apo.estimate_values, with("reward", function() return 1 end))
raises("(temperature was 1.0, now 0.5)", apo.estimate_values, with("temperature", 0.5))
raises("(seed was 3, now 4)", apo.estimate_values, with("seed", 4))
raises("(the model has changed)", apo.estimate_values,
  with("model", apo.load(spec.fixtures .. "/models/tiny-qwen2-untied")))
equal(spec.read(path), whole)

-- A seed that nobody chose is that of the file.
apo.seed(4)
equal(apo.estimate_values(options):of(data.rows):totable(), values:of(data.rows):totable())

-- Files that are not what they should be.
local bad = spec.folder .. "/bad.jsonl"
local function raises_for(text, message)
  spec.write(bad, text)
  raises(message, apo.estimate_values, with("path", bad))
  equal(spec.read(bad), text)
end
raises_for('{"prompt":"x"}\n', "bad.jsonl: line 1: not a values file")
raises_for('{"format":"apo.values","version":9}\n', "line 1: unknown version 9")
raises_for("garbage\n", "bad.jsonl: line 1: not a values file; choose another path")
raises_for("one line without its end", "bad.jsonl: line 1: not a values file")
raises_for("\0binary", "bad.jsonl: line 1: not a values file")
raises_for('{"format":"apo.values","version":1,"settings":5}\n', "was made with other settings")
local header = whole:match("^[^\n]*\n")
raises_for(header .. '{"index":[1],"hash":"x","rewards":[1,1,1,1],"lengths":[1,1,1,1]}\n',
  "bad.jsonl: line 2: expected index, hash, 4 rewards and lengths")
raises_for(header .. '{"index":1,"hash":"x","rewards":[1],"lengths":[1]}\n',
  "bad.jsonl: line 2: expected index, hash, 4 rewards and lengths")
raises_for(header .. '{"index":1,"hash":"x","rewards":[1,2,3,"4"],"lengths":[1,1,1,1]}\n',
  "line 2: a reward is not a number")
raises("option 'max_tokens' is missing", apo.estimate_values, {model = model, data = data,
  reward = reward})
assert(system.exists(path))
raises("took more than 0.02 s for row 1", apo.estimate_values, {model = model, data = data, n = 1,
  max_tokens = 2, quiet = true, reward = function() while true do end end, reward_timeout = 0.02})
