-- What the commands about runs read and show: runs, show, compare, tail, export.
local spec = ...
local apo = require "apo"
local equal, raises = spec.equal, spec.raises
local system = apo.system
local folder, tables = require "apo.runs.folder", require "apo.runs.table"
local diff, command = require "apo.runs.diff", require "apo.command"

local function call(name, ...) command(name, name .. " <run>", ...) end

-- What a command prints.
local function output(...)
  local lines, before, write = {}, print, io.write
  print = function(text) lines[#lines + 1] = text .. "\n" end
  io.write = function(...) lines[#lines + 1] = table.concat{...} end
  local ok, problem = pcall(call, ...)
  print, io.write = before, write
  if not ok then error(problem, 0) end
  return table.concat(lines)
end

-- The folder of a made-up run.
local function make(name, changes)
  local dir = ("%s/runs/%s"):format(spec.folder, name)
  system.make_folder(dir)
  spec.write(dir .. "/run.json", apo.json.encode{
    settings = {lr = changes.lr or 1e-3, eval = {n = 4}, seed = 7}, steps = 3,
    script = "train.lua", started = changes.started or "2026-11-30T10:00:00Z"})
  spec.write(dir .. "/metrics.jsonl", changes.metrics or "")
  if changes.events then spec.write(dir .. "/events.jsonl", changes.events) end
  spec.write(dir .. "/script.lua", changes.script or "a\nb\nc\n")
  spec.write(dir .. "/.lock", "")
  return dir
end

local function steps(...)
  local lines = {}
  for i, reward in ipairs{...} do
    lines[i] = ('{"step":%d,"reward":%s,"seconds":%d}\n'):format(i, reward, 40 * i)
  end
  return table.concat(lines)
end
local evaluation = '{"step":3,"eval/reward":0.75,"eval/mean_length":2,"seconds":121}\n'

-- States, from what is there.
local done = make("done", {metrics = steps(0.25, 0.5, 0.5) .. evaluation})
local killed = make("killed", {metrics = steps(0.25, 0.5) .. '{"step":3,"rew', lr = 2e-3,
                               started = "2026-11-30T11:00:00Z", script = "a\nB\nc\nd\n"})
local failed = make("failed", {metrics = steps(0.5),
  events = '{"event":"stopped","step":1,"kind":"error","text":"judge \\u001b[31m"}\n'})
local stopped = make("stopped", {events = '{"event":"stopped","step":0,"kind":"signal"}\n'})
local running = make("running", {metrics = steps(0.5)})
local lock = assert(system.lock(running .. "/.lock"))
for dir, state in pairs{[done] = "done", [killed] = "killed", [failed] = "failed",
                        [stopped] = "stopped", [running] = "running"} do
  equal(folder.summary(dir).state, state)
end

-- A run that `on_step` ended is done, also when its last step was not logged; one that went on after
-- that is not.
local ended = '{"event":"ended","step":2}\n'
equal(folder.summary(make("ended", {metrics = steps(0, 1), events = ended})).state, "done")
equal(folder.summary(make("unlogged", {metrics = steps(0), events = ended})).state, "done")
equal(folder.summary(make("went-on", {
  metrics = steps(0, 1), events = (ended:gsub("2", "1")),
})).state, "killed")

-- The last evaluation is found however long ago it was.
do
  local lines = {evaluation}
  for i = 4, 2000 do
    lines[i - 2] = ('{"step":%d,"reward":1,"filler":"%s"}\n'):format(i, ("x"):rep(90))
  end
  local long = make("long", {metrics = table.concat(lines)})
  assert(system.size(long .. "/metrics.jsonl") > 1 << 17)
  equal({folder.summary(long).evaluation, folder.summary(long).step}, {0.75, 2000})
end

-- What was written of a line that is not whole is left out; one that is no record is counted.
equal({#folder.open(killed).steps, folder.open(killed).unreadable}, {2, 0})
local odd = make("odd", {metrics = '{"step":1,"reward":null}\nrubbish\n[1]\n\n'})
equal({#folder.open(odd).steps, folder.open(odd).unreadable}, {1, 3})
equal(folder.summary(odd).reward, nil)
assert(output("show", odd):find("3 lines of metrics.jsonl", 1, true))

-- A folder that is no run, and one of another version.
system.make_folder(spec.folder .. "/runs/empty")
system.make_folder(spec.folder .. "/runs/other")
spec.write(spec.folder .. "/runs/other/run.json", '{"version": 99}')
raises("is not the folder of a run", call, "show", spec.folder .. "/runs/empty")
raises("field 'settings' must be an object", call, "show", spec.folder .. "/runs/other")
raises("is not a folder", call, "runs", spec.folder .. "/nowhere")
raises("usage: apo-lua show <run>", call, "show")
raises("needs a number, got 'x'", call, "compare", "--level=x", done, killed)
raises("usage: apo-lua export", call, "export", done)
raises("--csv, --tensorboard or --trackio expected, got '--tsv'", call, "export", done, "--tsv")

local listed = output("runs", spec.folder .. "/runs")
local place = 0
for _, text in ipairs{"run ", "killed ", "other/run.json"} do  -- the newest last, then the faults
  place = assert(listed:find(text, place + 1, true), text)
end
assert(listed:find("done +done +3/3 +0.500 +0.750 +2:00 min +2026%-11%-30 10:00 +train.lua"))
assert(listed:find("stopped +stopped +0/3 +%- +%- +%-"))
local empty = spec.folder .. "/runs/empty"
equal(output("runs", empty), "no runs in " .. empty .. "\n")

local shown = output("show", failed)
assert(shown:find("state +failed") and shown:find("steps +1 of 3") and shown:find("lr +0.001"))
assert(shown:find("judge \\x1B[31m", 1, true) and not shown:find("\27", 1, true), shown)

local compared = output("compare", "--level=0.5", done, killed)
assert(compared:find("done +done +3 +0.750 +0.750 +3 +2:01 min +2:00 min"), compared)
assert(compared:find("killed +killed +2 +0.500 +0.500 +2 +1:20 min"), compared)
assert(compared:find("\nlr +0.001 +0.002\n") and not compared:find("seed"), compared)
assert(compared:find("\n a\n-b\n+B\n c\n+d\n", 1, true), compared)
assert(output("compare", done, done):find("the settings are the same", 1, true))
local near = make("near", {metrics = steps(0.5), lr = 1.00001e-3})
compared = output("compare", done, near)
assert(compared:find("\nlr +0.001 +0.00100001\n"), compared)

-- Of a run that goes on `tail` waits for its end.
assert(output("tail", done):find("done at step 3 of 3 after 2:00 min", 1, true))
do
  local before, write = print, io.write
  equal(system.time_limit(0.3, function() output("tail", running) end), false)
  print, io.write = before, write
end
lock:free()
equal(system.is_locked(running .. "/.lock"), false)
assert(output("tail", running):find("killed at step 1 of 3", 1, true))

equal(output("export", done, "--csv"), "step,seconds,eval/mean_length,eval/reward,reward\r\n"
  .. "1,40,,,0.25\r\n2,80,,,0.5\r\n3,120,,,0.5\r\n3,121,2,0.75,\r\n")

-- Tables: columns by display width, the least important go where it is narrow.
do
  local columns = {
    {"name", function(row) return row[1] end}, {"x", function(row) return row[2] end, rank = 2},
    {"value", function(row) return row[3] end, right = true, rank = 1},
  }
  local rows = {{"日本", "é", 1}, {"abc", nil, 100}}
  equal(tables.lines(columns, rows), {"name  x  value", "日本  é      1", "abc   -    100"})
  equal(tables.lines(columns, rows, 12), {"name  value", "日本      1", "abc     100"})
  equal(tables.lines(columns, rows, 5), {"name", "日本", "abc"})
  equal(tables.cut("日本語", 5), "日本…")
end

-- Differences, against a walk that keeps what both have.
do
  math.randomseed(3)
  for _ = 1, 200 do
    local a, b = {}, {}
    for i = 1, math.random(0, 12) do a[i] = ("xyz"):sub(math.random(3)):sub(1, 1) end
    for i = 1, math.random(0, 12) do b[i] = ("xyz"):sub(math.random(3)):sub(1, 1) end
    local lines = diff(table.concat(a, "\n"), table.concat(b, "\n"))
    local removed, added = 0, 0
    for _, line in ipairs(lines or {}) do
      removed = removed + (line:byte() == 45 and 1 or 0)
      added = added + (line:byte() == 43 and 1 or 0)
    end
    equal(math.max(#a, 1) - removed, math.max(#b, 1) - added)
  end
  equal(diff("a\nb", "a\nb"), nil)
  equal(#diff(("x\n"):rep(4000), "y"), 1)
end

-- Waiting ends by a limit of time.
equal(system.time_limit(0.05, function() system.sleep(60) end), false)

-- The report: one page that loads nothing, and in which no text of a run is more than text.
do
  local attack = "</script><script>alert(1)</script>\27[31m"
  local dir = make(attack:gsub("/", "_"), {
    metrics = steps(0.25, 0.5, 0.75) .. '{"step":4,"reward":null,"my_metric":2}\n' .. evaluation,
    events = apo.json.encode{event = "warning", step = 2, text = attack} .. "\n",
    script = "first\n" .. attack,
  })
  local lines = {}
  for i = 1, 40 do
    lines[i] = apo.json.encode{step = i // 20, prompt = attack, completion = attack, reward = i,
                               finish_reason = "eos", length = 3}
  end
  spec.write(dir .. "/completions.jsonl", table.concat(lines, "\n") .. "\n")
  output("report", dir)
  local page = spec.read(dir .. "/report.html")
  equal({page:find("alert(1)</script>", 1, true)}, {})
  assert(page:find("<pre>first\n&lt;/script", 1, true), "lines of the script are kept")
  equal({page:find("\27", 1, true)}, {})
  equal({page:find("src=", 1, true)}, {})
  equal({page:find("http[s]?://")}, {})
  assert(page:find("default-src 'none'", 1, true) and page:find(">my_metric<", 1, true))
  local _, ends = page:gsub("</script>", "")
  equal(ends, 2)  -- the data and our own
  local data = page:match '<script type="application/json" id="completions">(.-)</script>'
  local list = apo.json.decode(data)
  equal({#list, list[1].text, list[1].step}, {17, apo.system.visible(attack), 2})  -- the one of step 2, 8 of each other

  -- Runs that differ by their seed only are one band; runs without records draw nothing.
  local other = make("other-seed", {metrics = steps(0.5, 0.25, 0.5)})
  local about = apo.json.read(other .. "/run.json")
  about.settings.seed = 8
  apo.json.write(other .. "/run.json", about)
  output("report", done, other, stopped, "-o", spec.folder .. "/all.html")
  page = spec.read(spec.folder .. "/all.html")
  assert(page:find("Bands: from", 1, true) and page:find('class="band"', 1, true))
  output("report", stopped, "-o", spec.folder .. "/none.html")
  equal({spec.read(spec.folder .. "/none.html"):find("<figure>", 1, true)}, {})
  raises("-o needs a file", call, "report", done, "-o")
  raises("is not the folder", call, "report", spec.folder)
end
