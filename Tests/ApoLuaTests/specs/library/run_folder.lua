-- What happens to the folder of a run while it is written to, by others and by a full disk.
local spec = ...
local apo = require "apo"
local equal, raises = spec.equal, spec.raises
local system = apo.system

local set_up = spec:training{rows = 12, options = {epochs = 2, max_tokens = 3, save_every = 2}}

local data, reward = set_up.data, set_up.reward

local function train(dir, changes) return set_up.train({dir = dir}, changes) end

local function run(command, ...)
  assert(os.execute(command:format(...)), "this failed: " .. command:format(...))
end

local function weights(dir)
  return spec.read(dir .. "/checkpoint/step-6/policy/model.safetensors")
end

-- A folder that is removed, moved away or replaced, in the middle of a step or of a save, ends the run
-- with an error that names it, and nothing of it is made again.
local number = 0
local function disturbed(command, at_save)
  number = number + 1
  local dir = ("%s/disturbed%d"):format(spec.folder, number)
  local checksum = system.checksum
  local ok, message = pcall(train, dir, {on_step = function(record)
    if record.step ~= 3 then return end
    if not at_save then return run(command, dir, dir) end
    function system.checksum(...)
      system.checksum = checksum
      run(command, dir, dir)
      return checksum(...)
    end
  end})
  system.checksum = checksum
  assert(not ok, "it went on")
  return dir, tostring(message)
end
for _, at_save in ipairs{false, true} do
  for command, left in pairs{
    ["rm -rf '%s'"] = "nothing", ["mv '%s' '%s.moved'"] = "nothing",
    ["rm -rf '%s' && mkdir '%s'"] = "empty",
  } do
    local dir, message = disturbed(command, at_save)
    assert(message:find(dir, 1, true), message)
    if not at_save then
      assert(message:find(dir .. ": was removed or replaced while it was written to", 1, true), message)
    end
    if left == "nothing" then equal(system.exists(dir), nil) else equal(system.list(dir), {}) end
    if command:find "mv" then  -- what was moved is whole
      local moved = dir .. ".moved"
      equal(train(moved, {resume = true}).steps, 6)
    end
  end
end

-- So does a file that somebody else removed, cut off or wrote to.
for _, name in ipairs{"metrics.jsonl", "completions.jsonl"} do
  for command, found in pairs{
    ["rm '%s/" .. name .. "'"] = "it is not there", ["truncate -s 5 '%s/" .. name .. "'"] = "it has 5 bytes",
    ["echo >> '%s/" .. name .. "'"] = "it has ",
  } do
    local dir, message = disturbed(command)
    assert(message:find(("%s/%s: was changed by another program: %s"):format(dir, name, found), 1, true),
      message)
  end
end

-- A lock that is removed alone is made anew; one that another holds ends the run.
local dir = spec.folder .. "/lockless"
train(dir, {on_step = function(record)
  if record.step == 3 then run("rm '%s/.lock'", dir) end
  if record.step == 4 then equal({system.lock(dir .. "/.lock")}, {nil, dir .. "/.lock: is locked by another program or call"}) end
end})
local taken
dir = spec.folder .. "/taken"
raises(".lock: was replaced, and another program now holds the lock", train, dir, {on_step = function(record)
  if record.step ~= 3 then return end
  run("rm '%s/.lock'", dir)
  taken = system.lock(dir .. "/.lock")
end})
taken:free()

-- One folder has one lock, whatever it is called.
dir = spec.folder .. "/named"
run("mkdir '%s' && ln -s named '%s/link'", dir, spec.folder)
train(dir, {max_steps = 1, on_step = function()
  for _, name in ipairs{"link", "named/../named", "./named/.", "link/../link"} do
    raises("another run is writing to this folder", train, spec.folder .. "/" .. name, {resume = true})
  end
end})
equal(train(spec.folder .. "/link", {resume = true}).steps, 6)

-- A run that begins and ends between the look at the folder and the lock is not written over.
dir = spec.folder .. "/late"
local lock = system.lock
function system.lock(path)
  system.lock = lock
  train(dir, {max_steps = 1})
  return lock(path)
end
raises("/late already holds a run", train, dir)
equal(train(dir, {resume = true}).steps, 6)

