-- A time as people read it: 4.2 s, 1:02 min, 3:20 h; nil for what is none.

return function(seconds)
  if type(seconds) ~= "number" or seconds ~= seconds or seconds < 0 or seconds >= 1e12 then
    return nil
  end
  local whole = seconds // 1 | 0
  if whole >= 3600 then return ("%d:%02d h"):format(whole // 3600, whole % 3600 // 60) end
  if whole >= 60 then return ("%d:%02d min"):format(whole // 60, whole % 60) end
  return ("%.1f s"):format(seconds)
end
