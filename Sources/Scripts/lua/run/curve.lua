-- The learning curves of a run, as curve.html in its folder: reward, KL and loss over the steps,
-- and the reward over time.

local apo = require "apo"

-- The records that have a figure, as x and y.
local function column(history, x_name, y_name, scale)
  local x, y = {}, {}
  for _, record in ipairs(history) do
    if record[x_name] and record[y_name] then
      x[#x + 1], y[#y + 1] = record[x_name] * (scale or 1), record[y_name]
    end
  end
  return x, y
end

-- The average over a window around each point, which is cut off at the ends.
local function smooth(list)
  local reach, result = #list // 24, {}
  for i = 1, #list do
    local first, last, sum = math.max(1, i - reach), math.min(#list, i + reach), 0
    for k = first, last do sum = sum + list[k] end
    result[i] = sum / (last - first + 1)
  end
  return result
end

-- A metric as a thin line, and its moving average.
local function lines(history, x_name, y_name, name, color, scale)
  local x, y = column(history, x_name, y_name, scale)
  return {x = x, y = y, style = "faint", color = color},
         {name = name, x = x, y = smooth(y), color = color}
end

local function reward_chart(history, title, x_name, x_label, scale)
  local raw, average = lines(history, x_name, "reward", "training", 1, scale)
  local series = {raw, average}
  local x, y = column(history, x_name, "eval/reward", scale)
  if #x > 0 then series[3] = {name = "evaluation", x = x, y = y, style = "dots", color = 2} end
  return {title = title, x_label = x_label, series = series}
end

local function chart(history, y_name, title, color)
  return {title = title, x_label = "step",
          series = {lines(history, "step", y_name, y_name, color)}}
end

return function(dir, history)
  local last = history[#history]
  if not last or not last.step or last.step == 0 then return end
  local seconds = last.seconds or 0
  local unit = seconds > 7200 and {"hours", 1 / 3600} or seconds > 120 and {"minutes", 1 / 60}
    or {"seconds", 1}
  apo.plot{
    path = dir .. "/curve.html", title = "Learning curves",
    subtitle = ("%s, step %d"):format(dir, last.step),
    charts = {
      reward_chart(history, "Reward", "step", "step"),
      chart(history, "kl", "KL to the reference, per token", 3),
      chart(history, "policy_loss", "Loss", 4),
      reward_chart(history, "Reward over time", "seconds", unit[1], unit[2]),
    },
  }
end
