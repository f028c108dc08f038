-- The rollouts of a recorded run (completions.jsonl), step by step, without generating anything.

local apo = require "apo"
local documented, fail = require "apo.documented", require "apo.fail"

-- A line of completions.jsonl, converted for apo.rollout and target functions.
local function sample_of(line, step, temperature)
  return {
    row = {prompt = line.prompt}, step = step, reward = line.reward, rewards = line.rewards,
    value = line.v_star, target = line.advantage, logp = line.logp, ref_logp = line.ref_logp,
    length = line.length, finish_reason = line.finish_reason, stop_reason = line.stop_reason,
    index = line.row,
    record = {
      prompt_ids = line.prompt_ids, ids = line.ids, text = line.completion,
      prompt = type(line.prompt) == "string" and line.prompt or nil,
      finish_reason = line.finish_reason, stop_reason = line.stop_reason, temperature = temperature,
    },
  }
end

local function check(line, place)
  if type(line) ~= "table" or math.type(line.step) ~= "integer" then
    fail(place .. ": expected an object with a step")
  elseif type(line.ids) ~= "table" or type(line.prompt_ids) ~= "table" then
    fail(place .. ": there are no token ids; the run was recorded before completions had them")
  end
end

local function rollout_of(samples)
  local records = {}
  for i, sample in ipairs(samples) do
    sample.record.row = sample.row
    records[i] = sample.record
  end
  local rollout = apo.rollout(records)
  for i, sample in ipairs(samples) do sample.completion, sample.record = rollout[i], nil end
  return rollout
end

return documented{
  name = "apo.recorded", summary = "Iterates over the rollouts of a recorded run, step by step.",
  details = "Reads `completions.jsonl`: the logged steps, each with its recorded completions "
    .. "(see `log_every` and `log_completions` of apo.train).",
  parameters = {{name = "dir", type = "string", text = "the folder of the run"}},
  returns = {{type = "function", text = "iterator of step, apo.Rollout, and samples as a target "
    .. "function receives them, with the recorded `target`; `row` has only the prompt"}},
  example = [[apo.train{
  policy = model, data = train, values = values, reward = reward, lr = 1e-4, batch_size = 4,
  max_tokens = 4, max_steps = 2, dir = "runs/recorded", quiet = true,
}
for step, rollout, samples in apo.recorded("runs/recorded") do
  print(step, #rollout, samples[1].reward, samples[1].ref_logp)
end]],
  call = function(dir)
    local about = apo.json.read(dir .. "/run.json")
    local settings = type(about) == "table" and about.settings
    local temperature = type(settings) == "table" and settings.temperature
    if type(temperature) ~= "number" or temperature == 0 then temperature = 1 end
    local path = dir .. "/completions.jsonl"
    if not apo.system.exists(path) then fail(path .. ": there is no such file") end
    local next_line = apo.json.read_lines(path)
    local line, number = next_line()
    return function()
      if not line then return nil end
      check(line, ("%s: line %d"):format(path, number))
      local step, samples = line.step, {}
      repeat
        check(line, ("%s: line %d"):format(path, number))
        samples[#samples + 1] = sample_of(line, step, temperature)
        line, number = next_line()
      until not line or type(line) ~= "table" or line.step ~= step
      return step, rollout_of(samples), samples
    end
  end,
}
