-- checksums.json of a checkpoint: size and XXH64 of every file, so that a damaged checkpoint is not
-- used:
--
--   {"files":{"policy/config.json":{"size":712,"xxh64":"8c5e…"},…,"state.json":{…}}}

local apo = require "apo"
local json, system, shown = apo.json, apo.system, apo.system.shown

local name_of_list = "checksums.json"

-- The names of all files in a folder and below, with their paths from there.
local function files(folder, prefix, names)
  for _, name in ipairs(system.list(folder .. "/" .. prefix)) do
    local path = prefix .. name
    if system.exists(folder .. "/" .. path) == "folder" then
      files(folder, path .. "/", names)
    elseif path ~= name_of_list then
      names[#names + 1] = path
    end
  end
  return names
end

-- Writes the list of a folder whose other files are complete.
local function write(folder)
  local list = {}
  for _, name in ipairs(files(folder, "", {})) do
    local path = folder .. "/" .. name
    list[name] = {size = system.size(path), xxh64 = system.checksum(path)}
  end
  json.write(folder .. "/" .. name_of_list, {files = list})
end

-- What is wrong with a file, or nil.
local function fault(path, saved)
  local size = system.size(path)
  if type(saved) ~= "table" then return shown(path) .. ": its checksum is missing" end
  if not size then return shown(path) .. ": is missing" end
  if size ~= saved.size then
    return ("%s: has %d bytes, %s were saved"):format(shown(path), size, saved.size)
  end
  local is_read, sum = pcall(system.checksum, path)
  if not is_read then return tostring(sum) end
  if sum ~= saved.xxh64 then
    return ("%s: its content has changed: its XXH64 is %s, that of the saved file %s"):format(
      shown(path), sum, saved.xxh64)
  end
end

-- What is wrong with a folder, as a text that names the file; nil if it is unchanged.
local function problem(folder)
  local path = folder .. "/" .. name_of_list
  if not system.exists(path) then return shown(path) .. ": is missing" end
  local is_read, list = pcall(json.read, path)
  if not is_read then return tostring(list) end
  local saved = type(list) == "table" and list.files
  if type(saved) ~= "table" or not saved["state.json"] then
    return shown(path) .. ": field 'files' must be an object of checksums, with that of state.json"
  end
  for name, of_file in pairs(saved) do
    local text = fault(folder .. "/" .. name, of_file)
    if text then return text end
  end
end

return {write = write, problem = problem}
