-- A copy of an algorithm under another name is treated as the original: what runs, estimates, warns
-- and records it reads the properties that its file declares, and never its name.
local spec = ...
local apo = require "apo"
local equal = spec.equal
local warnings, algorithms = require "apo.train.warnings", require "apo.train.algorithm"
local shipped = require "apo.algorithms.shipped"

local examples = spec.checkout .. "/examples"
local data = apo.dataset(examples .. "/data/arithmetic/train.jsonl"):take(4)
local function reward(row, completion) return completion.text == row.answer and 1 or #completion.text / 10 end
local function model() return apo.load(examples .. "/models/arithmetic") end
local values = apo.estimate_values{
  model = model():freeze(), data = data, reward = reward, n = 2, max_tokens = 4, seed = 1, quiet = true,
}

-- Two copies: of the file, as `apo-lua copy` writes it, and of the table.
local function copies(name)
  local text = spec.read(("%s/Sources/Scripts/lua/algorithms/%s.lua"):format(spec.checkout, name))
  local renamed, count = text:gsub(('name = "%s"'):format(name), 'name = "another"')
  equal(count, 1)
  local of_table = {}
  for property, value in pairs(apo.algorithms[name]{}) do of_table[property] = value end
  of_table.name = "another"
  return {assert(load(renamed, "@another.lua"))()(), of_table}
end

local function is_time(name)
  return name:find "^timing" or name:find "^perf" or name == "seconds" or name == "step_time"
end

local count = 0

-- Everything that a run of two steps shows: figures, what was noted, warnings, what is estimated.
local function behaviour(algorithm, name)
  local seen, estimate = {plans = {}}, apo.memory_estimate
  apo.memory_estimate = function(plan)
    local copy = {}
    for key, value in pairs(plan) do copy[key] = type(value) == "userdata" or value end
    seen.plans[#seen.plans + 1] = copy
    return estimate(plan)
  end
  count = count + 1
  local takes_values = name == shipped.default
  local result = apo.train{
    policy = model(), data = data, reward = reward, algorithm = algorithm, lr = 1e-3, seed = 3,
    values = takes_values and values or nil, batch_size = 2, max_tokens = 2, quiet = true,
    dir = ("%s/%d"):format(spec.folder, count), on_step = function(_, samples)
      for _, sample in ipairs(samples) do
        seen[#seen + 1] = {sample.reward, sample.target, sample.advantage, sample.fitted, sample.ref_logp}
      end
    end,
  }
  apo.memory_estimate = estimate
  for _, record in ipairs(result.history) do
    local figures = {}
    for figure, value in pairs(record) do figures[figure] = not is_time(figure) and value or nil end
    seen[#seen + 1] = figures
  end
  for event in apo.json.read_lines(result.dir .. "/events.jsonl") do seen[#seen + 1] = event.text end
  equal(apo.json.read(result.dir .. "/run.json").settings.algorithm.name ~= nil, true)
  return seen
end

-- What is said of figures that go nowhere, with the name taken out.
local function said(algorithm)
  algorithm = algorithms.of{algorithm = algorithm}
  local list = {}
  for _, figures in ipairs{
    {grad_norm = 0}, {loss = false, ["dapo/left_out_frac"] = 1}, {loss = false}, {reward_std = 0},
    {["apo/v_star_zero_frac"] = 1}, {frac_reward_zero_std = 1}, {["update/weight_delta_norm"] = 0},
  } do
    local record = {reward = 0.5, reward_std = 0.5, loss = 0.1, grad_norm = 1e-3, kl = 0.1,
                    ["completions/clipped_ratio"] = 0.1, ["update/weight_delta_norm"] = 1e-2}
    for figure, value in pairs(figures) do record[figure] = value or nil end
    local warn, texts = warnings(algorithm), nil
    for _ = 1, 3 do texts = warn(record) end
    list[#list + 1] = table.concat(texts, "; "):gsub(algorithm.name, "NAME")
  end
  return list
end

for _, name in ipairs(shipped.names) do
  local original = apo.algorithms[name]{}
  local expected = behaviour(original, name)
  assert(#expected > 4 and expected.plans[1].n == (original.options.n or name == "rebel" and 2 or 1))
  for i, copy in ipairs(copies(name)) do
    local ok, problem = pcall(equal, behaviour(copy, name), expected)
    if not ok then error(("%s, copy %d: %s"):format(name, i, problem)) end
    equal(said(copy), said(original))
  end
end

-- Texts of its own are among them.
assert(table.concat(said(apo.algorithms.astarpo{})):find "The target must depend on the completion")
assert(table.concat(said(apo.algorithms.dapo{})):find "all were left out")

-- Properties that are functions of the options are called; a table by hand may have them too.
local made = algorithms.of{algorithm = {
  step = print, options = {k = 3}, n = function(o) return o.k + 1 end,
  needs_reference = function(o) return o.k > 3 end, single_update = function(o) return o.k == 3 end,
}}
equal({made.n, made.needs_reference, made.single_update, made.fresh_samples}, {4, false, true, false})
