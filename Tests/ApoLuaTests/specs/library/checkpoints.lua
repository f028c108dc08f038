-- Checkpoints know whether they are whole, which ones stay, and what is done without them.
local spec = ...
local apo = require "apo"
local equal, raises = spec.equal, spec.raises
local system = apo.system

local set_up = spec:training{rows = 12, options = {epochs = 2, max_tokens = 3, save_every = 2}}
local data = set_up.data

local function train(dir, changes) return set_up.train({dir = dir}, changes) end

local function checkpoints(dir) return system.list(dir .. "/checkpoint") end

local function flip(path, place)
  local text = spec.read(path)
  place = place < 0 and #text + 1 + place or place
  local byte = string.char(text:byte(place) ~ 4)
  spec.write(path, text:sub(1, place - 1) .. byte .. text:sub(place + 1))
end

local function copy(from, to)
  assert(os.execute(("rm -rf '%s' && cp -a '%s' '%s'"):format(to, from, to)))
end

-- Two stay by default; the script learns where they are.
local whole = spec.folder .. "/whole"
local result = train(whole)
equal({result.checkpoint, result.best_checkpoint}, {whole .. "/checkpoint/step-6", nil})
equal(checkpoints(whole), {"step-4", "step-6"})
equal(system.list(whole .. "/checkpoint/step-6"),
  {"checksums.json", "optimizer.safetensors", "policy", "state.json"})
equal(apo.json.read(whole .. "/checkpoint.json"), {step = 6})

-- One flipped bit, one missing byte or a missing file of any file of the last checkpoint is named,
-- and the one before it offered; nothing of the run is changed. From there the run ends with the
-- same bytes.
local function weights(dir)
  local path = dir .. "/checkpoint/step-6/"
  return spec.read(path .. "policy/model.safetensors") .. spec.read(path .. "optimizer.safetensors")
