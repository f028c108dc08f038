-- The completions that a report shows: of the last step all, of the others the best and the worst.

local apo = require "apo"
local folder = require "apo.runs.folder"

local of_each_step, most = 4, 1500

local function number(value)
  return type(value) == "number" and value - value == 0 and value or nil
end

-- The best and the worst samples of a step.
local function ends(samples)
  if #samples <= 2 * of_each_step then return samples end
  table.sort(samples, function(a, b) return (a.reward or -math.huge) > (b.reward or -math.huge) end)
  local kept = table.move(samples, 1, of_each_step, 1, {})
  return table.move(samples, #samples - of_each_step + 1, #samples, #kept + 1, kept)
end

-- What a model wrote, with control characters and marks of direction escaped: they would change how
-- the rest of the page reads.
local function text(value)
  if type(value) ~= "string" then
    value = value ~= nil and apo.json.encode(value, {lossy = true}) or ""
  end
  return apo.system.visible(value, true)
end

-- The tokens of a completion with their log-probabilities, where they were recorded.
local function tokens_of(record)
  local texts, values = record.tokens, record.token_logprobs
  if type(texts) ~= "table" or type(values) ~= "table" or #texts ~= #values then return nil end
  local shown = {}
  for i, one in ipairs(texts) do
    if type(one) ~= "string" or not number(values[i]) then return nil end
    shown[i] = text(one)
  end
  return #shown > 0 and shown or nil, values
end

local function shown(record)
  local tokens, logprobs = tokens_of(record)
  return {
    tokens = tokens, logprobs = tokens and logprobs,
    step = number(record.step), row = number(record.row), prompt = text(record.prompt),
    text = text(record.completion), reward = number(record.reward),
    v = number(record.v_star), length = number(record.length),
    finish = text(record.finish_reason), logp = number(record.logp),
  }
end

-- The samples of a run, and how many there are in its file.
return function(dir)
  local by_step, steps, count = {}, {}, 0
  folder.each(dir .. "/completions.jsonl", 0, function(record)
    local sample = shown(record)
    if sample.step then
      count = count + 1
      local list = by_step[sample.step]
      if not list then
        list = {}
        by_step[sample.step], steps[#steps + 1] = list, sample.step
      end
      list[#list + 1] = sample
    end
  end)
  table.sort(steps)
  local kept = {}
  for i = #steps, 1, -1 do
    local list = i == #steps and by_step[steps[i]] or ends(by_step[steps[i]])
    for _, sample in ipairs(list) do
      if #kept >= most then return kept, count end
      kept[#kept + 1] = sample
    end
  end
  return kept, count
end
