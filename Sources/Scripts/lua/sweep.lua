-- apo.sweep: a script with several settings and seeds, each in a process and a run folder of its
-- own.

local apo = require "apo"
local documented, fail = require "apo.documented", require "apo.fail"
local plan, pool_of = require "apo.sweep.plan", require "apo.sweep.pool"
local record_of, screen_of = require "apo.sweep.record", require "apo.sweep.screen"
local outcome, report = require "apo.sweep.outcome", require "apo.report"
local folder, dry_run = require "apo.runs.folder", require "apo.script.dry_run"
local system, shown = apo.system, apo.system.shown

local options = {
  {name = "script", type = "string", text = "the script; it calls `apo.settings`"},
  {name = "dir", type = "string", text = "the folder of the runs, of sweep.json and report.html"},
  {name = "settings", type = "table", default = {},
   text = "a list of settings, or settings by a name that their runs get"},
  {name = "grid", type = "table", default = {},
   text = "lists of values by name: every combination is run, with each of `settings`"},
  {name = "seeds", type = "list of integers", default = {1},
   text = "every setting is run with each of them"},
  {name = "parallel", type = "integer", minimum = 1, maximum = 256, default = 1,
   text = "how many runs at a time"},
  {name = "threads", type = "integer", minimum = 1, maximum = 256, optional = true,
   text = "threads of each run; default: this process's, shared out"},
  {name = "metric", type = "string", optional = true,
   text = "what the table at the end compares; default: `eval/reward`, or `reward` where there are "
     .. "no evaluations"},
  {name = "mode", one_of = {"max", "min"}, default = "max", text = "which of its values is best"},
  {name = "program", type = "string", optional = true, text = "another apo-lua for the runs"},
  {name = "quiet", type = "boolean", default = false, text = "print nothing"},
}

local function check_script(path)
  if system.exists(path) ~= "file" then fail(("sweep: %s: is not a file"):format(shown(path))) end
  local chunk, problem = loadfile(path)
  if not chunk then fail("sweep: " .. problem) end
end

-- The folder, locked for this sweep.
local function open_folder(dir)
  if folder.is_run(dir) then
    fail(("sweep: %s is the folder of a run; choose another"):format(shown(dir)))
  end
  system.make_folder(dir)
  return system.lock(dir .. "/.lock")
    or fail(("sweep: another sweep is writing to %s"):format(shown(dir)))
end

