-- apo.run: the record of a loop that a script writes itself, as apo.train keeps one of its own.
-- Here are its options and its start; the steps are in run/loop.lua.

local apo = require "apo"
local documented, fail = require "apo.documented", require "apo.fail"
local declarations, plain_data = require "apo.data.declarations", require "apo.data.plain_data"
local algorithm_state, whole = require "apo.step.algorithm_state", require "apo.step.whole_state"
local journal, Recorder = require "apo.run.journal", require "apo.run.recorder"
local Loop, leaving = require "apo.run.loop", require "apo.run.leaving"
local settings, resume = require "apo.run.settings", require "apo.run.resume"
local sinks, replaying = require "apo.run.sinks", require "apo.attach.replaying"
local dry_run = require "apo.script.dry_run"
local system = apo.system

local options = declarations.append({
  {name = "total", type = "integer", minimum = 1, optional = true,
   notes = {resume = "free", live = true},
   text = "the number of steps; default: as many as the batches of `data`"},
  {name = "data", type = "apo.Dataset", optional = true,
   text = "rows that `run:steps()` gives in batches"},
  {name = "batch_size", type = "integer", minimum = 1, default = 64, text = "rows per step"},
  {name = "epochs", type = "integer", minimum = 1, maximum = 1000000000, default = 1,
   notes = {resume = "free"}, text = "passes over the data"},
  {name = "shuffle", type = "boolean", default = true, text = "reshuffle every epoch"},
  {name = "drop_last", type = "boolean", default = false, text = "drop incomplete batches"},
  {name = "seed", type = "integer", optional = true,
   text = "seed of the row order and of the steps' random numbers; default: the process's"},
  {name = "save", type = "table", default = {}, notes = {resume = "session"},
   text = "the models and optimizers that checkpoints hold: a list, or by names of your own"},
  {name = "state", type = "table", optional = true, notes = {resume = "session"},
   text = "`run.state`: plain data that checkpoints hold"},
  {name = "settings", type = "table", default = {},
   text = "what else the result depends on, such as `{lr = 1e-4}`: recorded, and compared when the "
     .. "run is resumed"},
}, require "apo.run.options")

local rules = settings.rules(options, {})

-- What `apo-lua attach` may set.
Loop.declared = declarations.append({
  {name = "lr", type = "number", minimum = 0, notes = {live = true}, text = "the learning rate"},
}, options)

local names_of_kinds = {["apo.Model"] = "policy", ["apo.ValueModel"] = "value_model",
                        ["apo.Optimizer"] = "optimizer"}

local function kind_of(value) return (debug.getmetatable(value) or {}).__name or type(value) end

local function check_object(name, value)
  if type(name) ~= "string" or not name:find "^[%a_][%w_]*$" or name == "state" then
    fail(("run: option 'save': '%s' must be a name of letters, digits and _, other than state")
      :format(tostring(name)))
  elseif not names_of_kinds[kind_of(value)] then
    fail(("run: option 'save': '%s' must be a model or an optimizer, got %s; plain data belongs "
      .. "into `state`"):format(name, kind_of(value)))
  end
end

-- The option `save` by names: those of a list are named by what they are.
local function named(save)
  local objects = {}
  for key, value in pairs(save) do
    local name = key
    if type(key) == "number" then
      local kind = names_of_kinds[kind_of(value)] or "object"
      name = kind
      for i = 2, math.huge do
        if not objects[name] then break end
        name = ("%s_%d"):format(kind, i)
      end
    end
    objects[name] = value
  end
  for name, value in pairs(objects) do check_object(name, value) end
  return objects
end

-- Checks that the models of saved optimizers are saved too: moments without their weights would be
-- resumed with other weights.
local function check_optimizers(run)
  for optimizer in pairs(run.base_lr) do
    local is_known = false
    for _, object in pairs(run.saved_objects) do
      for _, weights in ipairs(kind_of(object) ~= "apo.Optimizer" and object:parameters() or {}) do
        is_known = is_known or optimizer:updates(weights)
      end
    end
    if not is_known then
      fail("run: option 'save' has an optimizer without the model that it updates")
    end
  end
end

-- The number of steps, and those of an epoch; nil without data.
local function steps_of(o)
  if not o.data then
    return o.total or fail("run: option 'total' or 'data' is needed"), nil
  end
  local per_epoch = (o.drop_last and #o.data or #o.data + o.batch_size - 1) // o.batch_size
  if per_epoch == 0 then
    fail(("run: %d rows do not fill a batch of %d, and drop_last is set"):format(
      #o.data, o.batch_size))
  end
  return math.min(per_epoch * o.epochs, o.total or math.huge), per_epoch
end

local function about(run)
  local o, list = run.options, {}
  for _, option in ipairs(options) do
    if not (option.notes and option.notes.resume == "session") then
      list[option.name] = settings.described(o[option.name])
    end
  end
  for name, value in pairs(o.settings) do list[name] = settings.described(value) end
  list.settings, list.seed, list.rows = nil, run.seed, o.data and #o.data
  list.save = settings.described(run.saved_objects)
  return settings.about{kind = "run", data = o.data and o.data.name, steps = run.total,
                        settings = list, functions = {}}
end

local function check_settings(o)
  local taken = {}
  for _, option in ipairs(options) do taken[option.name] = true end
  for name in pairs(o.settings) do
    if type(name) ~= "string" or taken[name] then
      fail(("run: option 'settings': the name '%s' %s"):format(tostring(name),
        type(name) == "string" and "is that of an option of apo.run" or "must be a string"))
    end
  end
end

return documented{
  name = "apo.run", summary = "Records a training loop of your own.",
  details = "The run folder, the lines on the terminal, checkpoints, resuming and stops are those "
    .. "of apo.train; see docs/runs.md.",
  options = options,
  returns = {{type = "apo.Run", text = "the run; `run:steps()` are its steps"}},
  example = [[local run = apo.run{
  dir = "runs/own", total = 3, save = {policy}, settings = {lr = 1e-4}, quiet = true,
}
for step in run:steps() do
  run:log{loss = 1 / step}
end
print(run.metrics.loss)]],
  call = function(o)
    check_settings(o)
    replaying.redirect(o)
    sinks.check("run", o)
    o.resume = resume("run", o)
    local total, per_epoch = steps_of(o)
    local run = setmetatable(Recorder.fields(o, total), Loop)
    run.is_loop, run.title, run.steps_per_epoch, run.evaluations = true, "steps", per_epoch, {}
    run.state, run.state_name = o.state or {}, "run.state"
    run.saved_objects = named(o.save)
    run.base_lr = algorithm_state.learning_rates(run)
    check_optimizers(run)
    run.is_unguarded = algorithm_state.has_other_weights(run.saved_objects, run.base_lr)
    plain_data.encode(run.state, run.state_name)
    if dry_run.is_on() then
      journal.check(o.dir, o.resume)
      o.dir, o.resume, o.tensorboard, o.trackio, run.dir = nil, false, false, nil, nil
    end
    run.lock = journal.lock(o.dir, o.resume)
    system.on_failure(function()
      run:open(run.lock, about(run), rules)
      whole.mark(run)
      run:listen()
    end, function() if run.lock then run.lock:free() end end)
    run.epoch = per_epoch and run.step / per_epoch or nil
    run.forget = leaving.add(function(cause) run:close(cause) end)
    return run
  end,
}
