-- A moving reference: every 8 steps it takes the policy's weights. V* remains that of the first
-- reference. (A resumed run starts from the first reference again.)
local apo = require "apo"
local common = dofile((arg[0]:match("^.*/") or "") .. "common.lua")

local policy, reference = common.policy, common.reference:clone():freeze()
common.train{
  reference = reference, beta = 1e-2,
  on_step = function(record)
    if record.step % 8 ~= 0 then return end
    apo.no_grad(function()
      for name, weights in reference:named_parameters() do weights:copy_(policy:parameter(name)) end
    end)
  end,
}
