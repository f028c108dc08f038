-- Which checkpoints to keep: the latest and, if `keep` names a metric, the best by it. A checkpoint
-- is renamed before its files are removed, so that a partial one never has the name of a complete
-- one.

local apo = require "apo"
local checksums, fail = require "apo.run.checksums", require "apo.fail"
local system = apo.system

local function folder(dir, step) return ("%s/checkpoint/step-%d"):format(dir, step) end

-- The steps of which there are checkpoints, in order.
local function steps(dir)
  local list = {}
  for _, name in ipairs(system.list(dir .. "/checkpoint")) do
    list[#list + 1] = math.tointeger(tonumber(name:match "^step%-(%d+)$"))
  end
  table.sort(list)
  return list
end

local function remove(dir, step)
  local removed = ("%s/checkpoint/.removed-step-%d"):format(dir, step)
  system.remove_folder(removed)
  system.rename(folder(dir, step), removed)
  system.remove_folder(removed)
end

-- Renames a checkpoint that was complete when the process was killed. If a step is saved a second
-- time, the folder briefly has only this name.
local function recover(dir)
  for _, name in ipairs(system.list(dir .. "/checkpoint")) do
    local step, path = name:match "^%.step%-(%d+)$", dir .. "/checkpoint/" .. name
    if step and not system.exists(folder(dir, step)) and not checksums.problem(path) then
      system.rename(path, folder(dir, step))
    end
  end
end

-- Removes partial checkpoints left by a killed process.
local function tidy(dir)
  for _, name in ipairs(system.list(dir .. "/checkpoint")) do
    if name:find "^%.step%-%d+$" or name:find "^%.removed%-step%-%d+$" then
      system.remove_folder(dir .. "/checkpoint/" .. name)
    end
  end
end

-- The metric of `keep.best` by step, as logged; the later line of a step wins.
local function figures(run)
  local keep, values = run.options.keep, {}
  for _, record in ipairs(run.journal.history) do
    local value = keep and keep.best and record[keep.best]
    if type(value) == "number" and value == value then values[record.step] = value end
  end
  return values
end

-- The listed step with the best metric, the earliest on ties; nil if none has one.
local function best_of(run, list)
  local values, best = figures(run), nil
  local is_less = run.options.keep and run.options.keep.mode == "min"
  for _, step in ipairs(list) do
    local value, most = values[step], values[best]
    if value and (not most or is_less and value < most or not is_less and value > most) then
      best = step
    end
  end
  return best
end

-- Removes the checkpoints that are not kept.
local function remove_others(dir, run)
  local list = steps(dir)
  local best, last = best_of(run, list), run.options.keep and run.options.keep.last or 2
  for i = 1, #list - last do
    if list[i] ~= best then remove(dir, list[i]) end
  end
end

-- The folder of the best checkpoint, nil when none is kept as such.
local function best(dir, run)
  local step = best_of(run, steps(dir))
  return step and folder(dir, step)
end

-- Whether the evaluation of this step was the best so far by the metric of `keep`.
local function is_new_best(run)
  local name = run.options.keep and run.options.keep.best
  local is_evaluated = run.step > 0 and run.evaluated == run.step
  if not (name and name:find "^eval/" and is_evaluated) then return false end
  local list = {}
  for step in pairs(figures(run)) do list[#list + 1] = step end
  table.sort(list)
  return best_of(run, list) == run.step
end

-- The metric by which evaluations are compared.
local function metric(run)
  local name = run.options.keep and run.options.keep.best
  return name and name:find "^eval/" and name or "eval/reward"
end

-- How many evaluations there were since the best one, the first on ties; the last line of a step
-- counts.
local function since_best(run)
  local name, is_less = metric(run), run.options.keep and run.options.keep.mode == "min"
  local count, best = 0, nil
  for _, record in ipairs(run.journal.history) do
    local value = record[name]
    if record.kind == "eval" and type(value) == "number" then
      local is_better = not best or is_less and value < best or not is_less and value > best
      if is_better then best, count = value, 0 else count = count + 1 end
    end
  end
  return count
end

-- Checks, once a step has metrics, that the metric in `keep` exists.
local function check_name(run)
  local name = run.options.keep and run.options.keep.best
  if not name then return end
  local names, known = {}, {}
  for _, record in ipairs(run.journal.history) do
    for figure, value in pairs(record) do
      if figure == name then return end
      if type(value) == "number" and not known[figure] then names[#names + 1] = figure end
      known[figure] = true
    end
  end
  if name:find "^eval/" and not run.evaluated then return end  -- there is none yet
  fail(("train: option 'keep': no metric is named '%s'; there are %s"):format(
    name, table.concat(names, ", ")))
end

return {folder = folder, steps = steps, remove = remove, remove_others = remove_others, tidy = tidy,
        recover = recover, best = best, is_new_best = is_new_best,
        metric = metric, since_best = since_best, check_name = check_name}
