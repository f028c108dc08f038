-- Gradient descent: fit a line to 200 noisy points.
local apo = require "apo"
apo.seed(1)

local x = 4 * apo.rand(200) - 2
-- the line to find: slope 3, intercept -1
local y = 3 * x - 1 + 0.3 * apo.randn(200)

local slope     = apo.zeros(1):requires_grad_()
local intercept = apo.zeros(1):requires_grad_()
local optimizer = apo.optim.adamw({slope, intercept}, {lr = 0.1, weight_decay = 0})

for step = 1, 100 do
  local loss = ((slope * x + intercept - y) ^ 2):mean()
  loss:backward()                                          -- fills slope.grad and intercept.grad
  optimizer:step()                                         -- moves both, and clears the gradients
  if step % 20 == 0 then
    print(("step %3d  loss %.4f  y = %.3f x %+.3f"):format(
      step, loss:item(), slope:item(), intercept:item()))
  end
end
