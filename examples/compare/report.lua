-- The results of examples/compare.lua as a table (Markdown, on the terminal and in comparison.md)
-- and as plots (comparison.html): accuracy over time and over sampled tokens, with mean and range
-- over the seeds.
local apo = require "apo"
local report = {}

local titles = {astarpo = "A*-PO", ppo = "PPO", grpo = "GRPO", rebel = "REBEL", rloo = "RLOO"}

-- The accuracy at a value of x ("seconds" or "tokens"), by linear interpolation.
local function at(points, x_name, x)
  for i = 2, #points do
    local before, after = points[i - 1], points[i]
    if x <= after[x_name] then
      local width = after[x_name] - before[x_name]
      local share = width > 0 and (x - before[x_name]) / width or 1
      return before.reward + share * (after.reward - before.reward)
    end
  end
  return points[#points].reward
end

-- The time-averaged accuracy of a run, by which a learning rate is chosen.
function report.average(points)
  local area = 0
  for i = 2, #points do
    area = area
      + (points[i].seconds - points[i - 1].seconds) * (points[i].reward + points[i - 1].reward) / 2
  end
  return area / points[#points].seconds
end

-- When the accuracy got to a level, in seconds or tokens; nil if it did not.
function report.reached(points, level, x_name)
  for i, point in ipairs(points) do
    if point.reward >= level then
      local before = points[i - 1]
      if not before then return 0 end
      local share = (level - before.reward) / (point.reward - before.reward)
      return before[x_name] + share * (point[x_name] - before[x_name])
    end
  end
end

-- Mean, lowest and highest of what a function gives for each run; nil if it is nil for one of them.
local function over(runs, f)
  local sum, low, high = 0, math.huge, -math.huge
  for _, run in ipairs(runs) do
    local value = f(run)
    if not value then return nil end
    sum, low, high = sum + value, math.min(low, value), math.max(high, value)
  end
  return {mean = sum / #runs, low = low, high = high}
end

local function final(run) return run.points[#run.points].reward end

local function with_range(value, format)
  if not value then return "not reached" end
  return (format .. " (" .. format .. "–" .. format .. ")"):format(value.mean, value.low,
    value.high)
end

local function best(run)
  local highest = 0
  for _, point in ipairs(run.points) do highest = math.max(highest, point.reward) end
  return highest
end

-- The highest accuracy that all runs reached, of the algorithms that gained 0.05 in every run.
local function common_level(task, algorithms, base)
  local level = 1
  for _, name in ipairs(algorithms) do
    local lowest = over(task.runs[name], best).low
    if lowest >= base + 0.05 then level = math.min(level, lowest) end
  end
  return level
end

local function table_of(task, algorithms)
  local base = task.runs[algorithms[1]][1].points[1].reward
  local level = common_level(task, algorithms, base)
  local own = over(task.runs.astarpo, function(run)
    return report.reached(run.points, level, "seconds")
  end)
  local lines = {
    ("**%s.** Accuracy of the model at first: %.3f. Every run that learned got to %.3f.")
      :format(task.title, base, level), "",
    ("| | learning rate | accuracy after %.0f s | seconds to %.3f | times A*-PO's | tokens to %.3f "
      .. "| stage 1, s | KL, nats | peak memory, MB | steps |")
      :format(task.runs.astarpo[1].points[#task.runs.astarpo[1].points].seconds, level, level),
    "|---|---|---|---|---|---|---|---|---|---|",
  }
  for _, name in ipairs(algorithms) do
    local runs = task.runs[name]
    local seconds = over(runs, function(run)
      return report.reached(run.points, level, "seconds")
    end)
    local tokens = over(runs, function(run) return report.reached(run.points, level, "tokens") end)
    local stage1 = over(runs, function(run) return run.stage1 end)
    lines[#lines + 1] = ("| %s | %g | %s | %s | %s | %s | %s | %s | %s | %.0f |"):format(
      titles[name] or name, runs.lr, with_range(over(runs, final), "%.3f"),
      with_range(seconds, "%.1f"),
      own and seconds and ("%.2f"):format(seconds.mean / own.mean) or "–",
      tokens and ("%.0f k"):format(tokens.mean / 1000) or "–",
      stage1.mean > 0 and ("%.1f"):format(stage1.mean) or "–",
      with_range(over(runs, function(run) return run.kl end), "%.1f"),
      with_range(over(runs, function(run) return run.peak_memory / 1e6 end), "%.0f"),
      over(runs, function(run) return run.points[#run.points].steps end).mean)
  end
  return table.concat(lines, "\n")
end

-- Mean and range of the runs' accuracy on a grid of x.
local function series(name, runs, x_name, color)
  local last = over(runs, function(run) return run.points[#run.points][x_name] end).low
  local line = {name = titles[name] or name, color = color, x = {}, y = {}, low = {}, high = {}}
  for i = 0, 32 do
    local x = last * i / 32
    local value = over(runs, function(run) return at(run.points, x_name, x) end)
    line.x[i + 1], line.y[i + 1], line.low[i + 1], line.high[i + 1] =
      x_name == "tokens" and x / 1000 or x, value.mean, value.low, value.high
  end
  return line
end

local function chart(task, algorithms, x_name, x_label)
  local lines = {}
  for i, name in ipairs(algorithms) do lines[i] = series(name, task.runs[name], x_name, i) end
  return {title = ("%s: accuracy over %s"):format(task.title, x_label), x_label = x_label,
    series = lines}
end

function report.write(folder, tasks, algorithms)
  local charts, parts = {}, {}
  for _, task in ipairs(tasks) do
    charts[#charts + 1] = chart(task, algorithms, "seconds", "seconds")
    charts[#charts + 1] = chart(task, algorithms, "tokens", "thousands of sampled tokens")
    parts[#parts + 1] = table_of(task, algorithms)
  end
  apo.plot{path = folder .. "/comparison.html", title = "A*-PO, PPO, GRPO, REBEL and RLOO",
           subtitle = "Mean and range over the seeds. Stage 1 of A*-PO is counted.",
           charts = charts}
  local text = table.concat(parts, "\n\n") .. "\n"
  apo.system.write_file(folder .. "/comparison.md", text)
  print("\n" .. text)
  print(("Plots: %s/comparison.html"):format(folder))
end

return report
