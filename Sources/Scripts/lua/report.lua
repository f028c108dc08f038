-- `apo-lua report RUN … [-o FILE]`: runs as one web page that loads nothing: curves, settings,
-- events, completions.

local apo = require "apo"
local folder, format = require "apo.runs.folder", require "apo.runs.format"
local differences, diff = require "apo.runs.differences", require "apo.runs.diff"
local panels, page = require "apo.report.panels", require "apo.report.page"
local completions = require "apo.report.completions"
local factor_of = require "apo.report.curves".factor
local system = apo.system

local axes = {
  {class = "by-step", name = "step", label = "step"},
  {class = "by-time", name = "minutes", label = "minutes"},
  {class = "by-tokens", name = "num_tokens", label = "tokens trained on"},
}

-- Adds what is drawn in other units.
local function convert(run)
  for _, list in ipairs{run.steps, run.evaluations} do
    for _, record in ipairs(list) do
      if type(record.seconds) == "number" then record.minutes = record.seconds / 60 end
    end
  end
end

-- Runs that differ by their seed only belong together.
local function groups_of(runs)
  local groups, by_settings = {}, {}
  for _, run in ipairs(runs) do
    local settings = {}
    for name, value in pairs(run.about.settings) do
      if name ~= "seed" then settings[name] = value end
    end
    local key = apo.json.encode(settings, {lossy = true})
    local group = by_settings[key]
    if not group then
      group = {name = run.name, runs = {}}
      by_settings[key], groups[#groups + 1] = group, group
    end
    group.runs[#group.runs + 1] = run
  end
  for _, group in ipairs(groups) do
    if #group.runs > 1 then group.name = ("%s, %d seeds"):format(group.name, #group.runs) end
  end
  return groups
end

-- What to mark in the curves of one run.
local function marks_of(runs)
  if #runs > 1 then return nil end
  local marks = {}
  for _, event in ipairs(runs[1].events) do
    if type(event.step) == "number" then
      marks[#marks + 1] = {x = event.step, text = ("%s, step %s: %s"):format(
        tostring(event.event), event.step, folder.event_text(event))}
    end
  end
  return marks
end

-- The names of groups with their colors.
local function legend_of(groups)
  local names = {}
  for i, group in ipairs(groups) do names[i] = group.name end
  return #groups > 1 and names or {}
end

-- How much is averaged, by the longest of the runs.
local function factor_for(runs)
  local count = 0
  for _, run in ipairs(runs) do count = math.max(count, #run.steps) end
  return factor_of(count)
end

local function figures_of(runs, groups, factor)
  local list, marks = {}, marks_of(runs)
  for _, panel in ipairs(panels.all(runs)) do
    local variants, charts = {}, panels.draw(panel, groups, axes, marks, factor)
    for i, x in ipairs(axes) do
      if charts[i] then variants[#variants + 1] = {class = x.class, svg = charts[i]} end
    end
    if #variants > 0 then list[#list + 1] = variants end
  end
  return list
end

local function summary_table(runs)
  local rows = {{"run", "state", "steps", "reward", "eval/reward", "time", "started", "script"}}
  for i, run in ipairs(runs) do
    rows[i + 1] = {
      run.name, run.state, ("%d of %s"):format(run.step, run.total or "?"),
      format.reward(run.reward) or "-", format.reward(run.evaluation) or "-",
      format.duration(run.seconds) or "-", run.started, run.script or "-",
    }
  end
  local is_tree = false
  for _, run in ipairs(runs) do is_tree = is_tree or folder.parent(run) ~= nil end
  for i, row in ipairs(is_tree and rows or {}) do
    row[#row + 1] = i == 1 and "forked from" or folder.parent(runs[i - 1]) or "-"
  end
  return {title = #runs > 1 and "Runs" or "Run", rows = rows}
end

local function settings_table(runs)
  local rows, heading = differences(runs, #runs == 1), {"setting"}
  for i, run in ipairs(runs) do heading[i + 1] = run.name end
  table.insert(rows, 1, heading)
  return {title = #runs > 1 and "Settings that differ" or "Settings", rows = rows}
end

local function events_table(run)
  local rows = {{"step", "event", "text"}}
  for _, event in ipairs(run.events) do
    rows[#rows + 1] = {tostring(event.step or ""), tostring(event.event or ""),
                       folder.event_text(event)}
  end
  return {title = "Events", rows = rows}
end

-- The script of a run, or what other runs have otherwise.
local function texts_of(runs)
  local first, texts = folder.script(runs[1].dir), {}
  if not first then return texts end
  texts[1] = {title = "script.lua of " .. runs[1].name, text = first}
  for i = 2, #runs do
    local other = folder.script(runs[i].dir)
    local lines = other and diff(first, other)
    if lines then
      texts[#texts + 1] = {title = ("script.lua: %s → %s"):format(runs[1].name, runs[i].name),
                           text = table.concat(lines, "\n")}
    end
  end
  return texts
end

-- What the lines are.
local function subtitle(runs, groups, factor)
  local text = ("Lines: exponential average, factor %.2g."):format(factor)
  if factor == 0 then text = "As logged."
  elseif #groups <= panels.most_raw then
    text = ("Bold: exponential average, factor %.2g. Faint: as logged."):format(factor)
  end
  if #groups == #runs then return text end
  return text .. " Bands: from the least to the greatest of the seeds; their line is the mean."
end

-- The page of some folders of runs; `state` is that of a run that ends now.
local function render(dirs, state)
  local runs = {}
  for i, dir in ipairs(dirs) do
    runs[i] = folder.open(dir)
    runs[i].state = state or runs[i].state
    convert(runs[i])
  end
  local groups = groups_of(runs)
  local list, count = {}, 0
  if #runs == 1 then list, count = completions(runs[1].dir) end
  local tables = {summary_table(runs), settings_table(runs)}
  if #runs == 1 and #runs[1].events > 0 then tables[3] = events_table(runs[1]) end
  local is_live, factor = false, factor_for(runs)
  for _, run in ipairs(runs) do is_live = is_live or run.state == "running" end
  return page{
    title = #runs == 1 and runs[1].name or #runs .. " runs",
    subtitle = subtitle(runs, groups, factor),
    legend = legend_of(groups), figures = figures_of(runs, groups, factor), tables = tables,
    texts = texts_of(runs),
    completions = list, completion_count = count, is_live = is_live,
  }
end

-- Reads `RUN … [-o FILE]`.
local function arguments(...)
  local dirs, path, i, given = {}, nil, 1, {...}
  while i <= #given do
    if given[i] == "-o" then
      path = given[i + 1] or error("report: -o needs a file", 0)
      i = i + 1
    else dirs[#dirs + 1] = given[i] end
    i = i + 1
  end
  if #dirs == 0 then error("report: the folder of a run is needed", 0) end
  return dirs, path or #dirs == 1 and dirs[1] .. "/report.html" or "report.html"
end

local function write(dirs, path, state) system.write_file(path, render(dirs, state)) end

return {
  render = render, write = write,
  command = function(...)
    local dirs, path = arguments(...)
    write(dirs, path)
    print(system.visible("wrote " .. path))
  end,
}
