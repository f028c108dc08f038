-- The shipped algorithms, one file each, and the default of apo.train.

return {
  default = "astarpo",
  names = {
    "astarpo", "dapo", "dr_grpo", "grpo", "oapl", "online_dpo", "ppo", "rebel", "reinforce", "rloo",
  },
}
