-- The benchmark: see scripts/bench for its use, rows.lua for what is measured, docs/performance.md for how to read it.
local apo = require "apo"
local scripts = arg[0]:match("^(.*)/[^/]*$") or "."
package.path = scripts .. "/?.lua;" .. package.path
local models, rows_of = require "models", require("rows").of
local measure, Engine, Report = require "measure", require "engines", require "report"
local options = require "options"
local matches = options.matches

-- What Python has of the peers, in words; a set of the workers that can run.
local function peers_of(python)
  local packages = {torch = {"torch", "transformers"}, trl = {"trl"}, llama = {"llama-cpp-python", "gguf"}}
  local has, words = {}, {}
  for _, worker in ipairs{"torch", "trl", "llama"} do
    has[worker] = true
    for _, package in ipairs(packages[worker]) do
      local pipe = io.popen(("'%s' -c 'import importlib.metadata as m; print(m.version(\"%s\"))' 2> /dev/null"):format(
        python, package))
      local version = pipe:read()
      pipe:close()
      words[#words + 1] = package .. " " .. (version or "IS NOT INSTALLED, its rows are left out")
      has[worker] = has[worker] and version ~= nil
    end
  end
  return has, table.concat(words, ", ")
end

-- The processes that do a row: ours once for each number of threads and each program, peers once.
local function engines_of(row, o, program)
  local list = {}
  local function add(engine, changes)
    local about = setmetatable(changes, {__index = engine})
    if matches(o.engines, about.title) then list[#list + 1] = about end
  end
  for _, engine in ipairs(row.engines) do
    if engine.worker ~= "ours" then
      if o.peers and o.peers[engine.worker] then add(engine, {threads = o.threads[#o.threads]}) end
    else
      for k = #o.threads, 1, -1 do
        local threads = o.threads[k]
        add(engine, {threads = threads, program = program,
                     title = k < #o.threads and ("%s x%d"):format(engine.title, threads) or nil})
      end
      if o.against and not engine.other_work then
        add(engine, {threads = o.threads[#o.threads], program = o.against, title = "against"})
      end
    end
  end
  return list
end

local function last_cache()
  local text = apo.system.read_file("/sys/devices/system/cpu/cpu0/cache/index3/size") or ""
  return (tonumber(text:match("^(%d+)K")) or 32768) * 1024
end

-- The best rates seen so far; asked for again before each round.
local function limits_of(o, place, program, is_small)
  local spec = {kind = "limits", width = is_small and 64 or 2048, floats = is_small and 65536 or 1 << 26}
  local threads, list, best = o.threads[#o.threads], {}, {}
  list[1] = Engine.start({worker = "ours", program = program, threads = threads}, spec, place)
  if o.peers and o.peers.torch then list[2] = Engine.start({worker = "torch", threads = threads}, spec, place) end
  for _, engine in ipairs(list) do engine:is_ready() end
  local function measure_again()
    for _, engine in ipairs(list) do
      local _, rates = engine:run()
      for name, rate in pairs(rates or {}) do best[name] = math.max(rate, best[name] or 0) end
    end
    best.compute = math.max(best.packed, best.matmul, best.torch or 0)
    best.bandwidth = math.max(best.sum, best.decoding)
  end
  measure_again()
  return best, measure_again, function() for _, engine in ipairs(list) do engine:stop() end end
end

-- Writes the results of a model: NAME.md, and NAME.json with the seconds of every run.
local function save(name, done, limits, o, place)
  local about = ("%s, %s threads%s"):format(os.date("!%Y-%m-%d %H:%M UTC"), table.concat(o.threads, " and "),
    o.versions and ", " .. o.versions or "")
  local text = ("%s\n\n%s\n\n%s\n"):format(about, Report.limits(limits), Report.markdown(done, limits))
  apo.system.write_file(("%s/%s.md"):format(place.results, name), text)
  local list = {}
  for i, m in ipairs(done) do
    list[i] = {row = m.row.name, engine = m.engine.title, threads = m.engine.threads, seconds = m.result.seconds,
               tokens = m.row.tokens, work = m.row.work, bytes = m.row.bytes, memory = m.result.memory,
               failed = m.result.failed}
  end
  apo.json.write(("%s/%s.json"):format(place.results, name), {about = about, limits = limits, measurements = list})
  for _, m in ipairs(done) do
    if m.result.failed then print(("%s by %s failed; see %s"):format(m.row.name, m.engine.title, place.log)) end
  end
end

local function bench(name, o, place, program)
  local rows, done = rows_of(name, last_cache()), {}
  local limits, again, stop = limits_of(o, place, program, name == "tiny")
  local layers, head = models.weights(models.sizes[name])
  print(("\n%s: %.1f M weights, %s threads"):format(name, (layers + head) / 1e6, table.concat(o.threads, " and ")))
  for _, row in ipairs(rows) do
    local engines = matches(o.rows, row.name) and engines_of(row, o, program) or {}
    if #engines > 0 then
      row.rounds, row.spec.folder = o.rounds or row.rounds, models.folder(name, place.models)
      local new = {}
      for i, result in ipairs(measure(row, engines, place, again)) do
        new[i] = {row = row, engine = engines[i], result = result}
        done[#done + 1] = new[i]
      end
      print(Report.text(new, limits, #done > #new))
      io.stdout:flush()
    end
  end
  stop()
  save(name, done, limits, o, place)
  print(Report.limits(limits))
end

local o = options.of(arg)
if o.list then
  for _, name in ipairs(o.names) do
    for _, row in ipairs(rows_of(name, last_cache())) do print(name, row.name) end
  end
  return
end
local under = os.getenv("APO_BENCH_FOLDER") or scripts .. "/../../.build/bench"
local place = {scripts = scripts, models = under, results = under .. "/results", folder = under, log = under .. "/log",
               python = os.getenv("APO_PYTHON")}
apo.system.make_folder(place.results)
os.remove(place.log)
if o.peers then
  if not place.python then options.fail("--peers needs APO_PYTHON; scripts/bench sets it") end
  o.peers, o.versions = peers_of(place.python)
  print(o.versions)
end
for _, name in ipairs(o.names) do bench(name, o, place, arg[-1]) end
