-- V* is the best reward of the reference's samples: the limit beta1 -> 0. Then r - V* is positive
-- only for prompts that no sample solved.
local common = dofile((arg[0]:match("^.*/") or "") .. "common.lua")

common.train{values = common.values:with_mode("max")}
