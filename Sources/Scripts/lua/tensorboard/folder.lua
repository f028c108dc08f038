-- The event files of a folder: a new one for every start, after those that are there. Files of
-- other programs are left alone.

local apo = require "apo"
local events, records = require "apo.tensorboard.events", require "apo.tensorboard.records"
local system = apo.system

local pattern = "^events%.out%.tfevents%.(%d+)%..*%.apo$"

-- The names of the event files in the order in which readers take them.
local function names(dir)
  local found = {}
  for _, name in ipairs(system.list(dir)) do
    if name:find(pattern) then found[#found + 1] = name end
  end
  return found
end

-- The first word of a file of /proc.
local function word(path)
  local text = system.read_file(path, 200)
  return text and text:match "[%w.-]+" or "0"
end

-- The path of a new file: its time is later than those of the files before it.
local function new_path(dir)
  local seconds, there = system.time() // 1 | 0, names(dir)
  local last = #there > 0 and math.tointeger(tonumber(there[#there]:match(pattern)))
  if last and last < 1 << 40 then seconds = math.max(seconds, last + 1) end
  return ("%s/events.out.tfevents.%010d.%s.%s.apo"):format(dir, seconds,
    word "/proc/sys/kernel/hostname", word "/proc/self/stat")
end

-- Where the events end that are kept: before the first that is later than a step, that ends the
-- session, or that is not whole.
local function kept_length(path, step)
  local file <close> = assert(io.open(path, "rb"))
  local length = 0
  for bytes, start in records.each(file) do
    local of_event, is_end = events.read(bytes)
    if of_event > step or is_end then return start end
    length = start + #bytes + 16
  end
  return length
end

-- Cuts off what was written after a step, which a resumed run writes again. Gives whether there was
-- an event file.
local function cut(dir, step)
  local there = names(dir)
  for _, name in ipairs(there) do
    local path = dir .. "/" .. name
    local length = kept_length(path, step)
    if length < system.size(path) then system.truncate(path, length) end
  end
  return #there > 0
end

return {names = names, new_path = new_path, cut = cut}
