-- Numbers as the commands about runs show them.

-- Hours, minutes and seconds.
local function duration(seconds)
  if type(seconds) ~= "number" or seconds ~= seconds or seconds < 0 or seconds >= 1e12 then
    return nil
  end
  local whole = seconds // 1 | 0
  if whole >= 3600 then return ("%d:%02d h"):format(whole // 3600, whole % 3600 // 60) end
  if whole >= 60 then return ("%d:%02d min"):format(whole // 60, whole % 60) end
  return ("%.1f s"):format(seconds)
end

-- A metric in four digits.
local function metric(value)
  if type(value) ~= "number" then return value ~= nil and tostring(value) or nil end
  if math.type(value) == "integer" then return ("%d"):format(value) end
  return ("%.4g"):format(value)
end

local function reward(value) return type(value) == "number" and ("%.3f"):format(value) or nil end

return {duration = duration, metric = metric, reward = reward}
