-- Rows that cannot be used are found before anything is sampled, by whichever function would sample,
-- and are named by file, line and prompt.

local spec = ...
local apo = require "apo"
local equal, raises = spec.equal, spec.raises

local model = apo.load(spec.checkout .. "/examples/models/arithmetic")  -- a context of 64
local reference = model:clone():freeze()
local scored = 0
local function reward() scored = scored + 1 return 1 end
local long = ("1"):rep(70)

-- The lines of a file: 40 rows with blank lines between, so that line and number differ.
local function lines(change)
  local list = {}
  for i = 1, 40 do
    local row = {prompt = i .. "+1=", answer = tostring(i + 1)}
    if change then change(row, i) end
    list[i] = apo.json.encode(row) .. "\n"
  end
  return "\n" .. table.concat(list, "\n")  -- row i is on line 2 * i
end

local path = spec.folder .. "/train.jsonl"
local function file(change)
  spec.write(path, lines(change))
  return apo.dataset(path)
end

local function train(data, more)
  local o = {policy = model:clone(), reference = reference, data = data, reward = reward,
             target = function(s) return s.reward end, lr = 1e-4, batch_size = 4, max_tokens = 4,
             max_steps = 1, quiet = true}
  for name, value in pairs(more or {}) do o[name] = value end
  return apo.train(o)
end
local function with(f, name)
  return function(data, more)
    local o = {model = model, data = data, reward = reward, max_tokens = 4, quiet = true}
    for key, value in pairs(more or {}) do o[key] = value end
    return f(o)
  end, name
end
local evaluate, estimate = with(apo.evaluate), with(apo.estimate_values)
local good = apo.dataset{{prompt = "1+1=", answer = "2"}}
local halves = {
  {"train: ", train}, {"evaluate: ", evaluate}, {"estimate_values: ", estimate},
  {"train: eval: ", function(data, more)
    more = more or {}
    more.eval, more.reward = {data = data, reward = more.reward}, nil
    return train(good, more)
  end},
}

-- Every function refuses the same rows with the same words, and samples nothing.
local function refused(text, change, more)
  for _, half in ipairs(halves) do
    local data = file(change)
    scored = 0
    local options = {}
    for name, value in pairs(more or {}) do options[name] = value end
    raises(half[1] .. path .. ": " .. text, half[2], data, options)
    equal(scored, 0)
  end
end

local function overlong_37(row, i) if i == 37 then row.prompt = long end end
refused("line 74: the prompt has 70 tokens, which with max_tokens = 4 exceeds the model's context of 64 "
  .. "(max_position_embeddings) (prompt: " .. ("1"):rep(60) .. "…); overlong = \"drop\" leaves "
  .. "such rows out, overlong = \"truncate_left\" the first tokens of their prompts", overlong_37)
refused("line 4: the prompt has 70 tokens, which with max_tokens = 4 exceeds the model's context of 64 "
  .. "(max_position_embeddings) (prompt: " .. ("1"):rep(60) .. "…); and 12 more: lines 10, 16, "
  .. "22, 28, 34, 40, 46, 52, 58, 64, …", function(row, i) if i % 3 == 2 then row.prompt = long end end)
refused("line 2: it has no tokens; at least one expected; and 1 more: line 80",
  function(row, i) if i == 1 or i == 40 then row.prompt = "" end end)
refused("line 6: token id 99 is outside of 0..", function(row, i)
  if i == 3 then row.prompt = {1, 99} end
end)
refused("line 6: chat template: the tokenizer has no chat template", function(row, i)
  if i == 3 then row.prompt = {{role = "user", content = "1+1="}} end
end)

-- What a reward needs it declares; alone, in a list and by name.
local function without_answer(row, i) if i > 38 then row.answer = nil end end
for _, name in ipairs{"exact", "numeric", "gsm8k", "math", "multiply"} do
  local given = apo.rewards[name]()
  for _, as in ipairs{given, {reward, given}, {right = given}} do
    refused("line 78: there is no column 'answer' with the right answer (prompt: 39+1=); and 1 more: line 80",
      without_answer, {reward = as})
  end
