-- Event files of TensorBoard: their bytes, what a run writes, what a resumed run cuts off, export.
-- TensorBoardTests.swift has TensorBoard itself read them.
local spec = ...
local apo = require "apo"
local equal, raises = spec.equal, spec.raises
local events, records = require "apo.tensorboard.events", require "apo.tensorboard.records"
local event_files, markdown = require "apo.tensorboard.folder", require "apo.tensorboard.texts".of
local play, command = require "apo.runs.play", require "apo.command"

-- CRC-32C, by the check value of its definition and by RFC 3720, B.4.
equal(records.crc32c "123456789", 0xE3069283)
equal(records.crc32c(("\0"):rep(32)), 0x8A9136AA)
equal(records.crc32c(("\255"):rep(32)), 0x62A8AB43)
equal(records.crc32c "", 0)

-- Bytes, as tensorboard 2.21.0 writes the same events.
local function hex(text)
  return (text:gsub(".", function(c) return ("%02x"):format(c:byte()) end))
end
equal(hex(records.record(events.version(1.5))), "1800000000000000a37f4b22"
  .. "09000000000000f83f1a0d627261696e2e4576656e743a322a28646c")
equal(hex(events.scalars(2, 300, {{"loss", 0.5}, {"é", -2}})),
  "09000000000000004010ac022a180a0b0a046c6f7373150000003f0a090a02c3a915000000c0")
equal(hex(events.start(2, 3)), "09000000000000004010033a020801")
equal(hex(events.text(2, 1, "t", "a")),
  "09000000000000004010012a180a160a01744207080712004201614a080a060a0474657874")
equal(hex(events.session_start(2, {{"lr", 0.5}, {"name", "x"}, {"on", true}})),
  "0900000000000000402a6a0a680a1c5f68706172616d735f2f73657373696f6e5f73746172745f696e666f"
  .. "42060801120212004a400a3e0a0768706172616d7312331a310a0f0a026c72120911000000000000e03f"
  .. "0a0b0a046e616d6512031a01780a080a026f6e12022001290000000000000040")
equal(hex(events.session_end(2, true)),
  "0900000000000000402a420a400a1a5f68706172616d735f2f73657373696f6e5f656e645f696e666f"
  .. "42060801120212004a1a0a180a0768706172616d73120d220b0801110000000000000040")

