-- Reward functions that agree with those of the A*-PO authors (github ZhaolinGao/A-PO c8823a3,
-- verl/utils/reward_score), and general ones. Each is in a file of its own under rewards/.

return {
  gsm8k = require "apo.rewards.gsm8k",
  countdown = require "apo.rewards.countdown",
  multiply = require "apo.rewards.multiply",
  exact = require "apo.rewards.match".exact,
  numeric = require "apo.rewards.match".numeric,
}
