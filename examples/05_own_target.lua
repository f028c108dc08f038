-- Monday morning's idea: what should the log-ratio be regressed on? A*-PO says r - V*. Here it is
-- compared with other targets at an equal budget. (One seed and a few steps tell little:
-- differences below 0.05 are noise.)
local apo = require "apo"
local here = arg[0]:match("^(.*/)") or ""

local base  = apo.load(here .. "models/arithmetic"):freeze()
local train = apo.dataset(here .. "data/arithmetic/train.jsonl"):take(512)
local test  = apo.dataset(here .. "data/arithmetic/test.jsonl"):take(128)
local steps = tonumber(arg[1]) or 24

local function reward(row, completion) return completion.text == row.answer and 1 or 0 end

apo.seed(7)
local values = apo.estimate_values{
  model = base, data = train, reward = reward, n = 8, beta = 0.5, max_tokens = 6,
}

local targets = {
  {"optimal advantage, r - V*", function(s) return s.reward - s.value end},
  {"r alone, no baseline",      function(s) return s.reward end},
  {"sign of r - V*",            function(s) return s.reward > s.value and 1 or -1 end},
}
for _, entry in ipairs(targets) do
  local name, target = table.unpack(entry)
  local policy = base:clone()
  apo.train{
    policy = policy, reference = base, data = train, values = values, reward = reward,
    target = target, beta = 1e-3, lr = 2e-4, batch_size = 64, epochs = 100, max_steps = steps,
    max_tokens = 6, seed = 7, quiet = true,
  }
  local after = apo.evaluate{
    model = policy, data = test, reward = reward, n = 4, temperature = 1, max_tokens = 6,
    quiet = true,
  }
  print(("%-28s accuracy %.3f after %d steps"):format(name, after.mean, steps))
end
