-- apo.fork: another run from a kept checkpoint, by the run's own script with other settings.
local spec = ...
local apo = require "apo"
local equal, raises, system = spec.equal, spec.raises, apo.system

-- A script that trains into the folder of its argument, and what it needs.
local script_text = [[
local apo = require "apo"
local dir = ...
local rows = {}
for i = 1, 24 do rows[i] = {prompt = "What is " .. i .. "?"} end
count = (count or 0) + 1
return apo.train{
  policy = apo.load(FIXTURES .. "/models/tiny-qwen2-tied"), data = apo.dataset(rows),
  reward = function(_, c) return #c.text % 2 end,
  target = function(s) s.state.seen = s.state.seen + 1; return s.reward - s.state.seen / 100 end,
  state = {seen = 0}, lr = 1e-3, batch_size = 4, max_tokens = 4, dir = dir, quiet = true, seed = 1,
  eval = {data = apo.dataset(rows):take(4), every = 3}, save_every = 1, keep = {last = 9},
}
]]
if not system.exists(spec.fixtures .. "/models/tiny-qwen2-tied") then return print "skipped: no fixtures" end
FIXTURES = spec.fixtures

local parent = spec.folder .. "/parent"
local path = spec.folder .. "/train.lua"
spec.write(path, script_text)
local before = arg
arg = {[0] = path, parent}
local whole = assert(loadfile(path))(parent)
arg = before
equal({whole.steps, count}, {6, 1})
local function weights(dir, step)
  return spec.read(("%s/checkpoint/step-%d/policy/model.safetensors"):format(dir, step))
end
local function records(dir)
  local list = {}
  for record in apo.json.read_lines(dir .. "/metrics.jsonl") do
    list[#list + 1] = {record.step, record.kind, record.reward or record["eval/reward"], record.loss}
  end
  return list
end

-- Without changes it goes on to the same bytes, metrics and state; the parent stays as it was.
local folder_before = system.working_folder()
local result = apo.fork(parent, 2)
local child = parent .. "-fork-2"
equal({result.steps, result.dir, system.working_folder()}, {6, child, folder_before})
assert(weights(child, 6) == weights(parent, 6))
local expected = records(parent)
for i = #expected, 1, -1 do
  if expected[i][1] <= 2 then table.remove(expected, i) end
end
equal(records(child), expected)
equal(count, 1, "the script has globals of its own")
local about = apo.json.read(child .. "/run.json")
equal({about.parent.run, about.parent.step}, {parent, 2})
equal(about.parent.id, apo.json.read(parent .. "/run.json").id)
equal(system.list(child .. "/checkpoint"), {"step-2", "step-3", "step-4", "step-5", "step-6"})

-- Changes replace options, also inside of tables; other functions are taken too.
local other = spec.folder .. "/other"
local seen = 0
result = apo.fork(parent, 4, {
  dir = other, lr = 1e-2, eval = {every = 1}, max_steps = 5,
  reward = function() seen = seen + 1; return 1 end,
})
local settings = apo.json.read(other .. "/run.json").settings
equal({result.steps, settings.lr, settings.eval.every, settings.eval.n, seen}, {5, 1e-2, 1, 1, 12}, "evaluations after steps 4 and 5")
assert(weights(other, 5) ~= weights(parent, 5))
equal(apo.train == nil, false)

-- A fork that was stopped goes on.
local stopped = spec.folder .. "/stopped"
raises("enough", apo.fork, parent, 2, {dir = stopped, on_step = function(r) if r.step == 4 then error "enough" end end})
equal(apo.fork(parent, 2, {dir = stopped, resume = true}).steps, 6)
assert(weights(stopped, 6) == weights(parent, 6))

-- The tree is seen in lists, in a run and in the report.
local printed = {}
local print_before = print
print = function(...) printed[#printed + 1] = table.concat({...}, "\t") end
local ok, problem = pcall(function()
  require "apo.command"("runs", "", spec.folder)
  require "apo.command"("show", "", child)
end)
print = print_before
assert(ok, problem)
local text = table.concat(printed, "\n")
assert(text:find("\nparent .*\n└ parent%-fork%-2 "), text)
assert(text:find("forked from +parent, step 2"), text)
local report = require "apo.report".render{parent, child}
assert(report:find("forked from", 1, true) and report:find("parent, step 2", 1, true))

-- A script may fork its own run: forked, it is left after its training, and forks no more.
local own = spec.folder .. "/own.lua"
spec.write(own, (script_text:gsub("return apo.train", "local result = apo.train"):gsub("dir = dir,", "dir = dir, resume = true,"))
  .. '\nforked = (forked or 0) + 1\nreturn apo.fork(dir, 3, {max_steps = 4, dir = dir .. "/../own-fork"}).steps')
arg = {[0] = own, spec.folder .. "/own"}
equal({assert(loadfile(own))(spec.folder .. "/own"), forked}, {4, 1})
arg = before

-- A fork is forked; of a run that was copied or moved only an error comes, and nothing is written.
local grandchild = apo.fork(child, 4, {dir = spec.folder .. "/grandchild"})
equal({grandchild.steps, system.exists(spec.folder .. "/grandchild/run.json")}, {6, "file"})
assert(weights(spec.folder .. "/grandchild", 6) == weights(parent, 6))
local before_copy = spec.read(parent .. "/metrics.jsonl")
assert(os.execute(("cp -r '%s' '%s/copy'"):format(parent, spec.folder)))
raises("was the run moved or copied?", apo.fork, spec.folder .. "/copy", 2)
equal(spec.read(parent .. "/metrics.jsonl"), before_copy)

-- What cannot be.
raises("parent has no checkpoint of step 9; there is 1, 2, 3, 4, 5, 6", apo.fork, parent, 9)
raises("is not the folder of a run", apo.fork, spec.folder, 1)
raises("unknown option 'lrr'", apo.fork, parent, 2, {lrr = 1, dir = spec.folder .. "/x"})
raises("already holds a run", apo.fork, parent, 2, {dir = other})
spec.write(parent .. "/script.lua", "return 1")
raises("the script records no run in", apo.fork, parent, 2)
os.remove(parent .. "/script.lua")
raises("script.lua: is missing, so the run cannot be run again", apo.fork, parent, 2)
