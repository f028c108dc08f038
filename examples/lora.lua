-- A*-PO with a LoRA adapter: the base weights are frozen, the adapter has a tenth as many, and the
-- model without its adapter is the reference policy, at no extra memory. The saved folder also
-- loads in PEFT.
local apo = require "apo"
local here = arg[0]:match("^(.*/)") or ""
local steps, folder = tonumber(arg[1]) or 96, arg[2] or "runs/arithmetic-adapter"

local policy = apo.load(here .. "models/arithmetic")
local train  = apo.dataset(here .. "data/arithmetic/train.jsonl")
local test   = apo.dataset(here .. "data/arithmetic/test.jsonl"):take(256)

apo.seed(7)
policy:add_adapter{r = 8, lora_alpha = 16, target_modules = "all-linear"}
print(policy)

local function reward(row, completion) return completion.text == row.answer and 1 or 0 end

local function accuracy(model)
  return apo.evaluate{model = model, data = test, reward = reward, n = 4, temperature = 1,
                      max_tokens = 6, quiet = true}.mean
end

local values = apo.estimate_values{                        -- stage 1, of the base model
  model = policy, adapter = false, data = train, reward = reward, n = 8, beta = 0.5, max_tokens = 6,
}
apo.train{                                                 -- stage 2; the reference is the base
  policy = policy, data = train, values = values, reward = reward,
  beta = 1e-3, lr = 2e-3, batch_size = 64, epochs = 100, max_steps = steps, max_tokens = 6,
  log_every = 8,
}
print(("accuracy: base %.3f, with the adapter %.3f"):format(
  accuracy(policy:base_model()), accuracy(policy)))

-- only the adapter; policy:save writes a merged model
policy:save_adapter(folder)
local again = apo.load(here .. "models/arithmetic"):load_adapter(folder)
print("loaded again, it is the same:", again:checksum() == policy:checksum())
