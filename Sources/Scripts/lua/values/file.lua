-- The file of recorded rewards: JSON lines. The first line is the header, with everything that the
-- samples depend on; then one line per row:
--
--   {"format":"apo.values","version":1,"settings":{"max_tokens":12,"model":"5f0c…","n":8,…}}
--   {"index":1,"hash":"93ad…","prompt":"457+268=","rewards":[0,1,0,…],"lengths":[4,4,5,…]}
--
-- Lines are only appended. A partial last line is cut off; a different header is an error, and
-- nothing is overwritten. If the file is removed or emptied meanwhile, it is rewritten, since every
-- reward is in memory; any other change is an error.

local apo = require "apo"
local fail, same = require "apo.fail", require "apo.data.same"
local reached_code = require "apo.script.code_fingerprint"
local json, system, shown = apo.json, apo.system, apo.system.shown

local header_start = [[{"format":"apo.values",]]

local File = {}
File.__index = File

-- A fingerprint of the reward that changes with its code, or that of a function it calls, but not
-- when they move or comments change.
local function reward_name(reward)
  if type(reward) == "table" then
    local names = {}
    for name, inner in pairs(reward) do names[tostring(name)] = reward_name(inner) end
    return names
  end
  local code = reached_code(reward)
  return code and system.hash(code) or "compiled"
end

-- The names of the settings in which two headers differ, each with both values. A setting that the
-- old one does not have was its default.
local function differences(old, new, defaults)
  local found = {}
  for _, settings in ipairs{old, new} do
    for name in pairs(settings) do
      local a, b = old[name], new[name]
      if a == nil then a = defaults[name] end
      if not same(a, b) and (name == "reward" or name == "model") then
        found[name] = ("the %s has changed"):format(name)
      elseif not same(a, b) then
        found[name] = ("%s was %s, now %s"):format(name, json.encode(a), json.encode(b))
      end
    end
  end
  local texts = {}
  for _, text in pairs(found) do texts[#texts + 1] = text end
  return table.concat(texts, "; ")
end

local function check_header(path, header, settings, defaults)
  if type(header) ~= "table" or header.format ~= "apo.values" then
    fail(shown(path) .. ": not a values file; choose another path")
  elseif header.version ~= 1 then
    fail(("%s: line 1: unknown version %s, expected 1"):format(
      shown(path), tostring(header.version)))
  end
  local old = type(header.settings) == "table" and header.settings or {}
  settings.seed = settings.seed or old.seed
  local changed = differences(old, settings, defaults)
  if changed ~= "" then
    fail(("%s was made with other settings (%s); use them again, or choose another path")
      :format(shown(path), changed))
  end
end

local function check_entry(path, line, entry, n)
  local function is_list(list) return type(list) == "table" and #list == n end
  if type(entry) ~= "table" or math.type(entry.index) ~= "integer" or type(entry.hash) ~= "string"
    or not is_list(entry.rewards) or not is_list(entry.lengths) then
    fail(("%s: line %d: expected index, hash, %d rewards and lengths"):format(shown(path), line, n))
  end
  for _, reward in ipairs(entry.rewards) do
    if type(reward) ~= "number" then
      fail(("%s: line %d: a reward is not a number"):format(shown(path), line))
    end
  end
end

-- Any other file at the path must not lose its last line.
local function check_start(path)
  local text, problem = system.read_file(path, #header_start)
  if not text then fail(problem) end
  local start = text:sub(1, #header_start)
  if start ~= header_start:sub(1, #start) then
    fail(shown(path) .. ": line 1: not a values file; choose another path")
  end
end

local function read(file, settings, defaults)
  check_start(file.path)
  system.drop_torn_line(file.path)
  for value, line in json.read_lines(file.path) do
    -- Processes that started at the same time each wrote a header and the same entries.
    if line == 1 or type(value) == "table" and value.format then
      check_header(file.path, value, settings, defaults)
    else
      check_entry(file.path, line, value, settings.n)
      file:add(value)
    end
  end
  file.length = system.size(file.path)
end

-- Stores an entry in memory.
function File:add(entry)
  local key = entry.index .. ":" .. entry.hash
  if not self.entries[key] then self.order[#self.order + 1] = key end
  self.entries[key] = entry
end

local function line_of(entry)
  return json.encode(entry, {order = {"index", "hash", "prompt"}, lossy = true}) .. "\n"
end

-- Opens or creates the file at a path; without a path the rewards are only kept in memory. Settings
-- without a seed get that of the file, or the run's. `defaults` are those of settings that a file
-- does not name.
local function open(path, settings, defaults)
  local file = setmetatable({path = path, entries = {}, order = {}, length = 0}, File)
  if path and system.exists(path) then read(file, settings, defaults or {}) end
  settings.seed = settings.seed or apo.seed()
  if not path then return file end
  if not system.exists(path) or system.size(path) == 0 then
    local folder = path:match("^(.*)/[^/]*$")
    if folder and folder ~= "" then system.make_folder(folder) end
    local header = {format = "apo.values", version = 1, settings = settings}
    local text = json.encode(header, {order = {"format", "version"}}) .. "\n"
    system.append(path, text)
    file.length = #text
  end
  local start = system.read_file(path, math.min(file.length, 65536))
  file.header = start:match "^[^\n]*\n" or start
  return file
end

-- Whether the file still has its beginning and everything written to it; false if it is gone or
-- empty.
local function is_there(file)
  local size = system.size(file.path)
  if not size or size == 0 then return false end
  if size < file.length or system.read_file(file.path, #file.header) ~= file.header then
    fail(("%s was changed by another program: it has %d bytes, %d were written to it; restore "
      .. "it, or choose another path"):format(shown(file.path), size, file.length))
  end
  return true
end

-- Adds entries; they are on disk on return.
function File:append(entries)
  local lines = {}
  for i, entry in ipairs(entries) do
    self:add(entry)
    lines[i] = line_of(entry)
  end
  if not self.path then return end
  if is_there(self) then
    local text = table.concat(lines)
    system.append(self.path, text)
    self.length = self.length + #text
  else
    lines = {self.header}
    for i, key in ipairs(self.order) do lines[i + 1] = line_of(self.entries[key]) end
    local text = table.concat(lines)
    system.write_file(self.path, text)
    self.length = #text
  end
end

return {open = open, reward_name = reward_name}
