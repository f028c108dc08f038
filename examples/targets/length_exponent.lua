-- The log-ratio divided by a power of the length, so that long completions do not count more than
-- short ones: alpha = 0 is A*-PO, alpha = 1 the mean over tokens.
local common = dofile((arg[0]:match("^.*/") or "") .. "common.lua")

local alpha <const> = 0.5
common.train{loss = function(b)
  local ratio = (b.logp - b.ref_logp) / b.rollout:lengths() ^ alpha
  return ((b.beta * ratio - b.target) ^ 2):mean()
end}
