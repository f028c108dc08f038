-- V* is re-estimated with the current policy every 8 steps. Its samples cost as much as those of 8
-- training steps with 8 completions each.
local common = dofile((arg[0]:match("^.*/") or "") .. "common.lua")

local values = common.values
common.train{
  target = function(s) return s.reward - values:of{s.row}:item() end,
  on_step = function(record)
    if record.step % 8 == 0 then values = common.estimate(common.policy) end
  end,
}
