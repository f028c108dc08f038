-- No baseline: REINFORCE on the reward with A*-PO's pull towards the reference.
local common = dofile((arg[0]:match("^.*/") or "") .. "common.lua")

common.train{values = common.values:with_mode("zero")}
