-- What clients of `apo-lua attach` do to a live run, what the run writes down, and replaying it.
-- The client is `on_step` of the same process: what it sends is done at the end of the step.
local spec = ...
local apo = require "apo"
local sockets, replaying = require "apo.sockets", require "apo.attach.replaying"
local equal, raises = spec.equal, spec.raises
local json, system = apo.json, apo.system

local rows = {}
for i = 1, 24 do rows[i] = {prompt = ("What is %d plus 2?"):format(i)} end
local set_up = spec.training(spec, {rows = 24, options = {epochs = 2, attach = true}})

-- A client that sends commands after some steps, and keeps the replies by command.
local function client(dir, commands)
  local self = {replies = {}, out = {}, sent = {}}
  function self.read(seconds)
    while self.connection do
      local line = self.connection:receive(seconds or 0)
      if not line then return end
      local reply = json.decode(line)
      local text = self.sent[reply.id]
      if reply.out then
        self.out[text] = (self.out[text] and self.out[text] .. "\n" or "") .. reply.out
      elseif text then
        self.replies[text] = reply
      end
    end
  end
  function self.on_step(record)
    self.connection = self.connection or assert(sockets.connect(dir))
    self.read()
    for _, text in ipairs(commands[record.step] or {}) do
      local id = #self.sent + 1
      self.sent[id] = text
      self.connection:send(json.encode{id = id, command = text})
    end
    system.sleep(commands[record.step] and 0.05 or 0)  -- the thread queues them meanwhile
  end
  return self
end

