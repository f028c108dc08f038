-- Axes of plots: from the values to round ticks, and from values to positions.

-- The step between ticks: 1, 2 or 5 times a power of ten, for about `count` of them.
local function tick_step(span, count)
  local raw = span / count
  local power = 10.0 ^ math.floor(math.log(raw, 10))
  local digit = raw / power
  return power * (digit <= 1 and 1 or digit <= 2 and 2 or digit <= 5 and 5 or 10)
end

-- A number like 2e-5.
local function exponential(value)
  local text = ("%.1e"):format(value):gsub("%.0e", "e"):gsub("e%+", "e")
  return (text:gsub("e(%-?)0+(%d)", "e%1%2"))
end

-- A number without needless digits, given the distance between neighbours and the greatest of them.
local function label(value, step, greatest)
  value = value + 0.0  -- the least integer has no positive counterpart
  if not (step > 0 and step < math.huge) then return exponential(value) end
  if math.abs(value) < step / 1e6 then return "0" end
  local size = math.max(math.abs(value), step, greatest or 0)
  if size >= 1e6 or size < 1e-3 then return exponential(value) end
  local decimals = math.max(0, math.ceil(-math.log(step, 10) - 1e-9))
  return ("%." .. decimals .. "f"):format(value)
end

-- The least and the greatest number in lists, of those above a bound.
local function range(lists, bound)
  local low, high = math.huge, -math.huge
  for _, list in ipairs(lists) do
    for _, value in ipairs(list) do
      if value > bound then low, high = math.min(low, value), math.max(high, value) end
    end
  end
  if low > high then return 0, 1 end
  return low, high
end

-- Ticks 1, 2 and 5 times powers of ten, or powers alone where these are enough.
local function logarithmic_ticks(low, high, count)
  local first, last = math.floor(math.log(low, 10) + 1e-9), math.ceil(math.log(high, 10) - 1e-9)
  local decades = math.log(high / low, 10)
  local digits = decades < count - 1 and {1, 2, 5} or {1}
  if decades >= 2.2 then digits = {1} end
  local every, ticks = math.max(1, math.ceil(decades / 8)), {}
  for power = first, last + every - 1, every do
    for _, digit in ipairs(digits) do ticks[#ticks + 1] = digit * 10.0 ^ power end
  end
  return ticks
end

-- A logarithmic axis: as `axis`, of values above 0.
local function logarithmic(lists, from, to, count, exact, limits)
  local low, high = range(lists, 0)
  if low == 0 then low = 0.1 end
  low, high = limits and limits[1] or low, limits and limits[2] or high
  if high / low < 1 + 1e-9 then low, high = low / 2, high * 2 end
  local ticks, all = {}, logarithmic_ticks(low, high, count)
  if not exact and not limits then
    for i = #all, 1, -1 do
      if all[i] <= low * (1 + 1e-9) then low = all[i] break end
    end
    for _, tick in ipairs(all) do
      if tick >= high * (1 - 1e-9) then high = tick break end
    end
  end
  for _, tick in ipairs(all) do
    if tick >= low * (1 - 1e-9) and tick <= high * (1 + 1e-9) then
      local text = (tick > 9e3 or tick < 9e-4) and exponential(tick) or label(tick, tick)
      ticks[#ticks + 1] = {value = tick, label = text}
    end
  end
  local first, scale = math.log(low), (to - from) / math.log(high / low)
  local function position(value) return from + (math.log(value) - first) * scale end
  if #ticks < 2 then  -- less than from one tick to the next
    local step = tick_step(high - low, count)
    ticks = {}
    for i = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) do
      if i > 0 then ticks[#ticks + 1] = {value = i * step, label = label(i * step, step)} end
    end
  end
  return {ticks = ticks, position = position, low = low, high = high}
end

-- An axis over some lists of values, drawn from position `from` to `to`. `exact` ends it at the
-- last value; else it ends at ticks. `limits` are a low and a high end that are wanted.
local function axis(lists, from, to, count, exact, limits)
  local low, high = range(lists, -math.huge)
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
  local ticks, greatest = {}, math.max(math.abs(first), math.abs(last)) * step
  for i = first, last do
    ticks[#ticks + 1] = {value = i * step, label = label(i * step, step, greatest)}
  end
  local function position(value) return from + (value - low) / (high - low) * (to - from) end
  return {ticks = ticks, position = position, low = low, high = high, step = step}
end

return {axis = axis, logarithmic = logarithmic, label = label}
