-- `apo-lua runs [DIR]`: the runs in a folder, the newest last.

local apo = require "apo"
local folder, tables = require "apo.runs.folder", require "apo.runs.table"
local format = require "apo.runs.format"

local columns = {
  {"run", function(run)
    return ("  "):rep(run.depth - 1) .. (run.depth > 0 and "└ " or "") .. run.name
  end},
  {"state", function(run) return run.state end},
  {"step", function(run)
    return run.total and ("%d/%d"):format(run.step, run.total) or tostring(run.step)
  end, right = true},
  {"reward", function(run) return format.reward(run.reward) end, right = true, rank = 1},
  {"eval", function(run) return format.reward(run.evaluation) end, right = true, rank = 2},
  {"time", function(run) return format.duration(run.seconds) end, right = true, rank = 3},
  {"started", function(run) return run.started:sub(1, 16):gsub("T", " ") end, rank = 5},
  {"script", function(run) return run.script end, rank = 4},
}

-- The runs with the forks of each after it, which get the depth of their place in the tree.
local function with_forks(runs)
  local by_id, forks, list = {}, {}, {}
  for _, run in ipairs(runs) do by_id[run.about.id or run] = run end
  for _, run in ipairs(runs) do
    local parent = type(run.about.parent) == "table" and by_id[run.about.parent.id]
    local of = parent and parent ~= run and parent or false
    forks[of] = forks[of] or {}
    table.insert(forks[of], run)
  end
  local function add(run, depth)
    if run.depth then return end
    run.depth = depth
    list[#list + 1] = run
    for _, child in ipairs(forks[run] or {}) do add(child, depth + 1) end
  end
  for _, run in ipairs(forks[false] or {}) do add(run, 0) end
  for _, run in ipairs(runs) do add(run, 0) end  -- run.json files that name each other as parents
  return list
end

-- So many take more than a second: a bar shows how far it is.
local many = 5000

-- The summaries of all runs that can be read, and what is wrong with the others.
local function read(dir)
  local runs, faults, found = {}, {}, folder.find(dir)
  local bar = #found > many
    and apo.progress{total = #found, title = "reading", unit = "runs"} or nil
  for _, path in ipairs(found) do
    local is_read, run = pcall(folder.summary, path)
    if is_read then runs[#runs + 1] = run else faults[#faults + 1] = tostring(run) end
    if bar then bar:advance(1) end
  end
  if bar then bar:clear() end
  table.sort(runs, function(a, b)
    if a.started ~= b.started then return a.started < b.started end
    return a.name < b.name
  end)
  return with_forks(runs), faults
end

return function(dir)
  dir = dir or "runs"
  local runs, faults = read(dir)
  if #runs == 0 and #faults == 0 then
    print("no runs in " .. apo.system.shown(dir))
  elseif #runs > 0 then
    tables.print(columns, runs)
  end
  for _, fault in ipairs(faults) do print(apo.system.visible("cannot be read: " .. fault)) end
end
