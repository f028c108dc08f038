-- A tensor without elements costs nothing, however large its other sizes: every method of tensors ends at once, by a result or an error.

local spec = ...
local apo = require "apo"
local equal, raises = spec.equal, spec.raises

local huge = 2 ^ 40 // 1 | 0
local shapes = {{0, huge}, {huge, 0, 3}, {3, 0, huge}, {huge, 3, 0}}
local names = {}
for name in pairs(debug.getmetatable(apo.zeros(1)).__methods) do
  names[#names + 1] = name
end
assert(#names > 40)

for _, name in ipairs(names) do
  for _, shape in ipairs(shapes) do
    local function empty() return apo.zeros(table.unpack(shape)) end
    for _, arguments in ipairs{
      {}, {1}, {2}, {3}, {-1}, {1, 1}, {1, 2}, {2, 3}, {1, 1, 0}, {0.5, 1}, {{0}}, {{-1, 0}}, {empty()}, {empty(), 1},
      {empty(), empty()},
    } do
      for _, needs_gradient in ipairs{false, true} do
        local t = empty()
        if needs_gradient then t:requires_grad_() end
        -- Ten seconds are far more than any needs, on any machine.
        local in_time = apo.system.time_limit(10, function()
          local done, result = pcall(t[name], t, table.unpack(arguments))
          if done and needs_gradient and type(result) == "userdata" then
            pcall(function() result:sum():backward() end)
          end
        end, name)
        assert(in_time, name .. " of " .. table.concat(shape, "x"))
      end
    end
  end
end

equal(apo.zeros(3, 0):totable(), {{}, {}, {}})
raises("totable: a tensor of shape [200000000, 0] has no elements, but would give 200000000 empty lists",
  function() apo.zeros(200000000, 0):totable() end)
equal(apo.zeros(huge, 0):softmax(2):shape(), {huge, 0})
raises("matmul", function() return apo.zeros(huge, 0):matmul(apo.zeros(0, 3)) end)
equal(apo.zeros(3, 0):matmul(apo.zeros(0, 2)):totable(), {{0, 0}, {0, 0}, {0, 0}})
