-- The report: curves, panels, legend, tokens. The page as a whole and hostile texts are in runs.lua.
local spec = ...
local apo = require "apo"
local equal = spec.equal
local curves, panels = require "apo.report.curves", require "apo.report.panels"
local report = require "apo.report"
local json = apo.json

-- Curves, against sums written out: the average with its start corrected, thinning that keeps the
-- ends and all extremes, the band.
do
  local y = curves.smoothed({1, 3, 2}, 0.5)
  equal({y[1], y[2], y[3]}, {1.0, (0.25 + 1.5) / 0.75, (0.125 + 0.75 + 1) / 0.875})
  local long = {}
  for i = 1, 10000 do long[i] = math.sin(i) end
  long[5003], long[7001] = 9, -9
  local places, kept = curves.extremes(long), {}
  assert(#places <= 522 and places[#places] == 10000)
  for i, place in ipairs(places) do
    kept[place] = true
    assert(i == 1 or place > places[i - 1])
  end
  assert(kept[5003] and kept[7001])
  places = curves.sparse(long)
  assert(#places <= 262 and places[1] == 1 and places[#places] == 10000)
  equal({curves.sparse{}, curves.extremes{}, curves.sparse{5}}, {{}, {}, {1}})

  local records = {{step = 1, a = 2, t = 10}, {step = 2, a = 0 / 0, t = 20}, {step = 3, t = 30},
                   {step = 4, a = json.null}, {step = 5, a = "6"}, {step = 6, a = 7, t = 1 / 0},
                   {step = 7, a = 8, t = 70}}
  local column = curves.column(records, "a")
  equal(column.y, {2, 7, 8})
  equal(curves.points(column.y, column.records, {1, 2, 3}, "t"), {x = {10, 70}, y = {2, 8}})

  local function of(steps, values, factor)
    local list = {y = values, records = {}}
    for i, step in ipairs(steps) do list.records[i] = {step = step, t = step * factor} end
    return list
  end
  local band = curves.band{of({1, 2, 3}, {1, 2, 3}, 1), of({1, 3, 4}, {3, 5, 9}, 3)}
  equal({band.y, band.low, band.high}, {{2.0, 4.0}, {1, 3}, {3, 5}})
  -- Seeds are never at the same time: x is the mean of theirs at a step.
  equal(curves.band_points(band, {1, 2}, "t").x, {2.0, 6.0})
end

-- A metric of the script's own has a panel, one of evaluations too; shipped ones that are shown
-- elsewhere have none.
do
  local run = {steps = {{step = 1, reward = 1, mine = 2, ["completions/mine"] = 1, note = "text"}},
               evaluations = {{step = 1, ["eval/reward"] = 1, ["eval/pass@4"] = 1}}}
  run.steps[1]["completions/min_length"], run.steps[1]["rewards/x/std"] = 3, 1
  local names = {}
  for _, panel in ipairs(panels.all{run}) do names[#names + 1] = panel[1] end
  equal(table.concat(names, " ", #names - 2), "completions/mine eval/pass@4 mine")

  -- In a loop of the script's own all that is logged has one.
  local own = {about = {kind = "run"}, steps = {{step = 1, loss = 1, seconds = 2, beta = 3}}, evaluations = {}}
  names = {}
  for _, panel in ipairs(panels.all{own}) do names[#names + 1] = panel[1] end
  equal(table.concat(names, " ", #names - 1), "beta loss")
end

local function make(name, settings, lines, completions)
  local dir = ("%s/%s"):format(spec.folder, name)
  apo.system.make_folder(dir)
  json.write(dir .. "/run.json", {settings = settings, steps = 3, started = "2026-11-30T10:00:00Z"})
  spec.write(dir .. "/metrics.jsonl", lines)
  spec.write(dir .. "/.lock", "")
  if completions then spec.write(dir .. "/completions.jsonl", completions) end
  return dir
end

local function steps(offset)
  local lines = {}
  for i = 1, 30 do
    lines[i] = json.encode{step = i, kind = "step", reward = i / 30 + offset, seconds = i * (1 + offset),
                           num_tokens = 10 * i} .. "\n"
  end
  return table.concat(lines)
end

local function count(text, pattern) return select(2, text:gsub(pattern, "")) end

-- Several settings: one legend on the page, values without names in the charts; more than six have
-- other dashes; the curves as they were logged only where they can be told apart. Bands of seeds by
-- every x.
do
  local dirs = {}
  for i = 1, 8 do dirs[i] = make("lr" .. i, {lr = i, seed = 1}, steps(i / 10)) end
  local page = report.render(dirs)
  equal(count(page, '<span><svg viewBox="0 0 26 8"'), 8)
  assert(page:find('class="line dash1" stroke="var(--c1)"', 1, true))
  assert(not page:find('class="line faint', 1, true) and not page:find('class="legend"', 1, true))
  assert(page:find("Lines: exponential average", 1, true))
  page = report.render{dirs[1], dirs[2]}
  assert(page:find('class="line faint', 1, true) and page:find("Faint: as logged", 1, true))

  local seeds = {make("s1", {lr = 1, seed = 1}, steps(0)), make("s2", {lr = 1, seed = 2}, steps(0.5))}
  page = report.render(seeds)
  equal({count(page, 'class="band"'), count(page, '<svg class="by%-')}, {3, 3})
  assert(page:find("the mean", 1, true))
end

-- A run without evaluations, one without anything, metrics that are null, half of a line.
do
  local page = report.render{make("none", {lr = 1}, "")}
  equal(count(page, "<figure>"), 0)
  page = report.render{make("null", {lr = 1},
    '{"step":1,"reward":null,"kl":1}\n{"step":2,"reward":2,"kl":"x"}\nrubbish\n{"step":3,"rew')}
  equal(count(page, "<figure>"), 2)
  assert(not page:find("nan", 1, true) and not page:find("evaluation", 1, true))
  local state = report.render({make("state", {lr = 1}, steps(0))}, "done")
  assert(state:find("<td>done</td>", 1, true))
end

-- Tokens by their log-probability, also without scripts; what is not two lists of the same length is
-- left out; their texts are only texts.
do
  local function line(fields)
    local record = {step = 1, prompt = "p", completion = "all of it", reward = 1, finish_reason = "eos"}
    for name, value in pairs(fields) do record[name] = value end
    return json.encode(record) .. "\n"
  end
  local attack = "</script><b>\u{202E}"
  local page = report.render{make("tokens", {lr = 1}, steps(0), line{
    tokens = {"ab", attack, "c", "d", "<eos>"}, token_logprobs = {-0.05, -0.5, -1.5, -2.5, -4}}
    .. line{tokens = {"x"}, token_logprobs = {1, 2}} .. line{tokens = "x", token_logprobs = {}})}
  local static = page:match "<noscript>(.-)</noscript>"
  assert(static:find('<span class="t0" title="-0.05">ab</span><span class="t1" title="-0.5">'
    .. '&lt;/script&gt;&lt;b&gt;\\u{202E}</span><span class="t2" title="-1.5">c</span>'
    .. '<span class="t3" title="-2.5">d</span><span class="t4" title="-4">&lt;eos&gt;</span>', 1, true))
  equal(count(static, "all of it"), 2)
  assert(page:find("Tokens by their probability", 1, true))
  local list = json.decode(page:match '<script type="application/json" id="completions">(.-)</script>')
  equal({list[1].tokens[2], list[2].tokens, list[3].tokens}, {apo.system.visible(attack)})
  assert(not page:find("\u{202E}", 1, true))
  page = report.render{make("plain", {lr = 1}, steps(0), line{})}
  assert(not page:find("Tokens by their probability", 1, true))
end

-- What a run records of tokens: of the best and the worst, rounded; their texts make up the
-- completion; parts of a character are one.
do
  local tokens = require "apo.run.tokens"
  local tokenizer = apo.tokenizer(spec.fixtures .. "/models/tiny-qwen2-tied")
  local function sample(text, reward)
    local ids, logprobs = tokenizer:encode(text), {}
    for i = 1, #ids do logprobs[i] = -0.126 * i end
    return {reward = reward, completion = {ids = ids, logprobs = logprobs}}
  end
  local texts = {" the cat", "é日本 x", "🙂🙂", "  two  spaces\n\ttab", "low", "", "mid", "mid"}
  local samples = {}
  for i, text in ipairs(texts) do samples[i] = sample(text, i == 5 and -1 or i <= 4 and 1 or 0) end
  local found = tokens(tokenizer, 8)(samples, 8)
  for i, text in ipairs(texts) do
    equal(table.concat(found[i].tokens), text)
    equal(#found[i].tokens, #found[i].logprobs)
    local sum, exact = 0, 0
    for k, x in ipairs(found[i].logprobs) do sum = sum + x end
    for _, x in ipairs(samples[i].completion.logprobs) do exact = exact + x end
    spec.close(sum, exact, 0.005 * #found[i].tokens + 1e-9)
  end
  assert(#found[3].tokens < #samples[3].completion.ids, "parts of a character are together")
  local some = {}
  for i in pairs(tokens(tokenizer, 3)(samples, 8)) do some[#some + 1] = i end
  table.sort(some)
  equal(some, {1, 2, 5})
  equal({next(tokens(tokenizer, 0)(samples, 8)), next(tokens(nil, 8)(samples, 8))}, {})
  equal(next(tokens(tokenizer, 8)({{reward = 1, completion = {ids = {1}}}}, 1)), nil)
end
