-- The mean reward of the reference as the baseline instead of V*: what the A*-PO authors' code does
-- for beta1 = 0, and PVPO (arXiv 2508.21104).
local common = dofile((arg[0]:match("^.*/") or "") .. "common.lua")

common.train{values = common.values:with_mode("mean")}
