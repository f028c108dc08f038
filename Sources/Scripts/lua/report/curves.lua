-- From the records of a run to the points of a curve.

-- How far apart in the picture two points can be told from each other.
local columns = 260

-- The factor of the average of so many points: 0.9 for many, less where that would hide them all.
local function factor(count) return 1 - 1 / math.max(1, math.min(10, count / 12)) end

local function is_number(value) return type(value) == "number" and value - value == 0 end

-- A metric of the records that have it: its values `y`, and the `records` they are from.
local function column(records, metric)
  local y, of, n = {}, {}, 0
  for _, record in ipairs(records) do
    local value = record[metric]
    if is_number(value) then
      n = n + 1
      y[n], of[n] = value, record
    end
  end
  return {y = y, records = of}
end

-- The exponential average with its start corrected: m = a m + (1 - a) y, divided by 1 - a^k.
local function smoothed(list, a)
  local y, mean, weight = {}, 0.0, 0.0
  for i, value in ipairs(list) do
    mean, weight = a * mean + (1 - a) * value, a * weight + (1 - a)
    y[i] = mean / weight
  end
  return y
end

-- The places of at most two values, the lowest and the highest, for each column of the picture, and
-- of the last.
local function extremes(list)
  local count, places = #list, {}
  if count <= 2 * columns then
    for i = 1, count do places[i] = i end
    return places
  end
  local per = count / columns
  for at = 0, columns - 1 do
    local first, last = math.floor(at * per) + 1, math.min(count, math.floor((at + 1) * per))
    local low, high = first, first
    for i = first + 1, last do
      if list[i] < list[low] then low = i end
      if list[i] > list[high] then high = i end
    end
    places[#places + 1] = math.min(low, high)
    if low ~= high then places[#places + 1] = math.max(low, high) end
  end
  if places[#places] ~= count then places[#places + 1] = count end
  return places
end

-- The places of every n-th value and of the last: of a smooth curve nothing is lost by it.
local function sparse(list)
  local places, every = {}, math.max(1, math.ceil(#list / columns))
  for i = 1, #list, every do places[#places + 1] = i end
  if #list > 0 and places[#places] ~= #list then places[#places + 1] = #list end
  return places
end

-- The points of a column at some places, where the records have an x.
local function points(y, records, places, x_name)
  local curve = {x = {}, y = {}}
  for _, place in ipairs(places) do
    local x = records[place][x_name]
    if is_number(x) then
      curve.x[#curve.x + 1], curve.y[#curve.y + 1] = x, y[place]
    end
  end
  return curve
end

-- The mean of several columns at the steps that all of them have, with the least and the greatest
-- value, and the records of each step.
local function band(list)
  local by_step = {}
  for k, one in ipairs(list) do
    for i, record in ipairs(one.records) do
      local step = record.step
      local at = by_step[step]
      if k == 1 and step then
        at = {}
        by_step[step] = at
      end
      if at and #at == 2 * (k - 1) then at[2 * k - 1], at[2 * k] = one.y[i], record end
    end
  end
  local result = {y = {}, low = {}, high = {}, records = {}}
  for _, record in ipairs(list[1].records) do
    local at = by_step[record.step]
    if at and #at == 2 * #list then
      local sum, low, high, records = 0.0, math.huge, -math.huge, {}
      for k = 1, #list do
        local value = at[2 * k - 1]
        sum, low, high = sum + value, math.min(low, value), math.max(high, value)
        records[k] = at[2 * k]
      end
      local n = #result.y + 1
      result.y[n], result.low[n], result.high[n] = sum / #list, low, high
      result.records[n] = records
    end
  end
  return result
end

-- The points of a band at some places; x is the mean over its records.
local function band_points(all, places, x_name)
  local curve = {x = {}, y = {}, low = {}, high = {}}
  for _, place in ipairs(places) do
    local sum = 0.0
    for _, record in ipairs(all.records[place]) do
      local x = record[x_name]
      sum = sum + (is_number(x) and x or 0 / 0)
    end
    if sum == sum then
      local n = #curve.x + 1
      curve.x[n], curve.y[n] = sum / #all.records[place], all.y[place]
      curve.low[n], curve.high[n] = all.low[place], all.high[place]
    end
  end
  return curve
end

return {column = column, smoothed = smoothed, extremes = extremes, sparse = sparse,
        points = points, band = band, band_points = band_points, factor = factor}
