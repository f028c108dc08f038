-- The batches of a data set, epoch after epoch: `for step, rows in ds:batches{size = 64} do`.
-- The rows of a step are a pure function of (seed, step), so a loop can start at any step.

local apo = require "apo"
local order = require "apo.data.shuffle"
local documented, fail = require "apo.documented", require "apo.fail"

return documented{
  name = "apo.Dataset:batches", summary = "Iterates over the rows in batches.",
  options = {
    {name = "size", type = "integer", minimum = 1, text = "rows per batch"},
    {name = "epochs", type = "integer", minimum = 1, maximum = 1000000000, default = 1,
     text = "passes over the rows"},
    {name = "shuffle", type = "boolean", default = false, text = "reshuffle every epoch"},
    {name = "seed", type = "integer", optional = true,
     text = "seed of the order; default: the run's"},
    {name = "drop_last", type = "boolean", default = false,
     text = "drop an incomplete last batch"},
    {name = "start_step", type = "integer", minimum = 1, default = 1,
     text = "the first step to return"},
  },
  returns = {{type = "function", signature = "fun(): integer, table[]",
              text = "iterator of step (from 1) and list of rows"},
             {type = "any", text = "nothing"},
             {type = "integer", text = "the step before the first"}},
  example = [[for step, rows in train:batches{size = 64, epochs = 4, shuffle = true} do
  print(step, #rows)
end]],
  call = function(self, options)
    local size, seed = options.size, options.seed or apo.seed()
    local per_epoch = (options.drop_last and #self or #self + size - 1) // size
    if #self == 0 then fail("batches: the data set has no rows") end
    if per_epoch == 0 then
      fail(("batches: %d rows do not fill a batch of %d, and drop_last is set"):format(#self, size))
    end

    local epoch, positions
    local function next_batch(_, step)
      if step >= options.epochs * per_epoch then return nil end
      if epoch ~= step // per_epoch then
        epoch = step // per_epoch
        positions = options.shuffle and order(#self, seed, epoch)
      end
      local rows, first = {}, step % per_epoch * size
      for i = 1, math.min(size, #self - first) do
        rows[i] = self[positions and positions[first + i] or first + i]
      end
      return step + 1, rows
    end
    return next_batch, nil, options.start_step - 1
  end,
}
