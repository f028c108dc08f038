-- The charts of a report: what each shows, with one curve or band for every group of runs.

local chart_svg = require "apo.plot.chart"
local curves = require "apo.report.curves"

-- Title, and the metrics in it; `least` and `most` are ends of the vertical axis; what is `exact`
-- is not averaged; of several runs `total` is shown instead.
local known = {
  {"Reward", {"reward"}, evaluation = "eval/reward"},
  {"Loss", {"policy_loss"}},
  {"KL to the reference, per token", {"kl"}},
  {"Gradient norm", {"grad_norm"}},
  {"Learning rate", {"learning_rate"}, exact = true},
  {"Length of completions", {"completions/mean_length"}, evaluation = "eval/mean_length"},
  {"Share of completions cut off", {"completions/clipped_ratio"}, least = 0, most = 1},
  {"Entropy", {"entropy"}},
  {"Explained variance of the advantage", {"apo/explained_var"}},
  {"Calibration of V*: mean reward - V*", {"apo/v_star_calibration"}},
  {"Share of tokens clipped", {"policy/clip_fraction"}, least = 0},
  {"Seconds per step", {"timing_s/gen", "timing_s/ref", "timing_s/reward",
    "timing_s/update_actor"}, least = 0, total = "step_time"},
  {"Memory, GB", {"perf/resident_memory", "perf/peak_memory"}, least = 0, exact = true,
   total = "perf/resident_memory"},
}

-- Metrics of apo.train that need no panel: counters, and what another panel shows in another way.
local left_out = {}
for name in ([[step epoch seconds minutes num_tokens loss reward_std step_time beta v_star advantage
  implicit_reward completions/min_length completions/max_length completions/mean_terminated_length
  completions/min_terminated_length completions/max_terminated_length perf/throughput
  apo/residual_mean apo/residual_rms apo/v_star_zero_frac apo/v_star_one_frac
  update/weight_delta_norm sampling/sampling_logp_difference/mean
  sampling/sampling_logp_difference/max rewards/reward/mean rewards/reward/std]]):gmatch "%S+" do
  left_out[name] = true
end

local counters = {step = true, epoch = true, seconds = true, minutes = true, num_tokens = true}
local has_panel = {}
for _, panel in ipairs(known) do
  for _, metric in ipairs(panel[2]) do has_panel[metric] = true end
  if panel.evaluation then has_panel[panel.evaluation] = true end
end

-- Whether a metric needs no panel of its own. A loop of the script's own logs what it wants to see.
local function is_shown(name, run)
  if run.about and run.about.kind == "run" then return counters[name] or has_panel[name] end
  return has_panel[name] or left_out[name] or name:find "^timing_s/" or name:find "^rewards/.*/std$"
end

-- Adds names of numbers in some of the records.
local function add_names(names, records, run)
  local every = math.max(1, #records // 50)
  for i = 1, #records, every do
    for name, value in pairs(records[i]) do
      if type(value) == "number" and not is_shown(name, run) then names[name] = true end
    end
  end
  local last = records[#records]
  for name, value in pairs(last or {}) do
    if type(value) == "number" and not is_shown(name, run) then names[name] = true end
  end
end

-- The panels, with one for each other metric: the script's own, and those of evaluations.
local function all(runs)
  local list, steps, evaluations = table.move(known, 1, #known, 1, {}), {}, {}
  for _, run in ipairs(runs) do
    add_names(steps, run.steps, run)
    add_names(evaluations, run.evaluations, run)
  end
  local names = {}
  for name in pairs(steps) do names[#names + 1] = name end
  for name in pairs(evaluations) do
    if not steps[name] then names[#names + 1] = name end
  end
  table.sort(names)
  for _, name in ipairs(names) do
    list[#list + 1] = {name, steps[name] and {name} or {},
                       evaluation = evaluations[name] and name or nil}
  end
  return list
end

-- A function that gives the curves of a metric by one x: of one run as it is and averaged, of
-- several runs their mean and how far they are apart.
local function curve_of(group, list_name, metric, factor)
  local list = {}
  for _, run in ipairs(group.runs) do
    local column = curves.column(run[list_name], metric)
    if #column.y > 0 then list[#list + 1] = column end
  end
  if #list == 0 then return nil end
  if #list == 1 then
    local column, raw, bold = list[1], nil, nil
    local shown = factor > 0 and curves.smoothed(column.y, factor) or column.y
    if factor > 0 then raw = curves.extremes(column.y) end
    bold = factor > 0 and curves.sparse(shown) or curves.extremes(shown)
    return function(x_name)
      return curves.points(shown, column.records, bold, x_name),
        raw and curves.points(column.y, column.records, raw, x_name)
    end
  end
  for _, column in ipairs(list) do
    if factor > 0 then column.y = curves.smoothed(column.y, factor) end
  end
  local band = curves.band(list)
  local places = curves.sparse(band.y)
  return function(x_name) return curves.band_points(band, places, x_name) end
end

-- All curves of a panel: `{of =, name =, color =, style =}`.
local function curves_of(panel, groups, factor)
  local list, metrics = {}, panel[2]
  if panel.exact then factor = 0 end
  if #groups > 1 and panel.total then metrics = {panel.total} end
  local function add(group, list_name, metric, name, color, style, averaging)
    local of = curve_of(group, list_name, metric, averaging)
    if of then list[#list + 1] = {of = of, name = name, color = color, style = style} end
  end
  for i, group in ipairs(groups) do
    for k, metric in ipairs(metrics) do
      local name = #groups > 1 and group.name or metric:match "[^/]+$" or metric
      add(group, "steps", metric, name, #metrics > 1 and k or i, nil, factor)
    end
    if panel.evaluation then
      local name = #groups > 1 and group.name .. ", evaluation" or "evaluation"
      add(group, "evaluations", panel.evaluation, name, #groups > 1 and i or 2, "dots", 0)
    end
  end
  return list
end

-- Of more groups than these the curves as they were logged would hide each other.
local most_raw = 4

-- The charts of a panel by several x, `{name =, label =}` each; nil where no run has the metric.
local function draw(panel, groups, axes, marks, factor)
  local list, charts = curves_of(panel, groups, factor), {}
  for i, x in ipairs(axes) do
    local series = {}
    for _, curve in ipairs(list) do
      local bold, raw = curve.of(x.name)
      if raw and #raw.x > 0 and #groups <= most_raw then
        raw.style, raw.color = "faint", curve.color
        series[#series + 1] = raw
      end
      if #bold.x > 0 then
        bold.name, bold.color, bold.style = curve.name, curve.color, curve.style
        series[#series + 1] = bold
      end
    end
    local range = (panel.least or panel.most) and {panel.least, panel.most} or nil
    charts[i] = #series > 0 and chart_svg{
      title = panel[1], x_label = x.label, y_range = range, series = series,
      marks = x.name == "step" and marks or nil, has_legend = #groups > 1,
    } or nil
  end
  return charts
end

return {all = all, draw = draw, most_raw = most_raw}
