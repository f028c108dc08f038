-- From the records of a run to the points of a curve.

-- How far apart in the picture two points can be told from each other.
local columns = 260

-- The factor of the average of so many points: 0.9 for many, less where that would hide them all.
local function factor(count) return 1 - 1 / math.max(1, math.min(10, count / 12)) end

-- The records that have both metrics, as lists x and y.
local function points(records, x_name, y_name)
  local x, y = {}, {}
  for _, record in ipairs(records) do
    local a, b = record[x_name], record[y_name]
    if type(a) == "number" and type(b) == "number" and a - a == 0 and b - b == 0 then
      x[#x + 1], y[#y + 1] = a, b
    end
  end
  return {x = x, y = y}
end

-- The exponential average with its start corrected: m = a m + (1 - a) y, divided by 1 - a^k.
local function smoothed(curve, a)
  local y, mean, weight = {}, 0.0, 0.0
  for i, value in ipairs(curve.y) do
    mean, weight = a * mean + (1 - a) * value, a * weight + (1 - a)
    y[i] = mean / weight
  end
  return {x = curve.x, y = y}
end

-- At most two points, the lowest and the highest, for each column of the picture, in their order.
local function thinned(curve)
  local count = #curve.x
  if count <= 2 * columns then return curve end
  local x, y, per = {}, {}, count / columns
  local function keep(i) x[#x + 1], y[#y + 1] = curve.x[i], curve.y[i] end
  for column = 0, columns - 1 do
    local first = math.floor(column * per) + 1
    local last = math.min(count, math.floor((column + 1) * per))
    local low, high = first, first
    for i = first + 1, last do
      if curve.y[i] < curve.y[low] then low = i end
      if curve.y[i] > curve.y[high] then high = i end
    end
    keep(math.min(low, high))
    if low ~= high then keep(math.max(low, high)) end
  end
  if x[#x] ~= curve.x[count] then keep(count) end
  return {x = x, y = y}
end

-- Every n-th point: of a smooth curve nothing is lost by it.
local function sparse(curve)
  local x, y, every = {}, {}, math.max(1, math.ceil(#curve.x / columns))
  for i = 1, #curve.x, every do x[#x + 1], y[#y + 1] = curve.x[i], curve.y[i] end
  if x[#x] ~= curve.x[#curve.x] then x[#x + 1], y[#y + 1] = curve.x[#curve.x], curve.y[#curve.y] end
  return {x = x, y = y}
end

-- The mean of several curves at the places that all of them have, with the least and the greatest.
local function band(curves)
  local sums = {}
  for _, curve in ipairs(curves) do
    for i, place in ipairs(curve.x) do
      local at = sums[place] or {count = 0, sum = 0.0, low = math.huge, high = -math.huge}
      local value = curve.y[i]
      at.count, at.sum = at.count + 1, at.sum + value
      at.low, at.high = math.min(at.low, value), math.max(at.high, value)
      sums[place] = at
    end
  end
  local result = {x = {}, y = {}, low = {}, high = {}}
  for _, place in ipairs(curves[1].x) do
    local at = sums[place]
    if at.count == #curves then
      local i = #result.x + 1
      result.x[i], result.y[i], result.low[i], result.high[i] =
        place, at.sum / at.count, at.low, at.high
    end
  end
  return result
end

return {points = points, smoothed = smoothed, thinned = thinned, sparse = sparse, band = band,
        factor = factor}