-- Everything that a run computed: completions, weights, metrics without times.
local function computed(dir)
  local parts = {spec.read(dir .. "/completions.jsonl")}
  for record in json.read_lines(dir .. "/metrics.jsonl") do
    for name in pairs(record) do
      if name == "seconds" or name == "step_time" or name:find "^timing_s" or name:find "^perf" then
        record[name] = nil
      end
    end
    parts[#parts + 1] = json.encode(record)
  end
  local last = ("%s/checkpoint/step-%d"):format(dir, json.read(dir .. "/checkpoint.json").step)
  parts[#parts + 1] = system.checksum(last .. "/policy/model.safetensors")
  parts[#parts + 1] = system.checksum(last .. "/optimizer.safetensors")
  return table.concat(parts, "\n")
end

local function same_results(a, b)
  local left, right = computed(a), computed(b)
  if left == right then return end
  local next_line = right:gmatch "[^\n]*"
  for line in left:gmatch "[^\n]*" do
    local other = next_line()
    if line ~= other then error(("%s\nis not\n%s"):format(line, other), 2) end
  end
  error("one of the runs is shorter", 2)
end

local function events(dir)
  local list = {}
  for event in json.read_lines(dir .. "/events.jsonl") do
    if event.event == "attach" then list[#list + 1] = event end
  end
  return list
end

local eval = {data = apo.dataset{rows[1], rows[2]}, every = 100}
local function train(dir, on_step, changes)
  return set_up.train({dir = dir, on_step = on_step, eval = eval}, changes or {})
end

local plain = set_up.folder()
train(plain, function() end)

-- Looking changes nothing: the same bytes as without anybody attached, and no event of a command
-- but Lua, which might have.
do
  local dir = set_up.folder()
  local looker = client(dir, {
    [2] = {"sample 2+2=", 'sample{prompt = "a", n = 3, max_tokens = 2, temperature = 0.5}',
           'sample "two words"', "changes", "help", "run.step, run.total, last.step, #samples",
           "math.random() + apo.rand(1):item() > 0 and 7", "x = 1", "x", "print('a\\nb', nil)",
           "policy:generate({'b'}, {max_tokens = 2})[1].text", "apo.seed(3)"},
    [3] = {"pause", "resume", "checkpoint", "return {a = {1, 2}, b = 'c'}"},
    [12] = {"status"},
  })
  train(dir, looker.on_step)
  looker.read(10)
  same_results(dir, plain)
  local replies, out = looker.replies, looker.out
  equal(#replies["sample 2+2="].value, 1)
  equal(replies["sample 2+2="].value[1].finish_reason, "length")
  equal(#replies['sample{prompt = "a", n = 3, max_tokens = 2, temperature = 0.5}'].value, 3)
  equal(out["run.step, run.total, last.step, #samples"], "2\n12\n2\n4")
  equal(out["math.random() + apo.rand(1):item() > 0 and 7"], "7")
  equal({replies["x = 1"].ok, replies.x.value, rawget(_G, "x")}, {true, 1})
  equal(out["print('a\\nb', nil)"], "a\nb\tnil")
  equal(replies["return {a = {1, 2}, b = 'c'}"].value, {a = {1, 2}, b = "c"})
  equal(replies.checkpoint.value, dir .. "/checkpoint/step-3")
  equal(out.changes, "nothing was set")
  assert(out.help:find("set OPTION VALUE", 1, true) and out.help:find("eval.every", 1, true))
  equal({replies.status.ok, replies.status.status.step, replies.status.status.total}, {true, 11, 12})
  equal(looker.connection.is_open, false)
  local kinds = {}
  for i, event in ipairs(events(dir)) do kinds[i] = event.command or "lua" end
  equal(table.concat(kinds, " "), "lua lua lua lua lua lua lua pause resume checkpoint lua")
end

-- What steers is written down with its step, and replaying it gives the same bytes.
local steered = set_up.folder()
do
  local commands = {
    [1] = {"set lr 1e-4", "set lr run.options.lr / 2", "undo", "set entropy_coef 0.01"},
    [3] = {"evaluate", "evaluate", "set temperature 0.7", "set max_grad_norm math.huge",
           "apo.no_grad(function() policy:parameters()[1]:mul_(1.01) end)"},
    [5] = {"set eval.every 3", "set max_steps 9", "checkpoint", "count = 5", "error 'on purpose'"},
    [6] = {"undo", "set save_every 2", "set log_every 1", "changes", "count", "set max_steps 5"},
    [8] = {"set keep.last 5", "stop"},
  }
  local helmsman = client(steered, commands)
  local result = train(steered, helmsman.on_step, {keep = {last = 2}})
  helmsman.read(10)
  equal(result.steps, 8)
  local replies, out = helmsman.replies, helmsman.out
  for text, reply in pairs(replies) do
    equal({text, reply.ok}, {text, text ~= "error 'on purpose'" and text ~= "set max_steps 5"})
  end
  equal(replies["error 'on purpose'"].error, "attach:1: on purpose")
  equal(replies["set max_steps 5"].error,
    "set: 'max_steps' must be at least 6, the steps so far")
  equal(out["set lr 1e-4"], "lr: 0.0001, was 0.003")
  equal(out["set lr run.options.lr / 2"], "lr: 5e-05, was 0.0001")
  equal(out["set max_grad_norm math.huge"], "max_grad_norm: math.huge, was 1")
  equal(out["set max_steps 9"], "max_steps: 9, was nil")
  equal(out["count"], "5")
  assert(out.changes:find("after step 3  temperature: 0.7, was 1\n", 1, true), out.changes)
  local by_step = {}
  for record in json.read_lines(steered .. "/metrics.jsonl") do
    by_step[record.step .. record.kind] = record
  end
  equal({by_step["1step"].learning_rate, by_step["2step"].learning_rate}, {3e-3, 1e-4})
  assert(by_step["3eval"] and by_step["6eval"] and not by_step["5eval"])
  local found = events(steered)
  equal({found[1].step, found[1].command, found[1].client}, {1, "set lr 0.0001", 1})
  equal(found[3].command, "undo")
  equal(found[#found].command, "stop")
  equal(require "apo.runs.folder".summary(steered).state, "stopped")
  local page = spec.folder .. "/steered.html"
  require "apo.report".write({steered}, page)
  assert(spec.read(page):find("lr: 0.0001, was 0.003", 1, true))

  local replay = set_up.folder()
  replaying.begin(steered, replay, 7, events(steered), 8)
  equal(train(steered, function() end, {keep = {last = 2}}).steps, 8)
  same_results(replay, steered)
  assert(computed(replay) ~= computed(plain))
  local again = events(replay)
  equal(#again, #found)
  for i, event in ipairs(found) do
    equal({again[i].step, again[i].command, again[i].lua, again[i].text},
          {event.step, event.command, event.lua, event.text})
  end
  equal(replaying.finish(), true)
end

-- A run that is resumed has what was set before its checkpoint, and ends with the same bytes; after
-- `stop` it goes on.
do
  local commands = {[2] = {"set lr 1e-4", "set temperature 0.5", "undo"}, [4] = {"set lr 2e-4"}}
  local whole, parts = set_up.folder(), set_up.folder()
  train(whole, client(whole, commands).on_step)
  commands[6] = {"stop"}
  equal(train(parts, client(parts, commands).on_step).steps, 6)
  equal(train(parts, function() end, {resume = true}).steps, 12)
  same_results(parts, whole)
  equal(require "apo.runs.folder".summary(parts).state, "done")
  -- The script's new value wins over what was set before it was changed.
  local forced = set_up.folder()
  train(forced, client(forced, {[2] = {"set lr 1e-4", "stop"}}).on_step)
  local result = train(forced, function() end, {resume = "force", lr = 5e-4})
  equal(result.metrics.learning_rate, 5e-4)
  -- The replay of a run that was stopped and went on does not stop.
  local replay = set_up.folder()
  replaying.begin(parts, replay, 7, events(parts), 12)
  equal(train(parts, function() end).steps, 12)
  same_results(replay, whole)
  equal(replaying.finish(), true)
end

-- Going back to a kept checkpoint: the run is as it was then, with the settings of then.
do
  local there, straight, back = {keep = {last = 9}, save_every = 2, tensorboard = true}, nil, nil
  straight, back = set_up.folder(), set_up.folder()
  train(straight, client(straight, {[2] = {"set lr 1e-4"}, [4] = {"set lr 2e-4"}}).on_step, there)
  local seen = {}
  local undecided = client(back, {[2] = {"set lr 1e-4"}, [6] = {"set lr 1", "evaluate"},
                                  [7] = {"rewind 3", "rewind 99", "rewind x", "rewind 4"}})
  local commands = {}
  train(back, function(record)
    seen[#seen + 1] = record.step
    if commands[record.step] then return undecided.read() end  -- the second time
    commands[record.step] = true
    undecided.on_step(record)
    if record.step == 7 then
      undecided.sent[99] = "again"
      undecided.connection:send '{"id": 99, "command": "set lr 2e-4"}'
      system.sleep(0.05)
    end
  end, there)
  undecided.read(10)
  equal(table.concat(seen, " "), "1 2 3 4 5 6 7 5 6 7 8 9 10 11 12")
  equal(undecided.out["rewind 4"], "back to step 4 from step 7")
  assert(undecided.replies["rewind 3"].error:find("has no step-3; there is step-2, step-4", 1, true))
  equal(undecided.replies["rewind 99"].error, "rewind: a step up to 7 expected, got '99'")
  equal(undecided.out.again, "lr: 0.0002, was 0.0001")
  local replay = set_up.folder()
  replaying.begin(back, replay, 7, events(back), 12)
  train(back, function() end, there)
  equal(replaying.finish(), true)
  same_results(back, straight)
  same_results(replay, straight)
  equal(#set_up.steps(back), 6)
end

-- What is refused, and why; the run takes no harm.
do
  local dir, mistakes = set_up.folder(), {
    ["set lr -1"] = "set: option 'lr' must be a number of at least 0, got -1",
    ["set lr word"] = "set: option 'lr' must be a number of at least 0, got string",
    ["set lr"] = "usage: set OPTION VALUE",
    ["set"] = "usage: set OPTION VALUE",
    ["set lr nil + 1"] = "attach:1: attempt to perform arithmetic on a nil value",
    ["set batch_size 3"] = "set: 'batch_size' cannot change in a live run: the order of the rows "
      .. "depends on it",
    ["set policy 3"] = "set: 'policy' cannot change in a live run: it is used only when the run "
      .. "starts",
    ["set max_tokens 3"] = "rows and memory were checked with it",
    ["set learning_rate 3"] = "set: there is no option 'learning_rate'; those that may change: ",
    ["set keep.last 3"] = "set: the run has no 'keep'",
    ["set max_grad_norm 0"] = "set: 'max_grad_norm' must be above 0",
    ["set max_steps 1"] = "set: 'max_steps' cannot change, as the schedule or beta depends on",
    ["set beta 1"] = "set: 'beta' is a function of the step here",
    ["undo"] = "undo: nothing was set",
    ["resume"] = "resume: the run is not paused",
    ["pause now"] = "pause: takes no arguments, got 'now'",
    ["limit soon"] = "usage: limit SECONDS",
    ["sample{n = 2}"] = "sample: field 'prompt' is missing",
    ["sample{prompt = 'a', x = 2}"] = "sample: unknown field 'x'",
    ["sample{prompt = {}}"] = "",
    ["x = = 1"] = "attach:1: unexpected symbol near '='",
    ["stop()"] = "attach:1: attempt to call a nil value (global 'stop')",
    ["error({})"] = "table: ",
    ["error()"] = "nil",
    ["coroutine.yield(1)"] = "attach: it yielded, and nothing resumes it",
    ["print(setmetatable({}, {__tostring = error}))"] = "an error that is a table",
    ["error(setmetatable({}, {__tostring = function() while true do end end}))"] =
      "an error that is a table",
    ["error(setmetatable({}, {__tostring = function() return 'own words' end}))"] = "own words",
    ["set lr setmetatable({}, {__tostring = error})"] = "must be a number of at least 0, got table",
    ["sample setmetatable({}, {__index = error})"] = false,
    ["sample{prompt = 'a', [setmetatable({}, {__tostring = error})] = 1}"] =
      "an error that is a table",
    ["local t = {} for i = 1, 1e9 do t[i] = {i} end"] = "attach:1: stopped",
    ["os.exit"] = false,
    ["\27Lua"] = "attempt to load a binary chunk",
  }
  local texts = {}
  for text in pairs(mistakes) do texts[#texts + 1] = text end
  table.move({"limit 0.1", "while true do end", "while true do pcall(error) end",
    "for i = 1, 1e9 do print(('x'):rep(1000)) end"}, 1, 4, #texts + 1, texts)
  local clumsy = client(dir, {[2] = texts})
  train(dir, clumsy.on_step, {beta = function() return 1e-3 end, eval = false})
  clumsy.read(10)
  for text, problem in pairs(mistakes) do
    local reply = clumsy.replies[text]
    equal({text, reply.ok}, {text, not problem})
    assert(not problem or reply.error:find(problem, 1, true), text .. ": " .. tostring(reply.error))
  end
  equal(clumsy.replies["while true do end"].error, "attach:1: stopped after 0.1 s; a larger limit "
    .. "is given with `limit SECONDS`")
  equal(clumsy.replies["while true do pcall(error) end"].ok, false)
end

-- A paused run answers, its time stands still, and what comes while it waits is done.
do
  local dir, commands = set_up.folder(), {[3] = {"pause", "run.step", "set lr 1e-3", "resume"}}
  local result = train(dir, client(dir, commands).on_step)
  equal(result.steps, 12)
  equal(result.metrics.learning_rate, 1e-3)
end

-- A loop of its own.
do
  local dir = set_up.folder()
  local policy = set_up.model()
  local optimizer = apo.optim.adamw(policy, {lr = 1e-3})
  local settings = {clip = 0.2}
  local run = apo.run{dir = dir, total = 6, save = {policy, optimizer}, settings = settings,
                      quiet = true, seed = 3}
  local owner, seen = client(dir, {
    [2] = {"set lr 1e-4", "set settings.clip 0.3", "set settings.clip 'x'", "set total 5",
           "evaluate", "sample 1", "run.metrics.loss", "checkpoint"},
    [4] = {"undo", "stop"},
  }), {}
  for step in run:steps() do
    run:log{loss = 1 / step, rate = optimizer.lr, clip = run.options.settings.clip}
    owner.on_step{step = step}
    seen[step] = math.random()
  end
  owner.read(10)
  equal(run.step, 4)
  equal(run.history[3].rate, 1e-4)
  equal(run.history[3].clip, 0.3)
  equal(owner.out["run.metrics.loss"], "0.5")
  equal(owner.replies["sample 1"].ok, true)
  assert(owner.replies.evaluate.error:find("apo.evaluate", 1, true))
  assert(owner.replies["set settings.clip 'x'"].error:find("must be a number", 1, true))
  optimizer.lr = 1e-3
  local again = apo.run{dir = dir, total = 6, save = {policy, optimizer}, settings = {clip = 0.2},
                        quiet = true, seed = 3, resume = true}
  for step in again:steps() do
    again:log{rate = optimizer.lr, clip = again.options.settings.clip}
  end
  equal(again.step, 6)
  equal({again.metrics.rate, again.metrics.clip}, {1e-4, 0.3})
end

-- A loop of its own goes back as well.
do
  local dir, seen, sent = set_up.folder(), {}, false
  local policy = set_up.model()
  local optimizer = apo.optim.adamw(policy, {lr = 1e-3})
  local run = apo.run{dir = dir, total = 6, save = {policy, optimizer}, save_every = 1, seed = 3,
                      keep = {last = 9}, quiet = true, data = set_up.data, batch_size = 4}
  for step, batch in run:steps() do
    apo.no_grad(function() policy:parameters()[1]:add_(1) end)
    seen[#seen + 1] = ("%d:%s:%.6f"):format(step, batch[1].prompt, math.random())
    run:log{sum = policy:parameters()[1]:sum():item()}
    if step == 4 and not sent then
      sent = assert(sockets.connect(dir))
      sent:send '{"id": 1, "command": "rewind 2"}'
      system.sleep(0.05)
    end
  end
  equal(#seen, 8)
  equal({seen[5], seen[6]}, {seen[3], seen[4]})
  local sums = {}
  for i, record in ipairs(run.history) do sums[i] = record.sum end
  equal(#sums, 6)
  for i = 2, 6 do spec.close(sums[i] - sums[i - 1], sums[2] - sums[1], 0.1) end
end

-- Without a folder, or with attach = false, there is no socket; where none can be made, a line says
-- so and the run goes on.
do
  local dir = set_up.folder()
  train(dir, function() equal(sockets.connect(dir), nil) end, {attach = false})
  equal(set_up.train({dir = false, on_step = function() end}).steps, 12)
  local serve, said = sockets.serve, {}
  sockets.serve = function() error("no room for sockets", 0) end
  local write = print
  print = function(text) said[#said + 1] = text end
  local is_done, result = pcall(train, set_up.folder(), function() end, {quiet = false})
  sockets.serve, print = serve, write
  assert(is_done, result)
  local text = table.concat(said, "\n")
  assert(text:find("apo-lua attach will not find this run: no room for sockets", 1, true), text)
end
