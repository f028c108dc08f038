-- No baseline: REINFORCE on the reward, with A*-PO's KL term.
local common = dofile((arg[0]:match("^.*/") or "") .. "common.lua")

common.train{values = common.values:with_mode("zero")}