-- A path with control characters is shown in one line.
dir = spec.folder .. "/new\nline\27[2J"
train(dir, {max_steps = 1})
raises("/new\\nline\\x1B[2J already holds a run", train, dir)
system.remove_folder(dir .. "/checkpoint")
raises("/new\\nline\\x1B[2J/checkpoint/step-1 is gone", train, dir, {resume = true})
raises("/new\\nline\\x1B[2J/no.jsonl: cannot be opened", apo.dataset, dir .. "/no.jsonl")

-- Lines that were torn, and whatever came after the checkpoint, are taken back by the next start.
local whole = train(spec.folder .. "/whole").dir
dir = spec.folder .. "/torn"
run("cp -a '%s' '%s'", whole, dir)
for _, name in ipairs{"metrics.jsonl", "completions.jsonl", "events.jsonl"} do
  local file = assert(io.open(dir .. "/" .. name, "a"))
  file:write('{"step":7,"rew')
  file:close()
end
spec.write(dir .. "/.run.json.00000000.4194305-1.tmp", "half")
run("touch -d 2001-01-01 '%s/.run.json.00000000.4194305-1.tmp'", dir)
train(dir, {resume = true})
for _, name in ipairs{"metrics.jsonl", "completions.jsonl", "events.jsonl"} do
  equal(system.exists(dir .. "/" .. name) and spec.read(dir .. "/" .. name),
    system.exists(whole .. "/" .. name) and spec.read(whole .. "/" .. name) or "")
end
equal(system.exists(dir .. "/.run.json.00000000.4194305-1.tmp"), nil)

-- A start that was killed before the script's text was kept is completed.
local script = arg
arg = {[0] = spec.folder .. "/script.lua"}
spec.write(arg[0], "-- the script\n")
dir = train(spec.folder .. "/scripted", {max_steps = 1}).dir
os.remove(dir .. "/script.lua")
train(dir, {max_steps = 1, resume = true})
equal(spec.read(dir .. "/script.lua"), "-- the script\n")
arg = script

-- Pipes and devices are refused at once wherever a file is read.
local pipe = spec.folder .. "/pipe"
run("mkfifo '%s'", pipe)
local model = apo.load(spec.fixtures .. "/models/tiny-qwen2-tied")
local function estimate(path)
  return apo.estimate_values{model = model, data = data, reward = reward, n = 2, max_tokens = 3,
                             batch_size = 2, seed = 7, quiet = true, path = path}
end
for path, kind in pairs{[pipe] = "pipe", ["/dev/zero"] = "device"} do
  local text = path .. ": is not a regular file but a " .. kind
  for _, ending in ipairs{"", ".jsonl", ".csv"} do
    local named = spec.folder .. "/data" .. ending
    run("ln -sf '%s' '%s'", path, named)
    raises("is not a regular file but a " .. kind, apo.dataset, named)
  end
  raises(text, estimate, path)
  raises(text, apo.json.read, path)
  raises(text, apo.json.read_lines, path)
  raises(text, apo.tokenizer, path)
  raises(text, train, nil, {reward = path})
  equal({system.read_file(path)}, {nil, text})
  equal(system.exists(path), "other")
  for _, name in ipairs{"config.json", "model.safetensors", "tokenizer.json"} do
    local folder = spec.folder .. "/model"
    run("rm -rf '%s' && cp -r '%s' '%s'", folder, spec.fixtures .. "/models/tiny-qwen2-tied", folder)
    run("ln -sf '%s' '%s/" .. name .. "'", path, folder)
    raises("is not a regular file but a " .. kind, apo.load, folder)
  end
  for _, name in ipairs{"run.json", "checkpoint.json", "metrics.jsonl", "checkpoint/step-6/state.json"} do
    local folder = spec.folder .. "/of_pipe"
    run("rm -rf '%s' && cp -a '%s' '%s'", folder, whole, folder)
    run("ln -sf '%s' '%s/" .. name .. "'", path, folder)
    raises(folder .. "/" .. name, train, folder, {resume = true})
  end
end

-- Nothing is written over a device, a pipe or a folder.
for _, path in ipairs{"/dev/full", "/dev/null", pipe, spec.folder} do
  local text = path .. ": is a "
  raises(text, apo.plot, {path = path, series = {{x = {1}, y = {1}}}})
  raises(text, apo.json.write, path, {})
  raises(text, system.write_file, path, "x")
  raises(text, system.append, path, "x")
  raises(text, system.lock, path)
  raises(text, apo.evaluate, {model = model, data = data:take(1), reward = reward, max_tokens = 1,
                              path = path, quiet = true})
