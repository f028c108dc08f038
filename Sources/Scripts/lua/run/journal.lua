-- The record of a run, in a folder:
--
--   run.json            every setting, the seed, versions, what the data and the models are
--   script.lua          the script that ran
--   metrics.jsonl       one line of figures for each logged step
--   completions.jsonl   what the policy wrote in those steps
--   events.jsonl        warnings, and the text of functions that came from files or were edited
--   .lock               empty; locked by the training that writes to the folder
--
-- The metrics and completions also go to `sinks`, where they are set; see run/sinks.lua.
-- A folder that holds a run is not written to unless the run is resumed; then its settings must be
-- the same, and what was written after the checkpoint is removed. Without a folder the metrics are
-- kept in memory.

local apo = require "apo"
local fail, run_changes = require "apo.fail", require "apo.run.changes"
local rows_of_files, again = require "apo.rows", require "apo.runs.script"
local json, system, shown = apo.json, apo.system, apo.system.shown

local Journal = {}
Journal.__index = Journal

local files = {"metrics.jsonl", "completions.jsonl", "events.jsonl"}

local function script_text()
  if again.text then return again.text end
  local path = arg and arg[0]
  return path and system.exists(path) == "file" and system.read_file(path) or nil
end

local function check_unused(dir)
  local names = {"script.lua", "checkpoint", "checkpoint.json", "report.html", table.unpack(files)}
  for _, name in ipairs(names) do
    if system.exists(dir .. "/" .. name) then
      fail(("%s has a %s but no run.json, so it is not a run folder; choose another")
        :format(shown(dir), name))
    end
  end
end

local function keep_script(journal)
  local path, text = journal.dir .. "/script.lua", script_text()
  if text and not system.exists(path) then system.write_file(path, text) end
end

-- The settings that a run.json holds.
local function settings(path)
  local about = json.read(path)
  local found = type(about) == "table" and about.settings
  if type(found) ~= "table" then fail(shown(path) .. ": field 'settings' must be an object") end
  if found.seed ~= nil and math.type(found.seed) ~= "integer" then
    fail(("%s: field 'settings.seed' must be an integer, got %s"):format(
      shown(path), type(found.seed)))
  end
  return found
end

-- The seed of the run that a folder holds, nil when it holds none.
local function seed(dir)
  local path = dir .. "/run.json"
  return system.exists(path) and settings(path).seed or nil
end

local function continue(journal, about, resume, rules)
  local path = journal.dir .. "/run.json"
  local before = settings(path)
  journal.changes = run_changes.between(before, about.settings, rules)
  if #journal.changes == 0 or resume.force then
    journal.before = json.read(path)
    return
  end
  local way = resume.from and ("{from = %q, force = true}"):format(resume.from) or '"force"'
  fail(("%s: the run was started with other settings (%s); use them again to resume it, "
    .. "continue with the new ones with resume = %s, or choose another folder"):format(shown(path),
    run_changes.text(journal.changes), way))
end

-- Raises an error if the run folder is no longer the one that was locked.
function Journal:check()
  if self.lock then self.lock:check() end
end

local function is_run(dir) return system.exists(dir .. "/run.json") end

local function check_new(dir, resume)
  if is_run(dir) and not resume then
    fail(("%s already holds a run: resume = true continues it, another dir starts a new one")
      :format(shown(dir)))
  end
end

-- Raises the error that starting or resuming a run in a folder would raise by what it holds.
local function check(dir, resume)
  if not dir then return end
  check_new(dir, resume)
  if not is_run(dir) then check_unused(dir) end
end

-- Checks that a folder can be written to, and locks it; returns the lock, or nil without a folder.
local function lock(dir, resume)
  if not dir then return nil end
  check_new(dir, resume)
  if not is_run(dir) then
    system.make_folder(dir)
    check_unused(dir)
  end
  local held = system.lock(dir .. "/.lock")
  if not held then
    fail(shown(dir) .. ": another run is writing to this folder; wait until it ends or choose "
      .. "another")
  end
  -- Another run may have started between the first check and the lock.
  local is_new, problem = pcall(check_new, dir, resume)
  if is_new then return held end
  held:free()
  error(problem, 0)
end

-- Opens the journal of a run whose folder is locked; `about` is what run.json will hold, with
-- `settings` in it. `rules` say which of them may differ where a run goes on; see run/changes.lua.
local function open(dir, about, resume, held, rules)
  local journal = setmetatable({dir = dir, lock = held, history = {}, events = {}}, Journal)
  journal.lengths = {}
  for _, name in ipairs(files) do journal.lengths[name] = 0 end
  if not dir then return journal end
  system.remove_temporary(dir, {"run.json", "script.lua", "report.html", "checkpoint.json"})
  if is_run(dir) then continue(journal, about, resume, rules or {free = {}, defaults = {}})
  else json.write(dir .. "/run.json", about) end
  keep_script(journal)
  return journal
end

