-- Whether two folders hold the same files with the same bytes, times and memory excepted; with "last" as
-- the third argument, of checkpoints the last one only.
local apo = require "apo"
local system = apo.system
local first, second, part = ...

local changing = {"seconds", "step_time", "timing_s/%w+", "timing_s/update_actor", "perf/throughput",
                  "perf/peak_memory", "perf/resident_memory"}

local function is_compared(name)
  return part ~= "last" or not name:find "^checkpoint/" or name:find "^checkpoint/step%-8/"
end

-- What a run wrote when it was stopped, until it went on.
local function is_taken_back(path)
  return path:find "/events.jsonl$" and system.size(path) == 0
end

local function files(folder, prefix, list)
  for _, name in ipairs(system.list(folder .. "/" .. prefix)) do
    if system.exists(folder .. "/" .. prefix .. name) == "folder" then
      files(folder, prefix .. name .. "/", list)
    elseif is_compared(prefix .. name) and not is_taken_back(folder .. "/" .. prefix .. name) then
      list[#list + 1] = prefix .. name
    end
  end
  return list
end

local function contents(folder, name)
  local text = assert(system.read_file(folder .. "/" .. name))
  if name == "metrics.jsonl" then
    for _, figure in ipairs(changing) do text = text:gsub('"' .. figure .. '":[%d.e+-]+,?', "") end
  elseif name == "run.json" then
    text = text:gsub('"started": "[^"]*"', ""):gsub('"id": "[^"]*"', ""):gsub('"values": "[^"]*"', "")
  elseif name == "report.html" then
    text = "" -- reward over time
  elseif name:find "checksums.json$" or name:find "state.json$" then
    local value = apo.json.decode(text)
    if value.files then value.files["state.json"] = nil end
    value.seconds, value.sizes = nil, nil
    text = apo.json.encode(value)
  end
  return text
end

local names = files(first, "", {})
local others = files(second, "", {})
assert(table.concat(names, "\n") == table.concat(others, "\n"),
  "other files: " .. table.concat(others, " ") .. " instead of " .. table.concat(names, " "))
for _, name in ipairs(names) do
  assert(contents(first, name) == contents(second, name), name .. " differs")
end