end
refused("line 78: there is no column 'target', nor one 'ground_truth' with it", function(row, i)
  if i < 39 then row.target, row.numbers = 3, {1, 2} end
end, {reward = apo.rewards.countdown()})
refused("line 4: the right answer must be a string or a number, got table", function(row, i)
  if i == 2 then row.answer = {"3"} end
end, {reward = apo.rewards.exact()})
local endless = {}
for i = 1, 5 do endless[i] = {prompt = "1+1=", answer = i == 4 and math.huge or 2} end
spec.raises("row 4: the right answer must be a finite number, got inf", evaluate,
  apo.dataset(endless), {reward = apo.rewards.exact()})
refused("line 4: there is no number in the right answer", function(row, i)
  if i == 2 then row.answer = "three" end
end, {reward = apo.rewards.numeric()})
refused("line 10: there is no column 'city'", function(row, i) if i ~= 5 then row.city = "x" end end,
  {reward = apo.rewards.needs(function() return 1 end, {"city"})})
refused("line 10: no luck", function() end, {reward = apo.rewards.needs(function() return 1 end,
  function(row) if row.prompt == "5+1=" then return "no luck" end end)})
-- Other libraries' columns are an answer too.
equal(evaluate(file(function(row)
  row.reward_model, row.answer = {ground_truth = row.answer}, nil
end), {reward = apo.rewards.exact()}).count, 40)

-- Rows that a script changed after they were read, and rows that it made.
for _, half in ipairs(halves) do
  local data = file()
  data[12].prompt = nil
  data[13].prompt = 7
  raises(half[1] .. path .. ": line 24: field 'prompt' is missing (row has: answer); and 1 more: line 26",
    half[2], data)
  data = apo.dataset{{prompt = "1+1="}, {prompt = "2+1="}}
  data[2].prompt = "\xff"
  raises(half[1] .. "row 2: the text is not valid UTF-8 (prompt: \\xFF)", half[2], data)
end

