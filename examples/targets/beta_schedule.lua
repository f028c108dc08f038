-- beta2 as a function of the step: the policy is tied to the reference at first and almost free at
-- the end.
local common = dofile((arg[0]:match("^.*/") or "") .. "common.lua")

local result = common.train{
  beta = function(step, total) return 1e-2 * 0.1 ^ (step / total) end,
}
print(("beta of the last step: %g"):format(result.metrics.beta))
