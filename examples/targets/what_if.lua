-- What would other targets have done? On the completions of a recorded run, without sampling: loss,
-- explained variance, and the angle between the gradients.
local apo = require "apo"
local common = dofile((arg[0]:match("^.*/") or "") .. "common.lua")

local dir = os.tmpname()
os.remove(dir)
common.train{dir = dir}

local initial = common.reference  -- at step 1, where drift is 0, the comparison is exact
print "\nagainst r alone:"
print(apo.replay(dir, {model = initial, target = function(s) return s.reward end}))
print "\nagainst the sign of r - V*:"
print(apo.replay(dir, {model = initial, target = function(s)
  return s.reward > s.value and 1 or -1
end}))
apo.system.remove_folder(dir)