end
local damaged = spec.folder .. "/damaged"
local offer = '; the one before it is whole: resume = "step-4" goes on from there'
local sums = apo.json.read(whole .. "/checkpoint/step-6/checksums.json").files
local names = {}
for name in pairs(sums) do names[#names + 1] = name end
assert(#names >= 5)
for _, name in ipairs(names) do
  local path = damaged .. "/checkpoint/step-6/" .. name
  local other = "its content has changed: its XXH64 is "
  local shorter = ("has %d bytes, %d were saved"):format(sums[name].size - 1, sums[name].size)
  for _, case in ipairs{
    {function() flip(path, 1) end, other}, {function() flip(path, -1) end, other},
    {function() spec.write(path, spec.read(path):sub(1, -2)) end, shorter},
    {function() os.remove(path) end, "is missing"},
  } do
    local damage, expected = case[1], case[2]
    copy(whole, damaged)
    damage()
    local text = "the checkpoint of step 6 is damaged: " .. path .. ": " .. expected
    raises(text, train, damaged, {resume = true})
    raises(offer, train, damaged, {resume = true})
    raises("replay: the last checkpoint is damaged: " .. path, apo.replay, damaged,
      {target = function() return 1 end})
    equal(spec.read(damaged .. "/metrics.jsonl"), spec.read(whole .. "/metrics.jsonl"))
  end
end
for place = 1, 400, 57 do  -- the list itself: no flipped bit of it makes another checkpoint whole
  copy(whole, damaged)
  flip(damaged .. "/checkpoint/step-6/checksums.json", place)
  local ok, message = pcall(train, damaged, {resume = true})
  assert(ok or message:find("the checkpoint of step 6 is damaged: " .. damaged, 1, true), message)
end
copy(whole, damaged)
os.remove(damaged .. "/checkpoint/step-6/checksums.json")
raises("step-6/checksums.json: is missing; the one before it", train, damaged, {resume = true})
result = train(damaged, {resume = "step-4"})
equal({result.steps, weights(damaged) == weights(whole)}, {6, true})
equal(checkpoints(damaged), {"step-4", "step-6"})

-- A checkpoint that is gone is missed; without any, the run does not begin anew.
copy(whole, damaged)
system.remove_folder(damaged .. "/checkpoint/step-6")
raises("checkpoint/step-6 is gone, the checkpoint that this run saved last" .. offer, train,
  damaged,
  {resume = true})
raises("checkpoint has no step-6; there is step-4", train, damaged, {resume = "step-6"})
equal(weights(train(damaged, {resume = "step-4"}).dir) == weights(whole), true)
for _, removed in ipairs{"/checkpoint", "/checkpoint/step-4"} do
  copy(whole, damaged)
  flip(damaged .. "/checkpoint/step-6/state.json", 1)
  system.remove_folder(damaged .. removed)
  raises("there is no whole one before it: put it back, or start the run anew in another folder",
    train, damaged, {resume = true})
  equal(spec.read(damaged .. "/metrics.jsonl"), spec.read(whole .. "/metrics.jsonl"))
end
raises("checkpoint has no step-9; there is step-6", train, damaged, {resume = "step-9"})
raises('such as "step-20", or both: {from = "step-20", force = true}, got "stp-6"', train, damaged,
  {resume = "stp-6"})

-- What a killed process left is removed or completed by the next start; a script's text too.
copy(whole, damaged)
for _, name in ipairs{"checkpoint/.step-8/policy", "checkpoint/.removed-step-2/policy"} do
  system.make_folder(damaged .. "/" .. name)
end
os.remove(damaged .. "/report.html")
os.remove(damaged .. "/checkpoint.json")
train(damaged, {resume = true})
equal(system.list(damaged .. "/checkpoint"), {"step-4", "step-6"})
assert(spec.read(damaged .. "/report.html"):find("<svg", 1, true))
equal(apo.json.read(damaged .. "/checkpoint.json"), {step = 6})

-- A save that fails leaves the checkpoint before and nothing unfinished.
local failing, checksum = spec.folder .. "/failing", system.checksum
raises("there is an end", train, failing, {
  save_every = 1,
  on_step = function(record)
    if record.step < 3 then return end
    function system.checksum() error "there is an end" end
  end,
})
system.checksum = checksum
equal(checkpoints(failing), {"step-1", "step-2"})
equal(train(failing, {resume = true, save_every = 1, keep = {last = 1}}).steps, 6)
equal(checkpoints(failing), {"step-6"})

-- The best one stays beside the last ones, by the figure as it was logged; the first of equals.
local function kept(name, keep, changes)
  local dir = spec.folder .. "/" .. name
  changes = changes or {}
  changes.keep = keep
  local of_run = train(dir, changes)
  return checkpoints(dir), of_run.best_checkpoint and of_run.best_checkpoint:match "step%-%d+$",
    of_run
end
local function best_of(history, name, sign, steps)
  local best, value
  for _, record in ipairs(history) do
    local figure = record[name] and record.step > 0 and sign * record[name]
    if figure and record.step % steps == 0 and (not best or figure > value) then
      best, value = "step-" .. record.step, figure
    end
  end
  return best
end
for mode, sign in pairs{max = 1, min = -1} do
  for _, figure in ipairs{"loss", "reward", "num_tokens", "eval/mean_length"} do
    local dir = mode .. figure:gsub("/", "-")
    local names, best, of_run = kept(dir, {last = 1, best = figure, mode = mode},
      {save_every = 1, eval = {data = data:take(2), every = 1}})
    local expected = best_of(of_run.history, figure, sign, 1)
    equal(best, expected)
    equal(names, expected == "step-6" and {"step-6"} or {expected, "step-6"})
  end
end
-- A new best evaluation is saved when it comes, whatever `save_every` is.
local means = {0.1, 0.7, 0.3, 0.7, 0.5, 0.2}
local evaluate, number = apo.evaluate, 0
apo.evaluate = function(options)
  local of = evaluate(options)
  of.mean, number = means[number] or 0, number + 1
  return of
end
local names, best = kept("evaluated", {last = 1, best = "eval/reward"},
  {save_every = 6, eval = {data = data:take(2), every = 1}})
apo.evaluate = evaluate
equal({names, best}, {{"step-2", "step-6"}, "step-2"})
raises("train: option 'keep': no metric is named 'eval/rewad'; there are ", kept, "misspelt",
  {best = "eval/rewad"}, {eval = {data = data:take(2)}})
raises("keep", kept, "none", {last = 0})

-- An earlier checkpoint and other settings at once.
do
  local dir = spec.folder .. "/mended"
  copy(whole, dir)
  local changed = {resume = "step-4", lr = 1e-3}
  raises('continue with the new ones with resume = {from = "step-4", force = true}', train, dir, changed)
  equal(checkpoints(dir), {"step-4", "step-6"})
  changed.resume = {from = "step-4", force = true}
  equal(train(dir, changed).steps, 6)
  equal({apo.json.read(dir .. "/run.json").settings.lr, weights(dir) == weights(whole)},
    {1e-3, false})
  local event
  for line in apo.json.read_lines(dir .. "/events.jsonl") do
    if line.event == "force" then event = line end
  end
  equal({event.step, event.settings.lr}, {5, {before = 3e-3, now = 1e-3}})
  equal(train(dir, {resume = {}, lr = 1e-3}).steps, 6)
  for text, resume in pairs{
    ["unknown field 'form'; known: from, force"] = {form = "step-4"},
    ['got from = "6"'] = {from = "6"}, ["got from = number"] = {from = 6},
    ["got force = string"] = {force = "yes"}, ["checkpoint has no step-3"] = {from = "step-3"},
  } do
    raises(text, train, dir, {resume = resume, lr = 1e-3})
  end
end
