-- No gradient where the uncertainty of V* explains the residual: V* is estimated from N samples, so
-- residuals within its 90 % interval (p +- 1.64 standard deviations of the success rate) are
-- ignored.
local apo = require "apo"
local common = dofile((arg[0]:match("^.*/") or "") .. "common.lua")

local function width(row)
  local rewards, solved = common.values:rewards(row), 0
  for _, reward in ipairs(rewards) do solved = solved + reward end
  local p = (solved + 0.5) / (#rewards + 1)
  return 1.64 * math.sqrt(p * (1 - p) / (#rewards + 2))
end

common.train{loss = function(b)
  local widths = {}
  for i, row in ipairs(b.rows) do widths[i] = width(row) end
  local residual = b.beta * (b.logp - b.ref_logp) - b.target
  return ((residual:abs() - apo.tensor(widths)):relu() ^ 2):mean()
end}
