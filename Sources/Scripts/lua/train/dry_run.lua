-- What `apo-lua --dry-run` prints of a training: everything is resolved and checked as usual, then
-- one step is computed without its update, and its time and sizes are multiplied.

local apo = require "apo"
local dry_run, format = require "apo.script.dry_run", require "apo.runs.format"
local journal, tokens = require "apo.run.journal", require "apo.run.tokens"
local say, system = dry_run.say, apo.system

local function plural(count, noun)
  return ("%d %s%s"):format(count, noun, count == 1 and "" or "s")
end

local function megabytes(bytes)
  if bytes >= 1e9 then return ("%.2f GB"):format(bytes / 1e9) end
  return ("%.3g MB"):format(bytes / 1e6)
end

local function trained(model)
  local count = 0
  for _, weights in ipairs(model:parameters()) do
    count = count + (weights.requires_grad and weights:numel() or 0)
  end
  return count
end

local function say_sizes(run, s)
  local o, completions = run.options, #s.samples
  say("model", ("%s: %d weights, %d trained"):format(
    tostring(run.policy.path or "made by the script"), run.policy:num_parameters(),
    trained(run.policy)))
  say("data", ("%s: %s, all checked"):format(run.data.name, plural(#run.data, "row")))
  if o.eval then
    say("", ("%s: %s for evaluation, all checked"):format(
      o.eval.data.name, plural(#o.eval.data, "row")))
  end
  local rows = math.min(o.batch_size, #run.data)
  say("one step", ("%s, %s of at most %d tokens, %s"):format(plural(rows, "prompt"),
    plural(completions, "completion"), o.max_tokens, plural(s.update_count, "update")))
  say("steps", ("%d (%d an epoch)"):format(run.total, run.steps_per_epoch))
end

-- The first prompt, token by token, with its ids.
local function say_prompt(run, s)
  local ids = s.samples[1].completion.prompt_ids
  local shown, most = {}, 60
  for i = 1, math.min(#ids, most) do shown[i] = run.policy.tokenizer:decode{ids[i]} end
  local more = #ids > most and (" … (%d more)"):format(#ids - most) or ""
  say("first prompt", ("%s: %s%s"):format(plural(#ids, "token"),
    system.visible(table.concat(shown, "|")), more))
  say("its ids", table.concat(ids, " ", 1, math.min(#ids, most)) .. more)
end

local function say_rewards(s)
  local sum, least, most, cut = 0, math.huge, -math.huge, 0
  for _, sample in ipairs(s.samples) do
    sum = sum + sample.reward
    least, most = math.min(least, sample.reward), math.max(most, sample.reward)
    cut = cut + (sample.finish_reason == "length" and 1 or 0)
  end
  for i = 1, math.min(3, #s.samples) do
    local sample = s.samples[i]
    say(i == 1 and "completions" or "", ("reward %.4g  %q"):format(
      sample.reward, system.excerpt(system.visible(sample.completion.text), 60)))
  end
  say("reward", ("mean %.4g, from %.4g to %.4g; %.0f %% of the completions cut off"):format(
    sum / #s.samples, least, most, 100 * cut / #s.samples))
end

-- Seconds of all evaluations, by the time that the step's completions took.
local function seconds_of_evaluations(run, s)
  local eval = run.options.eval
  if not eval then return 0, 0 end
  local count = run.total // eval.every + 1 + (run.total % eval.every > 0 and 1 or 0)
  local each = (s.seconds.gen or 0) + (s.seconds.reward or 0)
  return count, count * each * #eval.data * eval.n / #s.samples
end

-- What a step took.
local function seconds_of(s)
  local sum = 0
  for _, seconds in pairs(s.seconds) do sum = sum + seconds end
  return sum
end

local function say_times(run, s)
  local phases, total = {}, seconds_of(s)
  for _, phase in ipairs{{"gen", "sampling"}, {"reward", "rewards"}, {"ref", "reference"},
                         {"update_actor", "gradients"}} do
    local seconds = s.seconds[phase[1]] or 0
    phases[#phases + 1] = ("%s %.2g"):format(phase[2], seconds)
  end
  local evaluations, seconds = seconds_of_evaluations(run, s)
  say("time", ("%.3g s a step, without its update"):format(total))
  say("", "of which " .. table.concat(phases, ", "))
  say("", ("about %s in all: %s, %s"):format(format.duration(run.total * total + seconds),
    plural(run.total, "step"), plural(evaluations, "evaluation")))
end

-- Bytes of the run folder: weights and two moments of each trained weight in a checkpoint.
local function say_disk(run, s)
  local o = run.options
  if not o.dir then return say("disk", "nothing: there is no `dir`") end
  local each = 0
  for _, object in pairs(run:objects()) do
    local kind = (debug.getmetatable(object) or {}).__name
    if kind ~= "apo.Optimizer" then
      local saved = object.adapter and trained(object) or object:num_parameters()
      each = each + 4 * saved + 8 * trained(object)
    end
  end
  local lines = journal.completion_lines(s.samples, o.beta, o.log_completions,
    tokens(o.policy.tokenizer, o.log_tokens))
  local logged = run.total // o.log_every * (#table.concat(lines, "\n") + 1500)
  local kept = (o.keep and o.keep.last or 2) + (o.keep and o.keep.best and 1 or 0) + 1
  local free = system.free_space(o.dir:match "^(.*)/[^/]*$" or ".")
  say("disk", ("about %s: %s of %s, metrics and completions %s%s"):format(
    megabytes(kept * each + logged), plural(kept, "checkpoint"), megabytes(each),
    megabytes(logged), free and ("; %s are free"):format(megabytes(free)) or ""))
end

-- Reports on a run before its first step, and ends the program.
return function(run)
  journal.check(run.dir, run.options.resume)
  run.is_dry = true
  local _, rows = run:batches()()
  run:set_rates(1)
  local s = run:take_step(1, rows)
  if seconds_of(s) < 5 then s = run:take_step(1, rows) end  -- the first one warms up
  say_sizes(run, s)
  say_prompt(run, s)
  say_rewards(s)
  say_times(run, s)
  say_disk(run, s)
  local resident, peak = system.memory()
  say("memory", ("%s at most so far"):format(megabytes(peak or resident)))
  dry_run.finish()
end