-- A row keeps its line through map, filter, shuffle and a new data set; several files.
local second = spec.folder .. "/more.csv"
spec.write(second, "prompt,answer\n1+1=,2\n" .. long .. ",3\n")
local all = {table.unpack(file(overlong_37).rows)}
for _, row in ipairs(apo.dataset(second).rows) do all[#all + 1] = row end
local mixed = apo.dataset(apo.dataset(all, {prompt = function(row) return row.prompt end}):shuffle(3)
  :filter(function() return true end):map(function(row) return {prompt = row.prompt} end).rows)
local ok, message = pcall(evaluate, mixed)
assert(not ok and message:find("train.jsonl: line 74", 1, true)
  and message:find("more.csv: line 3", 1, true), message)

-- A value that is missing is found too.
local values = estimate(file():take(39), {n = 1})
raises("train: " .. path .. ": line 80: it has no recorded value", train, file(), {values = values})
raises("train: row 1: it has no recorded value", train, apo.dataset{{prompt = "1+1=", f = print}},
  {values = values})

-- The second way: rows are left out.
local data = file(overlong_37)
equal({evaluate(data, {overlong = "drop"}).count, evaluate(data, {overlong = "drop"}).overlong}, {39, 1})
equal(#estimate(data, {overlong = "drop", n = 1}), 39)
equal(#data, 40)
raises("evaluate: the prompts of all 1 rows are too long for max_tokens = 4", evaluate,
  data:skip(36):take(1), {overlong = "drop"})
local dropped = train(data, {overlong = "drop", max_steps = 99,
  values = estimate(data, {overlong = "drop", n = 1})})
equal(dropped.steps, 10)  -- 39 rows, 4 a step

-- The third: their first tokens are. What is sampled is what the cut prompt gives.
local cut = evaluate(data, {overlong = "truncate_left"})
equal({cut.count, cut.overlong}, {40, 1})
local tokens = model.tokenizer:encode(long)
local kept = table.move(tokens, #tokens - 59, #tokens, 1, {})
local whole = model:generate(long, {max_tokens = 4, temperature = 0, overlong = "truncate_left"})[1]
local short = model:generate({kept}, {max_tokens = 4, temperature = 0})[1]
equal({whole.ids, whole.prompt_ids, whole.prompt}, {short.ids, kept, model.tokenizer:decode(kept)})
equal(cut.rows[37].samples[1].text, short.text)
equal(train(data, {overlong = "truncate_left", max_steps = 10, shuffle = false}).steps, 10)
raises("generate: prompt 1: the prompt has 70 tokens, which with max_tokens = 64", model.generate, model,
  long, {max_tokens = 64, overlong = "truncate_left"})
raises("option 'overlong' must be one of 'error', 'truncate_left', got 'drop'", model.generate, model,
  long, {overlong = "drop"})
for _, half in ipairs{halves[1], halves[2], halves[3]} do
  raises("line 2: the prompt has 2 tokens, which with max_tokens = 63 exceeds", half[2],
    file(function(row) row.prompt = "1+" end), {max_tokens = 63})
  raises("line 2: the prompt has 2 tokens, which with max_tokens = 64 exceeds", half[2],
    file(function(row) row.prompt = "1+" end), {max_tokens = 64, overlong = "truncate_left"})
end

-- It is written down, and a run that goes on must have the same.
local dir = spec.folder .. "/run"
train(data, {overlong = "drop", dir = dir})
local about = apo.json.read(dir .. "/run.json")
equal({about.settings.overlong, about.settings.rows}, {"drop", 39})
equal(about.warnings[1], "1 of 40 prompts is too long for max_tokens = 4; the rows are left out "
  .. "(overlong = \"drop\"): " .. path .. ": line 74")
raises("overlong was \"drop\", now \"truncate_left\"", train, data,
  {overlong = "truncate_left", dir = dir, resume = true})
equal(train(data, {overlong = "drop", dir = dir, resume = true}).steps, 1)

-- What goes wrong in generate itself names the row, not the place in the batch.
data = file(overlong_37)
raises("generate: " .. path .. ": line 74: the prompt has 70 tokens", model.generate, model,
  {data[1], data[37]}, {max_tokens = 4})
local broken = model:clone():freeze()
local id = model.tokenizer:encode("9")
broken:parameter("model.embed_tokens.weight")[id[#id] + 1]:fill_(0 / 0)
raises("generate: " .. path .. ": line 18: the logit of token ", broken.generate, broken,
  {data[9]}, {max_tokens = 1, seed = 1})
raises(path .. ": line 74 (prompt: 111", apo.score,
  {{row = data[37], text = "x"}}, function() return 0 / 0 end)

-- Nothing is left out in silence: gaps in lists, a line that is null, a row instead of rows.
raises("apo.dataset: row 2 of 3 is nil", apo.dataset, {{prompt = "a"}, nil, {prompt = "b"}})
raises("got a table with the key prompt; one row? Put it into a list", apo.dataset, {prompt = "a"})
spec.write(path, '{"prompt":"a"}\nnull\n{"prompt":"b"}\n')
raises("train.jsonl: line 2: a row must be an object, got null", apo.dataset, path)
local seen = 0
for value in apo.json.read_lines(path) do seen = seen + (value == apo.json.null and 10 or 1) end
equal(seen, 12)
spec.write(spec.folder .. "/list.json", '[{"prompt":"a"},null,{"prompt":"b"}]')
raises("list.json: row 2: a row must be an object, got null", apo.dataset, spec.folder .. "/list.json")

-- A name's end that promises another format.
raises(".parquet files are not supported; .jsonl, .json and .csv are: scripts/from-parquet", apo.dataset,
  "train.parquet")
spec.write(spec.folder .. "/UPPER.CSV", "prompt\nx\n")
equal(apo.dataset(spec.folder .. "/UPPER.CSV")[1].prompt, "x")
raises("samples.csv must end in .jsonl", evaluate, good, {path = spec.folder .. "/samples.csv"})
raises("values.json must end in .jsonl", estimate, good, {path = spec.folder .. "/values.json"})
assert(not apo.system.exists(spec.folder .. "/values.json"))