local function threads_of(o)
  local all = tonumber(os.getenv "APO_THREADS") or system.cores()
  return o.threads or math.max(1, math.tointeger(all) // o.parallel)
end

-- What a dry run says: which runs there would be, and how to try one of them.
local function say_plan(o, runs)
  dry_run.say("sweep", ("%d runs of %s in %s, %d at a time with %d threads each"):format(
    #runs, o.script, o.dir, o.parallel, threads_of(o)))
  for _, run in ipairs(runs) do dry_run.say("", run.name) end
  dry_run.say("", ("to check a run: apo-lua --dry-run %s %s"):format(
    o.script, table.concat(runs[1].arguments, " ")))
  dry_run.finish()
end

-- The runs that are to be started; the others are done. Says so if these are of another script.
local function left(runs, record, script, screen)
  local list, changed, text = {}, 0, system.read_file(script)
  for _, run in ipairs(runs) do
    if record:is_done(run) and pool_of.is_done(run.dir) then
      screen.done = screen.done + 1
      local before = folder.script(run.dir)
      if before and before ~= text then changed = changed + 1 end
    else list[#list + 1] = run end
  end
  if screen.done > 0 then
    screen:say(("%d of %d runs are done already"):format(screen.done, #runs))
  end
  if changed > 0 then
    screen:say(("warning: %s has changed since %d of them; remove their folders to run them again")
      :format(script, changed))
  end
  return list
end

-- Runs what is left, `parallel` at a time.
local function work(list, pool, record, screen, parallel)
  local next_run = 1
  while next_run <= #list or #pool.running > 0 do
    while #pool.running < parallel and list[next_run] do
      pool:start(list[next_run])
      screen:started(list[next_run])
      next_run = next_run + 1
    end
    screen:show(pool.running)
    system.sleep(0.05)
    for _, run in ipairs(pool:ended()) do
      record:ended(run, run.fault and math.max(1, run.status) or 0)
      screen:ended(run)
    end
  end
  screen:close()
end

local function stopped(pool, screen, kind)
  local count = #pool.running
  if count > 0 then
    screen:say(("waiting until %d %s saved"):format(count, count == 1 and "run is" or "runs are"))
  end
  pool:stop()
  if kind == "signal" then
    screen:say(("stopped; %d of %d runs are done. To go on, run the script again"):format(
      screen.done, screen.total))
  end
end

-- Writes the report of all runs that left something; returns its path.
local function write_report(o, runs, screen)
  local dirs, path = {}, o.dir .. "/report.html"
  for _, run in ipairs(runs) do
    if pcall(folder.summary, run.dir) then dirs[#dirs + 1] = run.dir end
  end
  if #dirs == 0 then return nil end
  local is_written, problem = pcall(report.write, dirs, path)
  if is_written then return path end
  screen:say("warning: report.html: " .. tostring(problem))
end

local function result_of(runs, rows, metric, path)
  local result = {runs = {}, settings = {}, failed = 0, metric = metric, report = path}
  for i, run in ipairs(runs) do
    result.runs[i] = {name = run.name, dir = run.dir, settings = run.settings, seed = run.seed,
                      final = run.final, best = run.best, fault = run.fault}
    if run.fault then result.failed = result.failed + 1 end
  end
  for i, row in ipairs(rows) do
    result.settings[i] = {name = row.name, settings = row.settings, final = row.final,
                          best = row.best}
  end
  return result
end

return documented{
  name = "apo.sweep", summary = "Runs a script with several settings and seeds, and compares them.",
  details = "Each run is a process with the arguments `name=value` for its settings, `seed`, `dir` "
    .. "and `resume=true`, which `apo.settings` reads, and a run folder `NAME-seedN` in `dir` "
    .. "with its output in output.log. Called again, a sweep goes on: runs that are done are "
    .. "kept, others resume, new settings and seeds are added. A run that fails is shown with "
    .. "the end of its output, and the others go on. Ctrl-C stops all runs, which are saved. "
    .. "See docs/sweeps.md.",
  options = options,
  returns = {{type = "table", text = "`runs`, a list with `name`, `dir`, `settings`, `seed`, "
    .. "`final`, `best` and, where it failed, `fault`; `settings`, a list with `name`, `settings`, "
    .. "`final` and `best` (each `mean`, `std`, `n`); `failed`, a number; `metric`; `report`, a "
    .. "path"}},
  call = function(o)
    check_script(o.script)
    local runs, names = plan(o)
    if dry_run.is_on() then say_plan(o, runs) end
    local lock <close> = open_folder(o.dir)
    for _, run in ipairs(runs) do run.dir = o.dir .. "/" .. run.name end
    local record = record_of(o.dir, o.script, runs)
    local screen = screen_of{total = #runs, parallel = o.parallel, done = 0, quiet = o.quiet}
    local list = left(runs, record, o.script, screen)
    local pool = pool_of.open{script = o.script, program = o.program, threads = threads_of(o)}
    system.on_failure(function() work(list, pool, record, screen, o.parallel) end,
      function(kind)
        stopped(pool, screen, kind)
        lock:free()  -- after a limit of time Lua runs no `<close>`
      end)
    local rows, metric = outcome.read(runs, names, o.metric, o.mode)
    local path = write_report(o, runs, screen)
    if not screen.is_quiet then outcome.print(rows, o.seeds, metric) end
    local result = result_of(runs, rows, metric, path)
    if result.failed > 0 then
      screen:say(("%d of %d runs failed; run the script again to try them again"):format(
        result.failed, #runs))
    end
    if path then screen:say("report: " .. path) end
    return result
  end,
}
