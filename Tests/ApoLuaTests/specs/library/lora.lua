-- Training an adapter: what the reference is, checkpoints, and that a killed run goes on.
local spec = ...
local apo = require "apo"
local equal, raises = spec.equal, spec.raises

local rows = {}
for i = 1, 12 do rows[i] = {prompt = ("%d+%d="):format(i, 2 * i)} end
local data = apo.dataset(rows)
local function reward(_, completion) return #completion.text % 3 / 2 end

local function base()
  return apo.new_model{
    model_type = "llama", hidden_size = 16, num_hidden_layers = 2, num_attention_heads = 4,
    intermediate_size = 24, max_position_embeddings = 32, initializer_range = 0.3, seed = 1,
    tokenizer = apo.char_tokenizer{alphabet = "0123456789+="},
  }
end

local function train(changes)
  local policy = base():add_adapter{r = 4, target_modules = "all-linear", seed = 2}
  local options = {
    policy = policy, data = data, reward = reward, beta = 1e-2, lr = 3e-3, batch_size = 4,
    epochs = 2, max_tokens = 6, seed = 7, quiet = true,
    values = apo.estimate_values{
      model = policy, adapter = false, data = data, reward = reward, n = 4, max_tokens = 6, seed = 7,
      quiet = true,
    },
  }
  for name, value in pairs(changes) do options[name] = value end
  return apo.train(options), policy
end

-- The base is the reference, and stays as it was.
local seen
local result, policy = train{dir = spec.folder .. "/one", loss = function(b)
  seen = b.reference
  return ((b.beta * (b.logp - b.ref_logp) - b.target) ^ 2):mean()
end}
equal(seen:checksum(), base():checksum())
equal(policy:base_model():checksum(), base():checksum())
equal(result.history[1].kl, 0.0)
assert(result.metrics.kl ~= 0)
equal(result.metrics["sampling/sampling_logp_difference/max"], 0.0)

-- The checkpoint is the adapter alone.
equal(apo.system.list(result.checkpoint .. "/policy"),
  {"adapter_config.json", "adapter_model.safetensors"})
equal(base():load_adapter(result.checkpoint .. "/policy"):checksum(), policy:checksum())

-- Killed and resumed: the same bytes.
local function run(dir, changes)
  changes.dir, changes.save_every = spec.folder .. dir, 2
  return train(changes)
end
local whole, whole_policy = run("/whole", {})
raises("killed", run, "/killed", {on_step = function(record)
  if record.step == 5 then error("killed") end
end})
local resumed, resumed_policy = run("/killed", {resume = true})
equal(resumed_policy:checksum(), whole_policy:checksum())
for _, name in ipairs{"policy/adapter_model.safetensors", "optimizer.safetensors"} do
  assert(spec.read(whole.checkpoint .. "/" .. name) == spec.read(resumed.checkpoint .. "/" .. name))
end

-- Values without the adapter are those of the base model.
local options = {data = data, reward = reward, n = 4, max_tokens = 6, seed = 7, quiet = true}
options.model = base()
local plain = apo.estimate_values(options):of(rows):totable()
options.model, options.adapter = policy, false
equal(apo.estimate_values(options):of(rows):totable(), plain)

raises("the reference must be a copy: policy:base_model()", function()
  train{reference = policy, policy = policy}
end)
