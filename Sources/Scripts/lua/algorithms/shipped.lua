-- The algorithms that come with apo-lua, each in a file of its own here, and the one that apo.train
-- runs when none is asked for.

return {
  default = "astarpo",
  names = {
    "astarpo", "dapo", "dr_grpo", "grpo", "oapl", "online_dpo", "ppo", "rebel", "reinforce", "rloo",
  },
}
