-- Functions from files, edited while a training runs.
local spec = ...
local apo = require "apo"
local equal, raises = spec.equal, spec.raises

local list = {}
for i = 1, 40 do list[i] = {prompt = "What is " .. i .. " plus 2?"} end
local data = apo.dataset(list)
local file = spec.folder .. "/target.lua"
local count = 0
local function train(changes)
  count = count + 1
  local options = {
    policy = apo.load(spec.fixtures .. "/models/tiny-qwen2-tied"), data = data,
    reward = function(_, completion) return #completion.text % 3 / 2 end, lr = 1e-3, batch_size = 4,
    max_tokens = 4, seed = 7, quiet = true, target = file, watch = true, max_steps = 6,
    reward_timeout = 0.1,
  }
  for name, value in pairs(changes) do options[name] = value end
  return apo.train(options), options.policy
end
local function constant(value)
  spec.write(file, ("return function(s) return %g end\n"):format(value))
end

-- An edit is in use from the next step on, and recorded with its text.
local function edits(texts)
  return function(record)
    if texts[record.step] then spec.write(file, texts[record.step]) end
  end
end
local function events(dir)
  local found = {}
  for event in apo.json.read_lines(dir .. "/events.jsonl") do
    if event.option then found[#found + 1] = event end
  end
  return found
end
local function targets(result)
  local list = {}
  for i, record in ipairs(result.history) do list[i] = record.advantage end
  return list
end
constant(1)
local dir = spec.folder .. "/run"
local result = train{dir = dir, on_step = edits{[2] = "return function(s) return 2 end -- two"}}
equal(targets(result), {1, 1, 2, 2, 2, 2})
local told = events(dir)
equal({#told, told[1].event, told[1].step, told[1].text}, {2, "code", 1, "return function(s) return 1 end\n"})
equal({told[2].event, told[2].step, told[2].option, told[2].file, told[2].text},
  {"change", 3, "target", file, "return function(s) return 2 end -- two"})
equal(told[2].checksum, apo.system.hash(told[2].text))
assert(math.abs(told[2].time - apo.system.time()) < 600)

-- What fails is refused, and the run is the one in which nothing was edited.
local function refused(text, problem)
  constant(1)
  local folder = spec.folder .. "/refused" .. count
  local one, policy = train{dir = folder, on_step = edits{[2] = text}}
  equal(targets(one), {1, 1, 1, 1, 1, 1})
  local list = events(folder)
  equal({#list, list[2].event, list[2].step, list[2].text}, {2, "refused", 3, text})
  if not list[2].problem:find(problem, 1, true) then error(list[2].problem) end
  constant(1)
  local _, undisturbed = train{}
  equal(policy:checksum(), undisturbed:checksum())
end
refused("return function(s) return 2", "'end' expected near <eof>")
refused("error 'at load'", "target.lua:1: at load")
refused("return 5", "target.lua must return a function, got number")
refused("while true do end", "loading took more than")
refused("return function(s) return s.nothing.more end", "target.lua:1: attempt to index a nil value")
refused("return function(s) return 0 / 0 end", "the target function returned")
refused("local n = 0 return function(s) n = n + 1 return n < 4 and 1 or error('fourth') end", "fourth")

refused("return function() while true do end end", "the target function took more than 0.1 s in step 3")

-- Taken back after it was refused: as if nothing had been; then another edit is accepted.
constant(1)
result = train{on_step = edits{
  "return 5", "return function(s) return 1 end\n", "return 6", "return function(s) return 3 end",
}}
equal(targets(result), {1, 1, 1, 1, 3, 3})

-- A loss that fails in the second update of a step can no longer be taken back: the run stops.
local loss = spec.folder .. "/loss.lua"
spec.write(loss, "return function(b) return (b.logp ^ 2):mean() end")
raises("second", train, {
  loss = loss, mini_batch = 2, watch = true, on_step = function(record)
    if record.step == 1 then
      spec.write(loss, "local n = 0 return function(b) n = n + 1 if n > 1 then error 'second' end "
        .. "return (b.logp ^ 2):mean() end")
    end
  end,
})

-- Rewards too, also tables of them; and resumed, with what the file is by then.
local reward = spec.folder .. "/reward.lua"
spec.write(reward, "return {a = function() return 1 end}")
constant(1)
local again = spec.folder .. "/again"
local half = train{reward = reward, dir = again, max_steps = 3, on_step = function(record)
  if record.step == 1 then spec.write(reward, "return function() return 7 end") end
end}
equal({half.history[1].reward, half.history[2].reward, half.history[1]["rewards/a/mean"]}, {1, 7, 1})
constant(4)
local whole = train{reward = reward, dir = again, resume = true}
equal(targets(whole), {1, 1, 1, 4, 4, 4})
told = events(again)
equal({#told, told[4].event, told[4].option, told[4].step}, {4, "code", "target", 4})

-- A path without watch is read once. Mistakes are found before anything is sampled.
constant(1)
equal(targets(train{watch = false, on_step = edits{"return function(s) return 2 end"}}),
  {1, 1, 1, 1, 1, 1})
raises("option 'target': " .. spec.folder .. "/none.lua: cannot be opened: No such file", train,
  {target = spec.folder .. "/none.lua"})
spec.write(file, "return 1")
raises("option 'target': " .. file .. " must return a function, got number", train, {})
raises("option 'watch' needs one of reward, target, loss as the path of a file", train,
  {target = function() return 1 end})

-- beta as a function of the step.
constant(1)
local scheduled = train{beta = function(step, total) return step / total end}
for step, record in ipairs(scheduled.history) do equal(record.beta, step / 6) end
raises("the function 'beta' returned -1 for step 1", train, {beta = function() return -1 end})
raises("the function 'beta' returned nil for step 1", train, {beta = function() end})
