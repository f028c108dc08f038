-- The database of a Trackio project, `$TRACKIO_DIR/PROJECT.db`, in the schema of version 2, which
-- Trackio 0.24 to 0.43 write (trackio/sqlite_storage.py). The tables that we do not write are made
-- by Trackio when it opens the project.

local apo = require "apo"
local system = apo.system

local schema = {
  [[CREATE TABLE IF NOT EXISTS metrics (
    id INTEGER PRIMARY KEY AUTOINCREMENT, run_id TEXT NOT NULL, timestamp TEXT NOT NULL,
    run_name TEXT NOT NULL, step INTEGER NOT NULL, metrics TEXT NOT NULL, log_id TEXT,
    space_id TEXT)]],
  [[CREATE TABLE IF NOT EXISTS configs (
    id INTEGER PRIMARY KEY AUTOINCREMENT, run_id TEXT NOT NULL, run_name TEXT NOT NULL,
    config TEXT NOT NULL, created_at TEXT NOT NULL, UNIQUE(run_id))]],
  [[CREATE TABLE IF NOT EXISTS system_metrics (
    id INTEGER PRIMARY KEY AUTOINCREMENT, run_id TEXT NOT NULL, timestamp TEXT NOT NULL,
    run_name TEXT NOT NULL, metrics TEXT NOT NULL, log_id TEXT, space_id TEXT)]],
  "CREATE INDEX IF NOT EXISTS idx_metrics_run_step ON metrics(run_id, step)",
  "CREATE INDEX IF NOT EXISTS idx_metrics_run_timestamp ON metrics(run_id, timestamp)",
  "CREATE UNIQUE INDEX IF NOT EXISTS idx_metrics_log_id ON metrics(log_id) "
    .. "WHERE log_id IS NOT NULL",
  "CREATE INDEX IF NOT EXISTS idx_metrics_pending ON metrics(space_id) WHERE space_id IS NOT NULL",
  "CREATE INDEX IF NOT EXISTS idx_metrics_run_record ON metrics(run_id, run_name, timestamp)",
  "CREATE INDEX IF NOT EXISTS idx_configs_run_name ON configs(run_name)",
  "PRAGMA user_version = 2",
}

-- Names that Trackio keeps for itself.
local taken = {"_system", "_configs", "_traces", "_artifacts", "_artifact_versions",
               "_artifact_aliases", "_run_artifact_links", "_external_run_artifact_links"}

-- Why a project may not have a name, or nil.
local function name_problem(name)
  local problem
  if not name:find "^[%w_-]+$" then problem = "only letters, digits, '-' and '_' may be in it"
  elseif name:find "^registry%-" then
    problem = "names that begin with 'registry-' are Trackio's"
  end
  for _, ending in ipairs(taken) do
    if #name > #ending and name:sub(-#ending) == ending then
      problem = ("names that end in '%s' are Trackio's"):format(ending)
    end
  end
  return problem and ("the project '%s': %s"):format(system.visible(name), problem)
end

-- A variable of the environment; an empty one counts as not set.
local function variable(name)
  local value = os.getenv(name)
  return value ~= "" and value or nil
end

-- The folder of all projects.
local function folder()
  local home = variable "HF_HOME"
    or (variable "XDG_CACHE_HOME" or (variable "HOME" or ".") .. "/.cache") .. "/huggingface"
  return variable "TRACKIO_DIR" or home .. "/trackio"
end

local Store = {}
Store.__index = Store

-- Calls `body` in a transaction while holding the lock that all programs writing to the project
-- take. Gives false where another one holds it.
function Store:change(body)
  local lock <close> = system.lock(self.lock_path)
  if not lock then return false end
  self.database:execute "BEGIN IMMEDIATE"
  local ok, problem = pcall(body, self.database)
  if ok then ok, problem = pcall(self.database.execute, self.database, "COMMIT") end
  if not ok then
    pcall(self.database.execute, self.database, "ROLLBACK")
    error(problem, 0)
  end
  return true
end

-- Whether another program holds the database: to be tried again.
local function is_busy(problem) return tostring(problem):find("locked", 1, true) ~= nil end

-- Repeats for some seconds what another program holds up.
local function patiently(body)
  local deadline = system.clock() + 10
  while true do
    local ok, result = pcall(body)
    if ok and result ~= false then return result end
    if not ok and not is_busy(result) then error(result, 0) end
    if system.clock() > deadline then
      error(ok and "another program holds the lock of the project" or result, 0)
    end
    system.sleep(0.1)
  end
end

local function create(store)
  local database = store.database
  local columns = {}
  for _, row in ipairs(database:execute "PRAGMA table_info(metrics)") do columns[row[2]] = true end
  if next(columns) and not (columns.run_id and columns.log_id) then
    error(("%s: was written by a Trackio before 0.24; open the project once with a newer one")
      :format(system.shown(store.path)), 0)
  end
  if next(columns) then return true end
  return store:change(function()
    for _, statement in ipairs(schema) do database:execute(statement) end
  end)
end

-- Opens the database of a project, or makes it.
local function open(project)
  local problem = name_problem(project)
  if problem then error(problem, 0) end
  local dir = folder()
  system.make_folder(dir)
  local store = setmetatable({
    path = ("%s/%s.db"):format(dir, project), lock_path = ("%s/%s.lock"):format(dir, project),
  }, Store)
  local is_open, database = pcall(system.database, store.path)
  if not is_open then error((tostring(database):gsub("^%[apo%] [^:]+:%d+: ", "")), 0) end
  store.database = database
  patiently(function()
    store.database:execute "PRAGMA journal_mode = WAL"
    store.database:execute "PRAGMA synchronous = NORMAL"
    return create(store)
  end)
  return store
end

return {open = open, name_problem = name_problem, patiently = patiently, is_busy = is_busy}
