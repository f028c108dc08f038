-- Axes of plots: from the values to round ticks, and from values to positions.

-- The step between ticks: 1, 2 or 5 times a power of ten, for about `count` of them.
local function tick_step(span, count)
  local raw = span / count
  local power = 10.0 ^ math.floor(math.log(raw, 10))
  local digit = raw / power
  return power * (digit <= 1 and 1 or digit <= 2 and 2 or digit <= 5 and 5 or 10)
end

-- A number without needless digits, given the distance between neighbours.
local function label(value, step)
  if math.abs(value) < step / 1e6 then return "0" end
  local size = math.max(math.abs(value), step)
  if size >= 1e6 or size < 1e-4 then
    local text = ("%.1e"):format(value):gsub("%.0e", "e"):gsub("e%+", "e")
    return (text:gsub("e(%-?)0+(%d)", "e%1%2"))
  end
  local decimals = math.max(0, math.ceil(-math.log(step, 10) - 1e-9))
  return ("%." .. decimals .. "f"):format(value)
end

-- The least and the greatest number in lists.
local function range(lists)
  local low, high = math.huge, -math.huge
  for _, list in ipairs(lists) do
    for _, value in ipairs(list) do
      low, high = math.min(low, value), math.max(high, value)
    end
  end
  if low > high then return 0, 1 end
  return low, high
end

-- An axis over some lists of values, drawn from position `from` to `to`. `exact` ends it at the
-- last value; else it ends at ticks. `limits` are a low and a high end that are wanted.
local function axis(lists, from, to, count, exact, limits)
  local low, high = range(lists)
  low, high = limits and limits[1] or low, limits and limits[2] or high
  if high - low <= 1e-9 * math.max(math.abs(low), math.abs(high)) then  -- the same but for rounding
    local room = low == 0 and 1 or math.abs(low) * 0.1
    low, high = low - room, high + room
  end
  local step = tick_step(high - low, count)
  local first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
  if exact then
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
  else
    low, high = first * step, last * step
  end
  local ticks = {}
  for i = first, last do ticks[#ticks + 1] = {value = i * step, label = label(i * step, step)} end
  local function position(value) return from + (value - low) / (high - low) * (to - from) end
  return {ticks = ticks, position = position, low = low, high = high, step = step}
end

return {axis = axis, label = label}
