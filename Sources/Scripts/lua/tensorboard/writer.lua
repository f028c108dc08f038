-- Writes a run for TensorBoard: every metric as a scalar; at a few steps texts and histograms of
-- the completions; the settings and how the run ended for the tab HPARAMS.

local apo = require "apo"
local events, records = require "apo.tensorboard.events", require "apo.tensorboard.records"
local folder, markdown = require "apo.tensorboard.folder", require "apo.tensorboard.texts"

local visible = apo.system.visible

local Writer = {}
Writer.__index = Writer

-- TensorBoard keeps 10 texts and 500 histograms of a tag: after as many steps they become rarer.
local texts_each, histograms_each = 20, 100

local function write(writer, event)
  if not event then return end
  local ok, problem = writer.file:write(records.record(event))
  if ok then ok, problem = writer.file:flush() end
  if not ok then error(problem, 0) end
end

-- Begins a file in a folder. `step` is the last one that is kept, `settings` a list of
-- `{name, value}`, `time` when the run began.
local function open(dir, step, settings, time)
  local path = folder.new_path(dir)
  local file, problem = io.open(path, "wb")
  if not file then error(problem, 0) end
  local writer = setmetatable({
    path = path, file = file, last = {}, next_text = 0, next_histogram = 0,
  }, Writer)
  write(writer, events.version(time))
  write(writer, events.start(time, step + 1))
  write(writer, events.session_start(time, settings))
  return writer
end

-- Writes the metrics of a step or of an evaluation. What both have is written once.
function Writer:metrics(record, time)
  local list, step = {}, math.tointeger(record.step)
  if not step then return end
  for name, value in pairs(record) do
    if type(value) == "boolean" then value = value and 1 or 0 end
    if name ~= "step" and type(value) == "number" and self.last[name] ~= step then
      list[#list + 1], self.last[name] = {name, value}, step
    elseif name ~= "kind" and type(value) == "string" then
      write(self, events.text(time, step, visible(name), markdown.fenced(value)))
    end
  end
  if #list == 0 then return end
  table.sort(list, function(a, b) return a[1] < b[1] end)
  write(self, events.scalars(time, step, list))
end

local function values_of(samples, name)
  local list = {}
  for _, s in ipairs(samples) do
    if type(s[name]) == "number" then list[#list + 1] = s[name] end
  end
  return list
end

-- Writes the completions of a step where it is their turn. At most `limit` are shown as texts.
function Writer:completions(step, samples, limit, time)
  if step >= self.next_text then
    local some = limit and table.move(samples, 1, math.min(limit, #samples), 1, {}) or samples
    if #some > 0 then
      write(self, events.text(time, step, "texts/completions", markdown.of(some)))
    end
    self.next_text = step + math.max(1, step // texts_each)
  end
  if step >= self.next_histogram then
    write(self, events.histogram(time, step, "histograms/reward", values_of(samples, "reward")))
    write(self, events.histogram(time, step, "histograms/completion_length",
      values_of(samples, "length")))
    self.next_histogram = step + math.max(1, step // histograms_each)
  end
end

-- Ends the file of a run that is done or that failed; of one that was stopped the end stays open.
function Writer:finish(state, time)
  if state == "done" or state == "failed" then
    write(self, events.session_end(time, state == "done"))
  end
  self.file:close()
end

return open
