-- What a sweep shows: a line for every run that ends, and on a terminal a table of those that run,
-- which is redrawn.

local apo = require "apo"
local folder, format = require "apo.runs.folder", require "apo.runs.format"
local tables, pool = require "apo.runs.table", require "apo.sweep.pool"
local system, visible = apo.system, apo.system.visible

local Screen = {}
Screen.__index = Screen

local seconds_between = 0.5

local columns = {
  {"run", function(row) return row.name end},
  {"step", function(row) return row.step end, right = true},
  {"reward", function(row) return row.reward end, right = true, rank = 1},
  {"eval", function(row) return row.evaluation end, right = true, rank = 2},
  {"time", function(row) return row.time end, right = true, rank = 3},
}

local function row_of(run)
  local is_read, now = pcall(folder.summary, run.dir)
  local row = {name = run.name, time = format.duration(run.seconds or system.clock() - run.began)}
  if not is_read then return row end
  row.step = now.total and ("%d/%d"):format(now.step, now.total) or tostring(now.step)
  row.reward, row.evaluation = format.reward(now.reward), format.reward(now.evaluation)
  return row
end

local function erase(screen)
  if screen.height > 0 then io.stderr:write(("\27[%dA\r\27[J"):format(screen.height)) end
  screen.height = 0
end

-- How far all is.
local function overall(screen, running)
  local done, failed = screen.done, screen.failed
  local parts = {("%d of %d done"):format(done, screen.total)}
  if running > 0 then parts[#parts + 1] = ("%d running"):format(running) end
  if failed > 0 then parts[#parts + 1] = ("%d failed"):format(failed) end
  if screen.timed > 0 and screen.total > done + failed then
    local each = screen.seconds / screen.timed
    local left = (screen.total - done - failed) * each / screen.parallel
    parts[#parts + 1] = "about " .. format.duration(left) .. " left"
  end
  return table.concat(parts, ", ")
end

-- Redraws the table, at most twice a second.
function Screen:show(running)
  if not self.is_terminal or system.clock() - self.shown < seconds_between then return end
  self.shown = system.clock()
  local width, height = system.width()
  local rows = {}
  for i = 1, math.min(#running, height - 4) do rows[i] = row_of(running[i]) end
  local lines = tables.lines(columns, rows, width - 1)
  lines[#lines + 1] = overall(self, #running)
  erase(self)
  io.stderr:write(table.concat(lines, "\n"), "\n")
  io.stderr:flush()
  self.height = #lines
end

-- Prints lines that stay.
function Screen:say(...)
  if self.is_quiet then return end
  erase(self)
  for _, line in ipairs{...} do print(visible(line, true)) end
  io.stdout:flush()
  self.shown = 0
end

local function line_of(run, word)
  local row, parts = row_of(run), {word, run.name}
  if row.step then parts[#parts + 1] = "step " .. row.step end
  if row.reward then parts[#parts + 1] = "reward " .. row.reward end
  if row.evaluation then parts[#parts + 1] = "eval " .. row.evaluation end
  parts[#parts + 1] = row.time
  return table.concat(parts, "  ")
end

function Screen:started(run)
  if not self.is_terminal then self:say("started  " .. run.name) end
end

function Screen:ended(run)
  if not run.fault then
    self.done, self.timed = self.done + 1, self.timed + 1
    self.seconds = self.seconds + run.seconds
    return self:say(line_of(run, "done   "))
  end
  self.failed = self.failed + 1
  self:say(line_of(run, "failed "), ("  %s; %s ends with"):format(run.fault, system.shown(run.log)))
  for _, line in ipairs(pool.last_lines(run, 10)) do self:say("  | " .. line) end
end

-- Removes the table.
function Screen:close() erase(self) end

return function(o)
  local is_quiet = o.quiet or (os.getenv "APO_QUIET" or "") ~= ""
  return setmetatable({
    total = o.total, parallel = o.parallel, done = o.done, failed = 0, timed = 0, seconds = 0,
    is_quiet = is_quiet, is_terminal = not is_quiet and system.is_terminal "stderr",
    height = 0, shown = 0,
  }, Screen)
end
