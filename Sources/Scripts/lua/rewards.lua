-- Reward functions that agree with those of the A*-PO authors (github ZhaolinGao/A-PO c8823a3,
-- verl/utils/reward_score), and general ones. Each is in a file of its own under rewards/.

local documented, needs = require "apo.documented", require "apo.data.needs"

local rewards = documented{
  module = "apo.rewards", summary = "Reward functions for known tasks.",
  details = "Each makes a function of (row, completion). Those for a data set agree with the "
    .. "A*-PO authors' scorers.",
}
rewards.gsm8k = require "apo.rewards.gsm8k"
rewards.math = require "apo.rewards.math"
rewards.countdown = require "apo.rewards.countdown"
rewards.multiply = require "apo.rewards.multiply"
rewards.exact = require "apo.rewards.match".exact
rewards.numeric = require "apo.rewards.match".numeric
rewards.format = require "apo.rewards.format"
rewards.length = require "apo.rewards.length"
for name, make in pairs(rewards) do needs.makers[make] = "apo.rewards." .. name end
rewards.needs = needs.declare
return rewards
