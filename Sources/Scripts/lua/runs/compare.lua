-- `apo-lua compare A B …`: what differs in the settings and scripts of runs, and what came of it.

local apo = require "apo"
local folder, format = require "apo.runs.folder", require "apo.runs.format"
local tables, diff = require "apo.runs.table", require "apo.runs.diff"
local differences = require "apo.runs.differences"
local visible = apo.system.visible

-- The figure by which runs are compared at a record: the evaluation's, or else the training's.
local function score(record) return record["eval/reward"] or record.reward end

local function scored(run) return #run.evaluations > 0 and run.evaluations or run.steps end

local function best(run)
  local found
  for _, record in ipairs(scored(run)) do
    local value = score(record)
    if type(value) == "number" and (not found or value > found) then found = value end
  end
  return found
end

-- The first record that is at a level.
local function reached(run, level)
  for _, record in ipairs(scored(run)) do
    local value = score(record)
    if type(value) == "number" and value >= level then return record end
  end
end

-- A level that all runs reached: the least of their best.
local function common_level(runs)
  local level = math.huge
  for _, run in ipairs(runs) do level = math.min(level, best(run) or math.huge) end
  return level < math.huge and level or nil
end

local function outcome(runs, level)
  local function at(run, field)
    local record = level and reached(run, level)
    return record and record[field]
  end
  local heading = level and ("to %.3g"):format(level) or "to -"
  tables.print({
    {"run", function(run) return run.name end},
    {"state", function(run) return run.state end, rank = 3},
    {"steps", function(run) return run.step end, right = true, rank = 1},
    {"final", function(run)
      local list = scored(run)
      return list[1] and format.reward(score(list[#list]))
    end, right = true},
    {"best", function(run) return format.reward(best(run)) end, right = true},
    {heading .. " (step)", function(run) return at(run, "step") end, right = true},
    {heading .. " (time)", function(run) return format.duration(at(run, "seconds")) end,
     right = true, rank = 2},
    {"time", function(run) return format.duration(run.seconds) end, right = true, rank = 4},
  }, runs)
end

local function print_differences(runs)
  local rows = differences(runs)
  if #rows == 0 then return print "\nthe settings are the same" end
  local columns = {{"setting", function(row) return row[1] end}}
  for i, run in ipairs(runs) do
    columns[i + 1] = {run.name, function(row) return row[i + 1] end, rank = i}
  end
  print ""
  tables.print(columns, rows)
end

local function print_scripts(runs)
  local first = folder.script(runs[1].dir)
  for i = 2, #runs do
    local other = folder.script(runs[i].dir)
    local lines = first and other and diff(first, other)
    if lines then
      local heading = "\n--- %s/script.lua\n+++ %s/script.lua"
      print(visible(heading:format(runs[1].dir, runs[i].dir), true))
      for _, line in ipairs(lines) do print(visible(line)) end
    end
  end
end

return function(...)
  local given, runs, level = {...}, {}, nil
  for i, argument in ipairs(given) do
    local number = argument:match "^%-%-level=(.*)$"
    if number then
      level = tonumber(number)
        or error("compare: --level needs a number, got '" .. number .. "'", 0)
    else
      runs[#runs + 1] = folder.open(argument)
    end
  end
  if #runs < 2 then error("compare: the folders of two runs or more are needed", 0) end
  outcome(runs, level or common_level(runs))
  print_differences(runs)
  print_scripts(runs)
end
