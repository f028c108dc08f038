-- The baseline is the reference's mean reward instead of V*, as in the A*-PO authors' code with
-- beta1 = 0 and in PVPO (arXiv 2508.21104).
local common = dofile((arg[0]:match("^.*/") or "") .. "common.lua")

common.train{values = common.values:with_mode("mean")}
