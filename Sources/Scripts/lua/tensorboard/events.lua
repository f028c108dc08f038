-- TensorBoard's events as bytes: what tensorflow/core/util/event.proto and summary.proto declare,
-- in the forms that its readers list under the usual names (`Scalars`, `Histograms`, `Tensors` of
-- EventAccumulator).

local visible = require "apo".system.visible
local protobuf = require "apo.tensorboard.protobuf"
local integer, double, float = protobuf.integer, protobuf.double, protobuf.float
local bytes, doubles = protobuf.bytes, protobuf.doubles

-- A name or text as Protocol Buffers want it: valid UTF-8.
local function text_of(value, keeps_lines) return visible(tostring(value), keeps_lines) end

-- An event: wall time 1, step 2, summary 5, session log 7.
local function event(time, step, field)
  return double(1, time) .. (step ~= 0 and integer(2, step) or "") .. field
end

-- The first event of a file.
local function version(time) return double(1, time) .. bytes(3, "brain.Event:2") end

-- A session begins at a step: readers drop what they have read of this step and later ones.
local function start(time, step) return event(time, step, bytes(7, integer(1, 1))) end

-- The step of an event, and whether it ends the session of hparams.
local function read(event_bytes)
  local tag, place = protobuf.read_varint(event_bytes, 10)
  local step = tag == 16 and protobuf.read_varint(event_bytes, place) or 0
  return step, event_bytes:find("_hparams_/session_end_info", 1, true) ~= nil
end

local heads = {}  -- of scalars, by tag

-- Scalars of a record: `{tag, value}` each; many are one event.
local function scalars(time, step, list)
  local out = {}
  for i, pair in ipairs(list) do
    local tag = pair[1]
    local head = heads[tag]
    if not head then
      local name = bytes(1, text_of(tag))
      head = "\x0a" .. protobuf.varint(#name + 5) .. name
      heads[tag] = head
    end
    out[i] = head .. float(2, pair[2])
  end
  return event(time, step, bytes(5, table.concat(out)))
end

-- A tensor of a plugin: tag 1, tensor 8, metadata 9 {plugin data 1 {name 1, content 2}}.
local function tensor(tag, plugin, content, ...)
  return bytes(5, bytes(1, bytes(1, tag), bytes(8, ...),
    bytes(9, bytes(1, bytes(1, plugin), content and bytes(2, content) or ""))))
end

-- A text in Markdown: a string (7) without dimensions.
local function text(time, step, tag, markdown)
  return event(time, step, tensor(tag, "text", nil, integer(1, 7), bytes(2),
    bytes(8, text_of(markdown, true))))
end

local bins = 30

-- A histogram of numbers, at least one of them finite: 30 bins from the least to the greatest.
local function histogram(time, step, tag, values)
  local low, high, sum, squares, count = math.huge, -math.huge, 0.0, 0.0, 0
  for _, x in ipairs(values) do
    if x - x == 0 then
      low, high, count = math.min(low, x), math.max(high, x), count + 1
      sum, squares = sum + x, squares + x * x
    end
  end
  if count == 0 then return nil end
  local from, width = low, (high - low) / bins
  if width == 0 or width == math.huge then from, width = low - 0.5, 1 / bins end
  local limits, counts = {}, {}
  for i = 1, bins do limits[i], counts[i] = from + i * width, 0 end
  if low < high then limits[bins] = high end  -- exactly
  for _, x in ipairs(values) do
    if x - x == 0 then
      local bin = math.max(1, math.min(bins, math.ceil((x - from) / width)))
      counts[bin] = counts[bin] + 1
    end
  end
  return event(time, step, bytes(5, bytes(1, bytes(1, tag), bytes(5, double(1, low),
    double(2, high), double(3, count), double(4, sum), double(5, squares), doubles(6, limits),
    doubles(7, counts)))))
end

-- An event of the plugin for hyperparameters: its data are in the metadata of an empty tensor.
local function hparams(time, name, field)
  return event(time, 0, tensor("_hparams_/" .. name, "hparams", field, integer(1, 1),
    bytes(2, bytes(2))))
end

-- A setting as google.protobuf.Value: number 2, string 3, bool 4.
local function value_of(setting)
  if type(setting) == "number" then return double(2, setting) end
  if type(setting) == "boolean" then return integer(4, setting and 1 or 0) end
  return bytes(3, text_of(setting))
end

-- What a run was started with: `{name, value}` each.
local function session_start(time, settings)
  local out = {}
  for i, pair in ipairs(settings) do
    out[i] = bytes(1, bytes(1, text_of(pair[1])), bytes(2, value_of(pair[2])))
  end
  out[#out + 1] = double(5, time)
  return hparams(time, "session_start_info", bytes(3, table.concat(out)))
end

-- How it ended.
local function session_end(time, is_success)
  return hparams(time, "session_end_info",
    bytes(4, integer(1, is_success and 1 or 2), double(2, time)))
end

return {version = version, start = start, read = read, scalars = scalars, text = text,
        histogram = histogram, session_start = session_start, session_end = session_end}
