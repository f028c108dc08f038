-- Makes folders of runs that never ran, to see how the commands about runs cope with many:
--
--   apo-lua scripts/many-runs.lua FOLDER RUNS STEPS [hostile]
--
-- Each run has all metrics of apo.train, evaluations, some completions; `hostile` puts markup,
-- control characters and half a line into them. See scripts/report-scale.

local apo = require "apo"
local system, json = apo.system, apo.json

local folder, runs, steps = arg[1], math.tointeger(arg[2]), math.tointeger(arg[3])
if not (folder and runs and steps) then
  error("usage: apo-lua scripts/many-runs.lua FOLDER RUNS STEPS [hostile]", 0)
end
local is_hostile = arg[4] == "hostile"
local attack = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\27[31m\u{202E}\0"

local function noise() return math.random() + math.random() + math.random() - 1.5 end

local function step_record(run, step)
  local progress = step / steps
  local reward = 0.9 * (1 - math.exp(-4 * progress)) + 0.1 * noise() + 0.02 * (run % 5)
  local record = {
    kind = "step", step = step, epoch = step / 100, seconds = 1.5 * step, num_tokens = 9000 * step,
    reward = reward, reward_std = 0.4 + 0.05 * noise(), loss = math.exp(-3 * progress) + 0.1 * noise(),
    policy_loss = math.exp(-3 * progress) + 0.1 * noise(), kl = 0.01 * progress + 0.002 * noise(),
    grad_norm = 1 + 0.5 * noise() + (step % 997 == 0 and 30 or 0),
    learning_rate = 1e-4 * (1 - progress), beta = 1e-3, entropy = 1.2 - progress + 0.1 * noise(),
    ["completions/mean_length"] = 150 + 40 * progress + 10 * noise(),
    ["completions/clipped_ratio"] = math.max(0, 0.2 - 0.1 * progress + 0.05 * noise()),
    ["apo/explained_var"] = progress * 0.5 + 0.1 * noise(),
    ["apo/v_star_calibration"] = 0.1 + 0.02 * noise(),
    ["timing_s/gen"] = 0.8 + 0.1 * noise(), ["timing_s/ref"] = 0.1, ["timing_s/reward"] = 0.02,
    ["timing_s/update_actor"] = 0.5 + 0.05 * noise(), step_time = 1.45,
    ["perf/throughput"] = 6000, ["perf/peak_memory"] = 3.2 + 0.1 * progress,
    ["perf/resident_memory"] = 2.9 + 0.2 * progress + 0.02 * noise(),
    ["rewards/format/mean"] = math.min(1, progress * 2), my_metric = noise(),
  }
  if is_hostile then record[attack] = step % 7 end
  return json.encode(record, {order = {"step"}})
end

local function completion(run, step, i)
  local text = is_hostile and attack .. ("long "):rep(40) or ("word "):rep(30 + i)
  return json.encode({
    step = step, row = i, prompt = "What is " .. i .. " plus 2? " .. (is_hostile and attack or ""),
    completion = text, reward = (i + run) % 2, length = 30 + i, finish_reason = "eos", v_star = 0.5,
  }, {lossy = true})
end

-- Without waiting for the disk, as the library does.
local function write(path, lines)
  local file = assert(io.open(path, "wb"))
  file:write(table.concat(lines, "\n"), "\n")
  file:close()
end

local function make(run)
  local name = ("run-%06d"):format(run)
  local dir = folder .. "/" .. name
  system.make_folder(dir)
  write(dir .. "/run.json", {json.encode{
    id = ("%032x"):format(run), apo = apo._VERSION, started = os.date("!%Y-%m-%dT%H:%M:%SZ", 1700000000 + run),
    script = "train.lua", steps = steps,
    settings = {lr = 1e-4 * (1 + run // 5), seed = run % 5, batch_size = 64, eval = {every = 50}},
  }})
  local metrics, completions = {}, {}
  for step = 1, steps do
    metrics[#metrics + 1] = step_record(run, step)
    if step % math.max(1, steps // 50) == 0 then
      metrics[#metrics + 1] = json.encode{
        kind = "eval", step = step, seconds = 1.5 * step, epoch = step / 100,
        ["eval/reward"] = 0.8 * (1 - math.exp(-4 * step / steps)) + 0.02 * noise(),
        ["eval/mean_length"] = 150,
      }
    end
    if step % math.max(1, steps // 200) == 0 then
      for i = 1, 8 do completions[#completions + 1] = completion(run, step, i) end
    end
  end
  if is_hostile then metrics[#metrics + 1] = '{"step":' end
  write(dir .. "/metrics.jsonl", metrics)
  write(dir .. "/completions.jsonl", completions)
  write(dir .. "/events.jsonl", {json.encode{
    event = "warning", step = steps // 2, text = is_hostile and attack:sub(1, -2) or "clipped"}})
  write(dir .. "/script.lua", {is_hostile and attack or "-- a run"})
end

math.randomseed(7)
for run = 1, runs do make(run) end
