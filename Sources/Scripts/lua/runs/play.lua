-- A recorded run for something that takes a run step by step; see run/sinks.lua for what it takes.

local apo = require "apo"
local folder = require "apo.runs.folder"

-- Seconds since 1970 of a time like 2026-11-30T10:00:00Z (Hinnant, days_from_civil), or nil.
local function seconds_of(text)
  local numbers = {text:match "^(%d%d%d%d)%-(%d%d)%-(%d%d)T(%d%d):(%d%d):(%d%d)Z$"}
  if #numbers == 0 then return nil end
  for i, digits in ipairs(numbers) do numbers[i] = math.tointeger(tonumber(digits)) end
  local year, month, day, hour, minute, second = table.unpack(numbers)
  if month <= 2 then year = year - 1 end
  local of_era = year % 400
  local of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
  local days = year // 400 * 146097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719468
  return ((days * 24 + hour) * 60 + minute) * 60 + second
end

-- When a run began, by its summary.
local function began(run)
  return seconds_of(run.started) or apo.system.time() - (run.seconds or 0)
end

-- A recorded completion as the sample it was.
local function sample_of(record)
  return {
    step = math.tointeger(record.step), row = {prompt = record.prompt},
    completion = {text = record.completion}, reward = tonumber(record.reward),
    length = math.tointeger(record.length), finish_reason = record.finish_reason,
  }
end

-- The completions of one step after another: a function that gives those of the next step.
local function steps_of_completions(dir)
  local read = coroutine.wrap(function()
    folder.each(dir .. "/completions.jsonl", 0, function(record)
      local sample = sample_of(record)
      if sample.step then coroutine.yield(sample) end
    end)
    while true do coroutine.yield(nil) end
  end)
  local first = read()
  return function()
    local list = {first}
    while first do
      first = read()
      if not first or first.step ~= list[1].step then break end
      list[#list + 1] = first
    end
    return list[1] and list
  end
end

-- Gives all records of a run to `sink`, and how the run ended.
local function all(run, sink, start)
  local next_step = steps_of_completions(run.dir)
  local samples, time = next_step(), start
  folder.each(run.dir .. "/metrics.jsonl", 0, function(record)
    time = start + (tonumber(record.seconds) or 0)
    sink:metrics(record, time)
    local step = folder.is_step(record) and math.tointeger(record.step) or 0
    while samples and samples[1].step <= step do
      sink:completions(samples[1].step, samples, nil, time)
      samples = next_step()
    end
  end)
  sink:finish(run.state, time)
end

return {began = began, all = all, seconds_of = seconds_of}
