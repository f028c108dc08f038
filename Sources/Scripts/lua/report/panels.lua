-- The charts of a report: what each shows, with one curve or band for every group of runs.

local chart_svg = require "apo.plot.chart"
local curves = require "apo.report.curves"

-- Title, and the metrics in it; `least` and `most` are ends of the vertical axis; what is `exact`
-- is not averaged.
local known = {
  {"Reward", {"reward"}, evaluation = "eval/reward"},
  {"Loss", {"policy_loss"}},
  {"KL to the reference, per token", {"kl"}},
  {"Gradient norm", {"grad_norm"}},
  {"Learning rate", {"learning_rate"}, exact = true},
  {"Length of completions", {"completions/mean_length"}},
  {"Share of completions cut off", {"completions/clipped_ratio"}, least = 0, most = 1},
  {"Entropy", {"entropy"}},
  {"Explained variance of the advantage", {"apo/explained_var"}},
  {"Calibration of V*: mean reward - V*", {"apo/v_star_calibration"}},
  {"Share of tokens clipped", {"policy/clip_fraction"}, least = 0},
  {"Seconds a step", {"timing_s/gen", "timing_s/ref", "timing_s/reward", "timing_s/update_actor"},
   least = 0},
  {"Memory, GB", {"perf/peak_memory"}, least = 0, exact = true},
}

-- Metrics that need no panel: counters, and what another panel shows in another way.
local left_out = {
  step = true, epoch = true, seconds = true, minutes = true, num_tokens = true, loss = true,
  reward_std = true,
  step_time = true, beta = true, v_star = true, advantage = true, implicit_reward = true,
}

local function is_shown(name)
  for _, panel in ipairs(known) do
    for _, metric in ipairs(panel[2]) do
      if metric == name then return true end
    end
  end
  return left_out[name] or name:find "^completions/" or name:find "^perf/" or name:find "^apo/"
    or name:find "^timing_s/" or name:find "^update/" or name:find "^sampling/"
    or name:find "^rewards/reward/" or name:find "^eval/"
end

-- The panels, with one for each metric of the script's own.
local function all(runs)
  local list, others = table.move(known, 1, #known, 1, {}), {}
  for _, run in ipairs(runs) do
    for _, record in ipairs{run.steps[1] or {}, run.steps[#run.steps] or {}} do
      for name, value in pairs(record) do
        if type(value) == "number" and not is_shown(name) then others[name] = true end
      end
    end
  end
  local names = {}
  for name in pairs(others) do names[#names + 1] = name end
  table.sort(names)
  for _, name in ipairs(names) do list[#list + 1] = {name, {name}} end
  return list
end

-- The curves of one metric in one run, smoothed and as they are.
local function add_run(series, run, metric, x_name, name, color, factor)
  local raw = curves.points(run.steps, x_name, metric)
  if #raw.x == 0 then return end
  if factor > 0 then
    local thin = curves.thinned(raw)
    series[#series + 1] = {x = thin.x, y = thin.y, style = "faint", color = color}
  end
  local bold = factor > 0 and curves.sparse(curves.smoothed(raw, factor)) or curves.thinned(raw)
  series[#series + 1] = {name = name, x = bold.x, y = bold.y, color = color}
end

-- Those of a group of runs; of several runs their mean and how far they are apart.
local function add(series, group, metric, x_name, name, color, factor)
  if #group.runs == 1 then
    return add_run(series, group.runs[1], metric, x_name, name, color, factor)
  end
  local list = {}
  for _, run in ipairs(group.runs) do
    local curve = curves.smoothed(curves.points(run.steps, x_name, metric), factor)
    if #curve.x > 0 then list[#list + 1] = curve end
  end
  if #list == 0 then return end
  local all_seeds = curves.band(list)
  if #all_seeds.x == 0 then return end
  all_seeds.name, all_seeds.color = name, color
  series[#series + 1] = all_seeds
end

local function add_evaluations(series, group, metric, x_name, color)
  for _, run in ipairs(group.runs) do
    local curve = curves.thinned(curves.points(run.evaluations, x_name, metric))
    if #curve.x > 0 then
      series[#series + 1] = {name = "evaluation", x = curve.x, y = curve.y, style = "dots",
                             color = color}
    end
  end
end

-- One chart by one x; nil where no run has the metric.
local function draw(panel, groups, x, marks, factor)
  local series = {}
  if panel.exact then factor = 0 end
  for i, group in ipairs(groups) do
    for k, metric in ipairs(panel[2]) do
      local name = #groups > 1 and group.name or metric:match "[^/]+$"
      add(series, group, metric, x.name, name, #panel[2] > 1 and k or i, factor)
    end
    if panel.evaluation then
      add_evaluations(series, group, panel.evaluation, x.name, #groups > 1 and i or 2)
    end
  end
  if #series == 0 then return nil end
  local range = (panel.least or panel.most) and {panel.least, panel.most} or nil
  return chart_svg{title = panel[1], x_label = x.label, y_range = range, series = series,
                   marks = x.name == "step" and marks or nil}
end

return {all = all, draw = draw}
