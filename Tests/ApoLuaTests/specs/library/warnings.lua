-- Runs that go nowhere: what is said of their figures, when, and how often.
local spec = ...
local apo = require "apo"
local equal = spec.equal
local warnings = require "apo.train.warnings"
local function new(name) return warnings(apo.algorithms[name]{}) end

local function figures(changes)
  local record = {
    reward = 0.5, reward_std = 0.5, loss = 0.1, grad_norm = 1e-3, kl = 0.1, ["completions/clipped_ratio"] = 0.1,
    ["update/weight_delta_norm"] = 1e-2, ["apo/v_star_zero_frac"] = 0.2, ["apo/v_star_one_frac"] = 0.2,
    ["sampling/sampling_logp_difference/max"] = 0,
  }
  for name, value in pairs(changes) do record[name] = value or nil end
  return record
end

-- What is said at each of some equal steps; only the start of the texts.
local function said(changes, steps, algorithm)
  local warn, list = new(algorithm or "astarpo"), {}
  for i = 1, steps do
    for _, text in ipairs(warn(figures(changes))) do list[#list + 1] = i .. " " .. text:sub(1, 24) end
  end
  return list
end

equal(said({}, 60), {})
equal(said({reward = 0, reward_std = 0}, 5), {"3 all completions got the "})
equal(said({["completions/clipped_ratio"] = 1}, 5), {"3 max_tokens cut off every"})
equal(said({["completions/clipped_ratio"] = 0.4}, 2), {"1 40 % of the completions "})
equal(said({grad_norm = 0, ["update/weight_delta_norm"] = 0}, 4), {"3 the gradient is exactly "})
equal(said({["update/weight_delta_norm"] = 0}, 4), {"3 the weights do not chang"})
equal(said({kl = 3.25}, 3), {"3 the policy is 3.2 nats p"})
equal(said({["apo/v_star_zero_frac"] = 1}, 3), {"3 no reference sample solv"})
equal(said({["apo/v_star_one_frac"] = 1}, 3), {"3 the reference solved all"})
equal(said({["sampling/sampling_logp_difference/max"] = 1e-6}, 1), {"1 sampler and trainer diff"})
equal(#said({grad_norm = 0}, 103), 3)                       -- at steps 3, 53 and 103
equal(said({frac_reward_zero_std = 1, grad_norm = 0}, 5), {"3 in every group all compl"})
equal(said({frac_reward_zero_std = 0.9}, 5), {})
equal(said({["dapo/left_out_frac"] = 1, loss = false, grad_norm = false}, 5, "dapo"),
  {"3 the rewards of every gro"})
equal(said({loss = false, grad_norm = false}, 5), {"3 the policy was not updat"})

-- The advice is the algorithm's own.
for algorithm, advice in pairs{astarpo = "The target must depend", grpo = "The loss of 'grpo'"} do
  local warn, text = new(algorithm)
  for _ = 1, 3 do text = warn(figures{grad_norm = 0})[1] end
  assert(text:find(advice, 1, true), text)
end

-- A good step in between starts the count anew; figures that an algorithm lacks are left out.
local warn = new "astarpo"
for _, std in ipairs{0, 0, 0.1, 0, 0} do equal(warn(figures{reward_std = std}), {}) end
equal(#warn(figures{reward_std = 0}), 1)
equal(new "astarpo"{reward = 1, loss = 1, reward_std = 0.1, ["completions/clipped_ratio"] = 0}, {})