-- Appends lines to a file, which must be as this run left it.
local function append(journal, name, lines)
  if not journal.dir or #lines == 0 then return end
  local text, length = table.concat(lines, "\n") .. "\n", journal.lengths[name]
  journal:check()
  system.append(journal.dir .. "/" .. name, text, length)
  journal.lengths[name] = length + #text
end

-- The record with null for what is not finite, which JSON has no number for.
local function writable(record)
  local copy = {}
  for name, value in pairs(record) do
    local is_number = type(value) == "number"
    copy[name] = is_number and value - value ~= 0 and json.null or value
  end
  return copy
end

-- Adds a line of metrics.
function Journal:metrics(record)
  self.history[#self.history + 1] = record
  append(self, "metrics.jsonl", {json.encode(writable(record), {
    lossy = true, order = {"step", "kind", "epoch"},
  })})
  if self.sinks then self.sinks:metrics(record) end
end

-- Adds an event.
function Journal:event(event)
  self.events[#self.events + 1] = event
  append(self, "events.jsonl", {json.encode(event, {lossy = true, order = {"event", "step"}})})
end

-- A line for each sample of a step, at most `limit`. `beta` is A*-PO's, else nil; `tokens` gives
-- the tokens of some samples, see run/tokens.lua.
local function completion_lines(samples, beta, limit, tokens)
  local lines, count = {}, math.min(#samples, limit or #samples)
  local of_samples = tokens and tokens(samples, count) or {}
  for i = 1, count do
    local s, told = samples[i], of_samples[i] or {}
    lines[i] = json.encode({
      step = s.step, prompt = s.row.prompt, completion = s.completion.text, reward = s.reward,
      rewards = s.rewards, v_star = s.value, advantage = s.target or s.advantage, logp = s.logp,
      ref_logp = s.ref_logp, implicit_reward = beta and s.ref_logp and beta * (s.logp - s.ref_logp),
      length = s.length, finish_reason = s.finish_reason,
      stop_reason = s.stop_reason, row = rows_of_files.get(s.row),
      prompt_ids = s.completion.prompt_ids, ids = s.completion.ids,
      tokens = told.tokens, token_logprobs = told.logprobs,
    }, {lossy = true, order = {"step", "row", "prompt", "completion", "reward"}})
  end
  return lines
end

-- Adds the lines of a step's samples.
function Journal:completions(samples, beta, limit)
  append(self, "completions.jsonl", completion_lines(samples, beta, limit, self.tokens))
  if self.sinks and #samples > 0 then self.sinks:completions(samples[1].step, samples, limit) end
end

-- Ends what else is written of the run: it is "done", "failed" or "stopped".
function Journal:finish(state)
  if self.sinks then self.sinks:finish(state) end
end

-- Accepts the changed settings of a resumed run: writes them into run.json, and into events.jsonl,
-- from which `rewind` may have removed what run.json has. Returns messages.
function Journal:adopt(about, step)
  if not self.before then return {} end
  local new, said = run_changes.adopted(self.before, about, self.changes, step)
  if new then
    json.write(self.dir .. "/run.json", new)
    if #self.changes > 0 then
      local text = script_text()
      if text then system.write_file(self.dir .. "/script.lua", text) end
    end
  end
  local is_there = {}
  for _, event in ipairs(self.events) do is_there[event.event .. tostring(event.time)] = true end
  for _, event in ipairs((new or self.before).changes or {}) do
    if not is_there[event.event .. tostring(event.time)] then self:event(event) end
  end
  return said
end

-- The sizes of the files, for checkpoints.
function Journal:sizes()
  local sizes = {}
  for name, length in pairs(self.lengths) do sizes[name] = length end
  return sizes
end

-- The records of a file of the folder.
function Journal:lines(name)
  local records, path = {}, self.dir .. "/" .. name
  if system.size(path) then
    for record, line in json.read_lines(path) do
      if type(record) ~= "table" then
        fail(("%s: line %d: must be an object of metrics, got %s"):format(
          shown(path), line, type(record)))
      end
      records[#records + 1] = record
    end
  end
  return records
end

-- Removes what was written after a checkpoint, and reads the metrics up to it.
function Journal:rewind(sizes)
  for _, name in ipairs(files) do
    local path = self.dir .. "/" .. name
    local size, kept = system.size(path) or 0, sizes[name] or 0
    if size < kept then
      fail(("%s has %d bytes, the checkpoint was made when it had %d"):format(
        shown(path), size, kept))
    elseif size > kept then
      system.truncate(path, kept)
    end
    self.lengths[name] = kept
  end
  self.history = self:lines "metrics.jsonl"
  for _, record in ipairs(self.history) do  -- older runs have no `kind`
    record.kind = record.kind or (record.reward and "step" or "eval")
  end
  self.events = self:lines "events.jsonl"
end

return {check = check, lock = lock, open = open, seed = seed, completion_lines = completion_lines}
