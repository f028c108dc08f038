-- Tensors: arrays of float32 numbers that record how they were computed, so that they can be
-- differentiated.
local apo = require "apo"

-- From nested tables, or by shape. Dimensions and positions count from 1; -1 is the last one.
local x = apo.tensor{{1, 2, 3}, {4, 5, 6}}
print("x =", x)
print("second row, last column:", x[2][-1]:item())
print("sums of the rows:", x:sum(2))

-- Shapes broadcast as in NumPy: here the row of means is subtracted from every row.
local centred = x - x:mean(1, true)
print("columns with mean 0:", centred)
print("as a table:", centred:totable()[1][1])

-- An error says what was wrong, and where in the script.
local ok, message = pcall(function() return x + apo.ones(2) end)
print("not added:", message)

-- Gradients: f(w) = sum (x w)^2 has the gradient 2 xᵀ x w.
local w = apo.tensor{0.5, -1, 0.25}:requires_grad_()
local f = (x:matmul(w) ^ 2):sum()
f:backward()
print("f =", f:item())
print("df/dw =", w.grad)
print("by hand:", 2 * x:transpose(1, 2):matmul(x:matmul(w:detach())))
