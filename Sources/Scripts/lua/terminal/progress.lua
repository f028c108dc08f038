-- Progress bars on standard error: progress, rate, remaining time.
--
--   values  ━━━━━━━━━━━━━━━━────────  63%  1890/3000 rows  85.2/s  ETA 13.0 s
--
-- On a terminal the line is redrawn, at most ten times a second. Otherwise (a log file) a line is
-- written every five seconds, if it takes that long. Nothing is written when `quiet` is set or the
-- environment has APO_QUIET.

local apo = require "apo"
local documented, duration = require "apo.documented", require "apo.terminal.duration"
local visible, columns = apo.system.visible, apo.system.columns

local Progress = documented{class = "apo.Progress", summary = "A progress bar."}

local function rate(per_second)
  if per_second >= 100 then return ("%.0f/s"):format(per_second) end
  if per_second >= 1 then return ("%.1f/s"):format(per_second) end
  return ("%.1f s each"):format(1 / per_second)
end

-- What is known now, as two texts: before and after the bar.
local function texts(self)
  local elapsed, done = apo.system.clock() - self.start, self.done - self.first
  local right = ("%3d%%  %d/%d %s"):format(
    math.floor(100 * self.done / self.total), self.done, self.total, visible(self.unit))
  if done > 0 and elapsed > 0 then
    right = right .. "  " .. rate(done / elapsed)
    local left = (self.total - self.done) * elapsed / done
    right = right .. (left > 0 and "  ETA " .. duration(left) or "  " .. duration(elapsed))
  end
  return visible(self.title) .. "  ", right .. (self.note and "  " .. visible(self.note) or "")
end

local function draw(self)
  local left, right = texts(self)
  local width = apo.system.width() - 1  -- in the last column some terminals begin another line
  local room = width - columns(left) - columns(right) - 2
  local cells = math.max(0, math.min(30, room))
  local filled = math.floor(cells * self.done / self.total)
  local bar = cells < 5 and "" or ("━"):rep(filled) .. ("─"):rep(cells - filled) .. "  "
  io.stderr:write("\r", apo.system.excerpt(left .. bar .. right, width), "\27[K")
  io.stderr:flush()
end

local function show(self)
  if self.is_terminal then return draw(self) end
  local left, right = texts(self)
  io.stderr:write(left, right, "\n")
end

Progress.advance = documented{
  name = "apo.Progress:advance", summary = "Advances the bar.",
  parameters = {
    {name = "count", type = "integer", default = 1, text = "by how much"},
    {name = "note", type = "string", optional = true, text = "shown at the end of the line"},
  },
  call = function(self, count, note)
    self.done, self.note = self.done + count, note or self.note
    local now = apo.system.clock()
    if self.is_quiet or now - self.shown < (self.is_terminal and 0.1 or 5) then return end
    self.shown, self.shown_done = now, self.done
    show(self)
  end,
}

Progress.print = documented{
  name = "apo.Progress:print", summary = "Writes a line above the bar.",
  parameters = {{name = "line", type = "string", text = "the line"}},
  call = function(self, line)
    if self.is_quiet then return end
    self:clear()
    io.stderr:write(visible(line, true), "\n")
    if self.is_terminal then draw(self) end
  end,
}

Progress.clear = documented{
  name = "apo.Progress:clear", summary = "Removes the bar from the screen.",
  call = function(self)
    if self.is_terminal and not self.is_quiet then io.stderr:write("\r\27[K") end
  end,
}

Progress.finish = documented{
  name = "apo.Progress:finish", summary = "Draws the bar a last time and leaves it on screen.",
  call = function(self)
    local is_short = apo.system.clock() - self.start < 5
    if self.is_quiet or is_short and not self.is_terminal then return end
    if not self.is_terminal and self.shown_done == self.done then return end  -- is written already
    show(self)
    if self.is_terminal then io.stderr:write("\n") end
  end,
}

return documented{
  name = "apo.progress", summary = "Starts a progress bar on standard error.",
  options = {
    {name = "total", type = "integer", minimum = 1, text = "total amount of work"},
    {name = "done", type = "integer", default = 0, text = "amount already done"},
    {name = "title", type = "string", default = "", text = "what it is"},
    {name = "unit", type = "string", default = "", text = "unit of the count"},
    {name = "quiet", type = "boolean", default = false, text = "write nothing"},
  },
  returns = {{type = "apo.Progress", text = "the bar"}},
  example = [[local bar = apo.progress{total = 100, title = "work", unit = "pieces"}
for i = 1, 100 do bar:advance() end
bar:finish()]],
  call = function(options)
    local now = apo.system.clock()
    return setmetatable({
      total = options.total, done = options.done, first = options.done,
      title = options.title, unit = options.unit,
      is_quiet = options.quiet or (os.getenv("APO_QUIET") or "") ~= "",
      is_terminal = apo.system.is_terminal("stderr"),
      start = now, shown = now - (apo.system.is_terminal("stderr") and 1 or 0),
    }, Progress)
  end,
}
