-- The log-ratio divided by a power of the length, so that a long completion does not count more
-- than a short one: alpha 0 is A*-PO, 1 the mean over the tokens.
local common = dofile((arg[0]:match("^.*/") or "") .. "common.lua")

local alpha <const> = 0.5
common.train{loss = function(b)
  local ratio = (b.logp - b.ref_logp) / b.rollout:lengths() ^ alpha
  return ((b.beta * ratio - b.target) ^ 2):mean()
end}
