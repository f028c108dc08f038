-- What came of a sweep: the last and the best value of a metric in every run, and their mean and
-- standard deviation over the seeds of each setting.

local apo = require "apo"
local folder, tables = require "apo.runs.folder", require "apo.runs.table"

local function each_value(run, metric, take)
  for _, list in ipairs{run.steps, run.evaluations} do
    for _, record in ipairs(list) do
      if type(record[metric]) == "number" then take(record[metric]) end
    end
  end
end

-- The last and the best value of a run; a NaN is never the best.
local function values_of(run, metric, mode)
  local final, best
  each_value(run, metric, function(value)
    final = value
    local is_better = mode == "max" and value > (best or -math.huge)
      or mode == "min" and value < (best or math.huge) or best == nil and value == value
    if is_better then best = value end
  end)
  return final, best
end

local function has(run, metric)
  local found = false
  each_value(run, metric, function() found = true end)
  return found
end

-- The metric to compare by: the evaluation's where a run has some.
local function usual_metric(runs)
  for _, run in ipairs(runs) do
    if run.data and has(run.data, "eval/reward") then return "eval/reward" end
  end
  return "reward"
end

-- Mean and sample standard deviation, which one value does not have.
local function statistics(values)
  local n, sum, squares = #values, 0, 0
  if n == 0 then return nil end
  for _, value in ipairs(values) do sum = sum + value end
  local mean = sum / n
  for _, value in ipairs(values) do squares = squares + (value - mean) ^ 2 end
  return {n = n, mean = mean, std = n > 1 and math.sqrt(squares / (n - 1)) or nil}
end

local function text_of(s)
  return s and ("%.4g"):format(s.mean) .. (s.std and (" ± %.2g"):format(s.std) or "") or nil
end

-- One row for each of the named variants.
local function summarize(runs, names, metric, mode)
  local rows, by_name = {}, {}
  for i, name in ipairs(names) do
    rows[i] = {name = name, runs = 0, seeds = {}, finals = {}, bests = {}}
    by_name[name] = rows[i]
  end
  for _, run in ipairs(runs) do
    local row = by_name[run.variant]
    row.settings, row.runs = run.settings, row.runs + 1
    if run.data then
      run.final, run.best = values_of(run.data, metric, mode)
      row.seeds[run.seed] = run.final
      row.finals[#row.finals + 1], row.bests[#row.bests + 1] = run.final, run.best
    end
  end
  for _, row in ipairs(rows) do
    row.final, row.best = statistics(row.finals), statistics(row.bests)
  end
  return rows
end

-- Prints settings × seeds; the columns of single seeds go first where the terminal is narrow.
local function print_table(rows, seeds, metric)
  local columns = {
    {metric, function(row) return row.name end},
    {"final", function(row) return text_of(row.final) end, right = true},
    {"best", function(row) return text_of(row.best) end, right = true, rank = 1},
  }
  local is_whole = true
  for _, row in ipairs(rows) do is_whole = is_whole and #row.finals == row.runs end
  if not is_whole then
    table.insert(columns, 2, {"runs", function(row)
      return ("%d of %d"):format(#row.finals, row.runs)
    end})
  end
  for i, seed in ipairs(#seeds > 1 and seeds or {}) do
    columns[#columns + 1] = {"seed " .. seed, function(row)
      return row.seeds[seed] and ("%.4g"):format(row.seeds[seed])
    end, right = true, rank = 1 + i}
  end
  tables.print(columns, rows)
end

-- Reads the runs that are done, and returns the rows of the table and the metric.
local function read(runs, names, metric, mode)
  for _, run in ipairs(runs) do
    if not run.fault then
      local is_read, data = pcall(folder.open, run.dir)
      if is_read then run.data = data else run.fault = tostring(data) end
    end
  end
  metric = metric or usual_metric(runs)
  return summarize(runs, names, metric, mode), metric
end

return {read = read, print = print_table, statistics = statistics}
