-- The store of a Trackio project: names, other programs at work, rows, what a resumed run replaces.
-- TrackerTests.swift has Trackio itself read it.
local spec = ...
local apo = require "apo"
local equal, raises = spec.equal, spec.raises
local system = apo.system
local getenv, variables = os.getenv, {TRACKIO_DIR = spec.folder .. "/store"}
os.getenv = function(name) return variables[name] or getenv(name) end

local database = system.database
do
  local is_there, problem = pcall(database, spec.folder .. "/probe.db")
  if not is_there and problem:find("libsqlite3%-0") then return print("trackio.lua is skipped: " .. problem) end
end

-- Databases: one statement, its values and rows; errors name the file.
do
  local path = spec.folder .. "/a.db"
  local db = database(path)
  db:execute "CREATE TABLE t (a INTEGER, b REAL, c TEXT)"
  db:execute("INSERT INTO t VALUES (?, ?, ?)", 1 << 62, 0.1, "é\0\"'")
  db:execute("INSERT INTO t VALUES (?, NULL, ?)", -1, "")
  equal(db:execute "SELECT * FROM t ORDER BY a", {{-1, false, ""}, {1 << 62, 0.1, "é\0\"'"}})
  raises("a.db: no such table: u", db.execute, db, "SELECT * FROM u")
  raises("has 1 parameters, got 0", db.execute, db, "SELECT ?")
  raises("value 1 must be a number or a string", db.execute, db, "SELECT ?", {})
  raises("one statement expected", db.execute, db, "SELECT 1; DROP TABLE t")
  raises("a.db: ", db.execute, db, "")
  db:close()
  raises("is closed", db.execute, db, "SELECT 1")
  raises("unable to open", database, spec.folder)
  raises("unable to open", database, spec.folder .. "/nowhere/a.db")
  spec.write(spec.folder .. "/text.db", ("no database "):rep(100))
  db = database(spec.folder .. "/text.db")
  raises("text.db: file is not a database", db.execute, db, "SELECT * FROM t")
end

local store, writer = require "apo.trackio.store", require "apo.trackio.writer"
equal(writer.timestamp(1709251199.25), "2024-02-29T23:59:59.250000+00:00")

for name, problem in pairs{["a/b"] = "only letters", [""] = "only letters", ["ä"] = "only letters",
  ["registry-x"] = "begin with 'registry-'", x_configs = "end in '_configs'"} do
  raises(problem, store.open, name)
  raises("option 'trackio'", require "apo.run.sinks".check, "train", {trackio = name})
end

local function begin(project, changes)
  local run = {id = "abc", name = "run", settings = {{"lr", 0.5}, {"on", true}}, began = 0, step = 0}
  for name, value in pairs(changes or {}) do run[name] = value end
  return writer.open(project, run)
end

local function rows(project)
  local db = database(variables.TRACKIO_DIR .. "/" .. project .. ".db")
  return db:execute("SELECT run_name, step, metrics, log_id, timestamp FROM metrics ORDER BY id")
end

-- Rows; metrics that JSON has no number for as Trackio writes them; a step goes in once.
do
  local w = begin "rows"
  w:metrics({step = 1, reward = 0.5, loss = 0 / 0, low = -1 / 0, kind = "step", on = true, word = "a\27"}, 1)
  w:metrics({step = 1, ["eval/reward"] = 1}, 2)
  w:metrics({step = 1, reward = 7}, 3)
  w:metrics({reward = 7}, 3)
  w:completions(1, {{row = {prompt = "p\27"}, completion = {text = ("é"):rep(2000)}, reward = 1}}, 1, 4)
  w:finish()
  local list = rows "rows"
  equal(#list, 3)
  equal(list[1], {"run", 1, '{"loss":"NaN","low":"-Infinity","on":true,"reward":0.5,"word":"a\\\\x1B"}', "abc-step-1",
                  "1970-01-01T00:00:01.000000+00:00"})
  equal({list[2][4], list[3][4]}, {"abc-eval-1", "abc-completions-1"})
  local cell = apo.json.decode(list[3][3]).completions._value[1]
  equal({cell.prompt, #cell.completion}, {"p\\x1B", 2000 + #"… (2000 bytes left out)"})
  begin("rows", {step = 0, id = "other"}):finish()
  equal(#rows "rows", 3)
  begin("rows", {step = 0}):finish()  -- goes on from before its first step
  equal(#rows "rows", 0)
end

-- While another program writes the rows wait; `finish` gives up after a while, and says so.
do
  local w = begin "busy"
  local other = database(w.store.path)
  other:execute "BEGIN IMMEDIATE"
  w.last_write = -math.huge
  w:metrics({step = 1, reward = 1}, 1)
  equal(#w.waiting, 1)
  other:execute "COMMIT"
  w.last_write = -math.huge
  w:metrics({step = 2, reward = 1}, 1)
  equal({#w.waiting, #rows "busy"}, {0, 2})
  local lock = assert(system.lock(w.store.lock_path))
  w.last_write = -math.huge
  w:metrics({step = 3, reward = 1}, 1)
  equal(#w.waiting, 1)
  lock:free()
  w:finish()
  equal(#rows "busy", 3)
end

-- A project of an older Trackio, and something that is no database.
do
  local db = database(variables.TRACKIO_DIR .. "/old.db")
  db:execute "CREATE TABLE metrics (id INTEGER, timestamp TEXT, run_name TEXT, step INTEGER, metrics TEXT)"
  raises("Trackio before 0.24", begin, "old")
  spec.write(variables.TRACKIO_DIR .. "/text.db", ("no database "):rep(100))
  raises("text.db: file is not a database", begin, "text")
  variables.TRACKIO_DIR = spec.folder .. "/a.db"
  raises("a.db", begin, "x")
end
