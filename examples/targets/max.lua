-- The best reward of the reference's samples as V*: the limit of beta1 towards 0. Then only prompts
-- that no sample solved can push upwards.
local common = dofile((arg[0]:match("^.*/") or "") .. "common.lua")

common.train{values = common.values:with_mode("max")}