end

-- A file of values that is removed or emptied during stage 1 is written anew, with its header and all
-- rewards so far; one that was changed otherwise is an error, and a folder that is gone too.
local path = spec.folder .. "/values.jsonl"
estimate(path)
local text = spec.read(path)
local calls
local function during(action)
  os.remove(path)
  local before = reward
  calls = 0
  reward = function(...)
    calls = calls + 1
    if calls == 10 then action() end
    return before(...)
  end
  local ok, message = pcall(estimate, path)
  reward = before
  return ok, tostring(message)
end
-- The reward is known by its code, so that of the comparison is made in the same way.
during(function() end)
text = spec.read(path)
for _, action in ipairs{function() os.remove(path) end, function() spec.write(path, "") end} do
  local ok, message = during(action)
  assert(ok, message)
  equal(#spec.read(path), #text)
  equal(select(2, spec.read(path):gsub("\n", "")), 13)
end
local ok, message = during(function() spec.write(path, text:sub(1, 300)) end)
equal({ok, message:find("values.jsonl was changed by another program: it has 300 bytes, ", 1, true) ~= nil},
  {false, true})
ok, message = during(function() spec.write(path, ("x"):rep(#text)) end)
equal({ok, spec.read(path)}, {false, ("x"):rep(#text)})
path = spec.folder .. "/gone/values.jsonl"
ok, message = during(function() run("rm -rf '%s/gone'", spec.folder) end)
assert(not ok and message:find(path .. ": cannot be written: No such file", 1, true), message)
equal(system.exists(spec.folder .. "/gone"), nil)

-- A full disk ends a run with an error that names the file, and leaves the checkpoint before and no piece
-- of another; with room again the run ends with the same bytes. Stage 1 alike.
local disk = spec.folder .. "/disk"
run("mkdir '%s'", disk)
if not os.execute(("mount -t tmpfs -o size=8m tmpfs '%s' 2>/dev/null"):format(disk)) then
  print "skipped: the test of a full disk mounts one, which needs root"
  return
end
local function fill(room)
  run("df -k --output=avail '%s' | tail -1 > '%s/room'", disk, spec.folder)
  local count = tonumber(spec.read(spec.folder .. "/room")) - room
  run("head -c %dk /dev/zero > '%s/filler'", count, disk)
end
ok, message = pcall(function()
  local dir = train(disk .. "/run", {max_steps = 2}).dir
  for _, room in ipairs{0, 20, 100, 300} do  -- kilobytes: lines, then the checkpoint do not fit
    fill(room)
    local ok, message = pcall(train, dir, {resume = true})
    assert(not ok and tostring(message):find("No space left on device", 1, true), message)
    assert(tostring(message):find(dir .. "/", 1, true), message)
    os.remove(disk .. "/filler")
    for _, name in ipairs(system.list(dir .. "/checkpoint")) do assert(name:find "^step%-%d+$", name) end
    for _, name in ipairs(system.list(dir)) do assert(not name:find "%.tmp$", name) end
    local lines = spec.read(dir .. "/metrics.jsonl")
    assert(lines:sub(-1) == "\n", "a torn line was left")
  end
  equal(train(dir, {resume = true}).steps, 6)
  assert(weights(dir) == weights(whole))
  dir = disk .. "/sealed"
  raises("Read-only file system", train, dir, {on_step = function(record)
    if record.step == 3 then
      run("mount --bind '%s' '%s' && mount -o remount,bind,ro '%s'", dir, dir, dir)
    end
  end})
  run("umount '%s'", dir)
  equal(train(dir, {resume = true}).steps, 6)
  assert(weights(dir) == weights(whole))
  path = disk .. "/values.jsonl"
  reward = function(_, completion) return #completion.text % 3 / 2 end
  estimate(path)
  local text = spec.read(path)
  os.remove(path)
  fill(0)
  raises("No space left on device", estimate, path)
  os.remove(disk .. "/filler")
  estimate(path)
  equal(spec.read(path), text)
end)
collectgarbage()  -- what is still open would keep the disk busy
collectgarbage()
os.execute(("umount '%s/sealed' 2>/dev/null"):format(disk))
run("umount '%s'", disk)
assert(ok, message)