-- The numbers of a histogram: limits from the least to the greatest, counts; no bin without a value.
local function histogram(values)
  local event = events.histogram(0, 1, "h", values)
  local limits, counts = {}, {}
  for i = 1, 30 do
    limits[i] = string.unpack("<d", event, #event - 8 * 30 - 3 - 8 * (31 - i) + 1)
    counts[i] = string.unpack("<d", event, #event - 8 * (31 - i) + 1)
  end
  return limits, counts
end
do
  local limits, counts = histogram{0, 3, 0.05, 1.5, 3, 0 / 0, math.huge}
  equal({limits[1], limits[15], limits[30]}, {0.1, 1.5, 3.0})
  equal({counts[1], counts[2], counts[15], counts[30]}, {2.0, 0.0, 1.0, 2.0})
  limits, counts = histogram{2, 2}
  equal({limits[30], counts[15]}, {2.5, 2.0})
  equal(events.histogram(0, 1, "h", {0 / 0}), nil)
end

-- Texts: no fence of ours is in a text; long ones say how much is left out, between characters.
do
  local function sample(text, reward)
    return {row = {prompt = "p"}, completion = {text = text}, reward = reward, length = 1,
            finish_reason = "*x*"}
  end
  local text = markdown{sample("a\n~~~~~\n<b> **b**\27", 1)}
  assert(text:find("\n~~~~~~\na\n~~~~~\n<b> **b**\\x1B\n~~~~~~", 1, true), text)
  assert(text:find("end: \\*x\\*", 1, true), text)
  text = markdown{sample("x" .. ("é"):rep(3000), 1)}
  assert(utf8.len(text) and text:find("é… (2002 bytes left out)", 1, true), text:sub(-60))
  local list = {}
  for i = 1, 9 do list[i] = sample("c" .. i, i == 5 and -1 or i == 7 and 2 or 0) end
  local shown = {}
  for name in markdown(list):gmatch "\nc(%d)\n" do shown[#shown + 1] = name end
  equal(table.concat(shown), "1257")
end

equal(play.seconds_of "1970-01-01T00:00:00Z", 0)
equal(play.seconds_of "2024-02-29T23:59:59Z", 1709251199)
equal(play.seconds_of "yesterday", nil)

-- All events of a folder, in the order in which readers take them: {step, whether the end, bytes}.
local function all(dir)
  local list = {}
  for _, name in ipairs(event_files.names(dir)) do
    local file <close> = io.open(dir .. "/" .. name, "rb")
    for bytes in records.each(file) do
      local step, is_end = events.read(bytes)
      list[#list + 1] = {step = step, is_end = is_end, bytes = bytes}
    end
  end
  return list
end

-- The steps at which a metric is.
local function steps_of(dir, tag)
  local steps = {}
  for _, event in ipairs(all(dir)) do
    if event.bytes:find("\10" .. string.char(#tag) .. tag .. "\21", 1, true) then
      steps[#steps + 1] = event.step
    end
  end
  return table.concat(steps, " ")
end

local set_up = spec.training(spec, {rows = 8, options = {batch_size = 2, tensorboard = true}})
local train, new_folder = set_up.train, set_up.folder

raises("option 'tensorboard' needs 'dir'", train)

-- Every step once, evaluations too, however the run was stopped; what another program put there and
-- what came after the checkpoint.
do
  local dir = new_folder()
  local eval = {data = set_up.data:take(2), every = 2}
  pcall(train, {dir = dir, eval = eval, save_every = 2, on_step = function(record)
    if record.step == 3 then error "stop" end
  end})
  equal(steps_of(dir, "reward"), "1 2 3")
  local list = all(dir)
  equal({list[1].step, list[2].step, #list[2].bytes, list[#list].is_end}, {0, 1, 15, true})
  local foreign = dir .. "/events.out.tfevents.1700000000.host.1.0"
  spec.write(foreign, "mine")
  local ours = dir .. "/" .. event_files.names(dir)[1]
  spec.write(ours, spec.read(ours) .. "half of a record")
  train{dir = dir, eval = eval, save_every = 2, resume = "step-2"}
  equal(spec.read(foreign), "mine")
  equal(#event_files.names(dir), 2)
  equal({steps_of(dir, "reward"), steps_of(dir, "eval/reward")}, {"1 2 3 4", "0 2 4"})
  equal({steps_of(dir, "epoch"), steps_of(dir, "step")}, {"0 1 2 3 4", ""})
  local ends, starts = 0, {}
  for _, event in ipairs(all(dir)) do
    ends = ends + (event.is_end and 1 or 0)
    if event.bytes:find("\58\2\8\1", 10, true) then starts[#starts + 1] = event.step end
  end
  equal({ends, starts}, {1, {1, 3}})
end

-- Where the option is new the earlier steps are written too.
do
  local dir = new_folder()
  train{dir = dir, max_steps = 2, tensorboard = false}
  train{dir = dir, resume = true}
  equal(steps_of(dir, "reward"), "1 2 3 4")

  -- Export: the same scalars, texts and histograms as the run's own files.
  local copy = spec.folder .. "/copy"
  local before = print
  print = function() end
  command("export", "export", dir, "--tensorboard", copy)
  equal(steps_of(copy, "reward"), "1 2 3 4")
  equal(#all(copy), 3 + 4 * 4 + 1)
  local written = {}
  for _, event in ipairs(all(copy)) do written[#written + 1] = event.bytes:sub(10) end
  local whole = new_folder()
  train{dir = whole}
  local own = all(whole)
  equal(#own, #written)
  for i = 5, #own - 1 do
    local is_scalars = own[i].bytes:find("\10\6reward\21", 1, true)  -- with times, which differ
    if not is_scalars then equal(own[i].bytes:sub(10), written[i]) end
  end
  raises("has event files already", command, "export", "export", dir, "--tensorboard")
  raises("--csv, --tensorboard or", command, "export", "export", dir, "--tsv")
  raises("takes no name", command, "export", "export", dir, "--csv", "x")
  print = before
end

-- A sink that fails is a warning; the run goes on and says how to get the rest.
do
  local dir, sinks = new_folder(), require "apo.run.sinks"
  apo.system.make_folder(dir)
  local said = {}
  local open = sinks.open({tensorboard = true}, {dir = dir, step = 0, history = {}, began = 0,
    settings = {}, id = "a", warn = function(text) said[#said + 1] = text end})
  open.open.tensorboard.file:close()
  open:metrics{step = 1, reward = 1}
  open:metrics{step = 2, reward = 1}
  open:finish "done"
  equal(#said, 1)
  assert(said[1]:find("^tensorboard: .*closed file.*'apo%-lua export'"), said[1])
end

-- Metrics that are not finite are written as they are, booleans as 0 and 1, strings as texts.
do
  local dir = new_folder()
  apo.system.make_folder(dir)
  local writer = require "apo.tensorboard.writer"(dir, 0, {}, 0)
  writer:metrics({step = 1, a = 0 / 0, b = 1 / 0, c = "*text*", d = apo.json.null,
    yes = true, kind = "step"}, 1)
  writer:metrics({step = "x", a = 1}, 1)
  writer:metrics({a = 1}, 1)
  writer:finish("stopped", 1)
  local list = all(dir)
  equal(#list, 5)
  assert(list[4].bytes:find("~~~~\n*text*\n~~~~", 1, true))
  assert(list[5].bytes:find("\10\1b\21" .. string.pack("<f", 1 / 0), 1, true))
  equal(steps_of(dir, "a") .. steps_of(dir, "c") .. steps_of(dir, "d"), "1")
  equal(steps_of(dir, "yes"), "1")
end
