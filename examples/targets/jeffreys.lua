-- V* from a smoothed rate of success, p = (k + 1/2) / (N + 1), Jeffreys' prior: prompts that none
-- or all of the N samples solved no longer snap to 0 or 1. For rewards of 0 and 1:
--   V* = beta1 ln(1 - p + p e^(1/beta1))
local common = dofile((arg[0]:match("^.*/") or "") .. "common.lua")

local beta1 <const> = 0.5
local function value(row)
  local rewards, solved = common.values:rewards(row), 0
  for _, reward in ipairs(rewards) do solved = solved + reward end
  local p = (solved + 0.5) / (#rewards + 1)
  return beta1 * math.log(1 - p + p * math.exp(1 / beta1))
end

common.train{target = function(s) return s.reward - value(s.row) end}
