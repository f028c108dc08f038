-- apo.fork: another run from a kept checkpoint of one, by the same script with other settings.

local apo = require "apo"
local documented, fail = require "apo.documented", require "apo.fail"
local folder, script = require "apo.runs.folder", require "apo.runs.script"
local kept, fork = require "apo.run.kept", require "apo.run.forking"
local system = apo.system

local active            -- the plan of the fork that runs
local ending = setmetatable({}, {__tostring = function() return "the run was forked" end})

-- A folder beside the run for the new one.
local function free_folder(dir, step)
  local stem = ("%s-fork-%d"):format(dir:gsub("/+$", ""), step)
  local name = stem
  for i = 2, math.huge do
    if not system.exists(name) then return name end
    name = ("%s-%d"):format(stem, i)
  end
end

local function check_step(dir, step)
  local steps = kept.steps(dir)
  for _, there in ipairs(steps) do
    if there == step then return end
  end
  fail(("fork: %s has no checkpoint of step %d; there is %s (see `keep` of apo.train)"):format(
    system.shown(dir), step, #steps > 0 and table.concat(steps, ", ") or "none"))
end

-- The options of the script with the changes in them; tables such as `eval` by their fields.
local function merged(options, changes)
  local copy = {}
  for name, value in pairs(options) do copy[name] = value end
  for name, value in pairs(changes) do
    local is_plain = type(value) == "table" and getmetatable(value) == nil and #value == 0
    if is_plain and type(copy[name]) == "table" and getmetatable(copy[name]) == nil then
      value = merged(copy[name], value)
    end
    copy[name] = value
  end
  return copy
end

-- The folders that the script of a run may name as its own: the run's, and, of a fork, that of the
-- run that it began with.
local function folders_of(run)
  local list = {script.full(run.dir)}
  local parent = run.about.parent
  while type(parent) == "table" and type(parent.run) == "string" and #list < 50 do
    list[#list + 1] = parent.run
    local is_read, of = pcall(folder.summary, parent.run)
    parent = is_read and of.about.parent
  end
  return list
end

local function is_folder_of(plan, dir)
  for _, own in ipairs(plan.folders) do
    if system.is_same(dir, own) or script.full(dir) == own then return true end
  end
  return false
end

-- apo.train or apo.run, which records the run that is forked into the other folder. It writes into
-- no other: the script of a run that was copied or moved still names the folder of before.
local function redirected(original, plan)
  return function(options, ...)
    local dir = type(options) == "table" and options.dir
    if type(dir) ~= "string" then return original(options, ...) end
    if plan.is_found then error(ending) end
    if not is_folder_of(plan, dir) then
      fail(("fork: the script records into %s, not into %s: was the run moved or copied?"):format(
        system.shown(dir), system.shown(plan.from)))
    end
    plan.is_found = true
    local changed = merged(options, plan.changes)
    changed.dir, changed.resume = plan.to, plan.changes.resume or false
    changed.seed = plan.changes.seed or plan.seed
    fork.next(plan)
    plan.result = original(changed, ...)
    if original == plan.train then error(ending) end  -- the rest of the script is not wanted
    return plan.result
  end
end

-- Calls f with apo.train and apo.run redirected.
local function with_redirection(plan, f)
  local train, run = apo.train, apo.run
  local function restore()
    apo.train, apo.run, active = train, run, nil
    fork.next(nil)
  end
  plan.train, active = train, plan
  apo.train, apo.run = redirected(train, plan), redirected(run, plan)
  system.on_failure(function()
    local is_whole, problem = pcall(f)
    if not is_whole and not rawequal(problem, ending) then error(problem, 0) end
  end, restore)
  restore()
end

return documented{
  name = "apo.fork", summary = "Starts another run from a kept checkpoint, with other settings.",
  details = "Runs the run's `script.lua` again. When it calls apo.train or apo.run for the run's "
    .. "folder, the changes replace its options, and the new run goes on after `step` in a folder "
    .. "of its own: with the weights, moments, state and row order of the checkpoint. What the "
    .. "script does before that, it does again; after apo.train it is left.",
  parameters = {
    {name = "run", type = "string", text = "the folder of the run"},
    {name = "step", type = "integer", minimum = 1, text = "the step of a kept checkpoint"},
    {name = "changes", type = "table", default = {},
     text = "options of apo.train or apo.run; `dir` is the new folder, by default "
       .. "RUN-fork-STEP; with `resume = true` a fork that was stopped goes on"},
  },
  returns = {{type = "any", text = "what apo.train or apo.run returned to the script"}},
  example = [[apo.train{
  policy = model, data = train, values = values, reward = reward, lr = 1e-4, batch_size = 4,
  max_tokens = 4, max_steps = 2, save_every = 1, dir = "runs/parent", quiet = true,
}
-- in another script or session: apo.fork("runs/parent", 1, {lr = 1e-5, dir = "runs/child"})]],
  call = function(dir, step, changes)
    if active and active.is_found then error(ending) end  -- the script that is forked forks
    if active then fail "fork: the script of the run forks before it trains" end
    local run = folder.open(dir)
    check_step(dir, step)
    local seed = run.about.settings.seed
    local plan = {
      from = script.full(dir), step = step, changes = changes, seed = seed,
      to = script.full(changes.dir or free_folder(dir, step)), id = run.about.id,
      folders = folders_of(run),
    }
    local chunk = script.load(run, setmetatable({}, {__index = _G}))
    if math.type(seed) == "integer" then apo.seed(seed) end
    with_redirection(plan, function() script.run(run, chunk) end)
    if not plan.is_found then
      fail(("fork: the script records no run in %s"):format(system.shown(dir)))
    end
    return plan.result
  end,
}
