-- LoRA adapters as scripts see them. Comparisons with PEFT are in LoRAReferenceTests.swift.

local apo, check = require "apo", require "check"
local test, eq, close, raises = check.test, check.eq, check.close, check.raises

local function model(changes)
  local config = {
    model_type = "qwen2", hidden_size = 16, num_hidden_layers = 2, num_attention_heads = 4,
    num_key_value_heads = 2, intermediate_size = 24, max_position_embeddings = 96,
    tie_word_embeddings = true, initializer_range = 0.5, seed = 1,
    tokenizer = apo.char_tokenizer{alphabet = "0123456789+="},
  }
  for key, value in pairs(changes or {}) do config[key] = value end
  return apo.new_model(config)
end

local gpt2 = {model_type = "gpt2", n_embd = 16, n_layer = 2, n_head = 4, n_positions = 96}

-- An adapter that changes what the model computes: B is not zero.
local function adapted(options, changes)
  local policy = model(changes)
  options = options or {}
  options.seed = options.seed or 1
  policy:add_adapter(options)
  apo.seed(5)
  apo.no_grad(function()
    for name, tensor in policy:named_parameters() do
      if name:find("lora_B", 1, true) then tensor:copy_(apo.randn(table.unpack(tensor:shape())) * 0.3) end
    end
  end)
  return policy
end

local function names(policy)
  local list = {}
  for name in policy:named_parameters() do list[#list + 1] = name end
  return list
end

local function trained(policy)
  local rollout = policy:generate({"1+2=", "34"}, {max_tokens = 5, seed = 1, step = 1})
  local optimizer = apo.optim.adamw(policy, {lr = 0.01})
  policy:logprobs(rollout):mean():backward()
  optimizer:step{max_grad_norm = 1}
  return policy, optimizer
end

test("a new adapter changes nothing yet and is all that is trained", function()
  local policy = model()
  local ids, before, count = {1, 2, 3}, policy:logits{1, 2, 3}, policy:num_parameters()
  local sum = policy:checksum()
  eq(policy.adapter, nil)
  assert(policy:add_adapter{r = 4, lora_alpha = 8} == policy)
  eq(policy:logits(ids), before)
  eq({policy.adapter.r, policy.adapter.lora_alpha, policy.adapter.target_modules}, {4, 8, nil})
  local list = names(policy)
  eq(#list, 2 * 2 * 2)
  eq(list[1], "base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight")
  eq(list[8], "base_model.model.model.layers.1.self_attn.v_proj.lora_B.weight")
  local a, b = policy:parameter(list[1]), policy:parameter(list[2])
  eq({a:shape(), b:shape(), b:abs():max():item()}, {{4, 16}, {16, 4}, 0})
  local largest = a:abs():max():item()   -- uniform in ±1/sqrt(16)
  assert(largest < 0.25 and largest > 0.2, largest)
  assert(math.abs(a:mean():item()) < 0.06)
  assert(not policy:parameter("model.norm.weight").requires_grad and a.requires_grad)
  local of_adapter = 2 * (4 * 16 + 16 * 4 + 4 * 16 + 8 * 4)
  eq(policy:num_parameters(), count + of_adapter)
  eq(tostring(policy), ("apo.Model qwen2, %d weights, of which %d of a LoRA adapter are trained")
    :format(count + of_adapter, of_adapter))
  assert(policy:checksum() ~= sum)
  eq(policy:base_model():checksum(), sum)
  trained(policy)
  eq(policy:base_model():checksum(), sum)
  assert(b:abs():max():item() > 0)
  eq(policy:parameter("model.norm.weight").grad, nil)
end)

test("the seed decides", function()
  local function sum(seed) return model():add_adapter{seed = seed}:checksum() end
  eq(sum(1), sum(1))
  assert(sum(1) ~= sum(2))
  apo.seed(3)
  local first = sum()
  assert(sum() ~= first)
  apo.seed(3)
  eq(sum(), first)
end)

test("targets, patterns and scales", function()
  eq(#names(model():add_adapter{target_modules = "all-linear"}), 2 * 2 * 7)
  eq(#names(model(gpt2):add_adapter{}), 2 * 2)
  eq(names(model(gpt2):add_adapter{target_modules = {"mlp.c_proj"}})[1],
    "base_model.model.transformer.h.0.mlp.c_proj.lora_A.weight")
  eq(#names(model(gpt2):add_adapter{target_modules = {"c_proj", "c_fc", "c_attn"}}), 2 * 2 * 4)
  local one = {"model.layers.1.mlp.up_proj"}
  eq(#names(model():add_adapter{target_modules = one}), 2)
  local mixed = model():add_adapter{target_modules = {"q_proj", "o_proj"}, r = 4,
    rank_pattern = {["layers.1.self_attn.o_proj"] = 2}}
  local list = names(mixed)
  eq(mixed:parameter(list[3]):shape(), {4, 16})
  eq(mixed:parameter(list[7]):shape(), {2, 16})
  -- The same factors: alpha 8 of r 4, rank-stabilised alpha 4, and a pattern with 8 of alpha 1.
  local function logits(options)
    options.r, options.target_modules = 4, {"q_proj"}
    return adapted(options):logits{1, 2, 3}
  end
  local twice = logits{lora_alpha = 8}
  eq(logits{lora_alpha = 4, use_rslora = true}, twice)
  eq(logits{lora_alpha = 1, alpha_pattern = {q_proj = 8}}, twice)
  assert((logits{lora_alpha = 4} - twice):abs():max():item() > 1e-3)
end)

for family, changes in pairs{qwen2 = {}, gpt2 = gpt2} do
  test("sampled log-probabilities are the scored ones, alone and in a batch: " .. family, function()
    local policy = adapted({r = 3, target_modules = "all-linear"}, changes)
    local prompts = {}
    for i = 1, 30 do prompts[i] = {prompt = ("%d+%d="):format(i * 7, 1000 // i)} end
    local options = {n = 3, max_tokens = 70, temperature = 0.9, seed = 3, step = 1}
    local rollout = policy:generate(apo.dataset(prompts), options)
    eq(policy:logprobs(rollout, {per_token = true}), rollout:logprobs{per_token = true})
    local row = apo.dataset(prompts)[11]
    local alone = policy:generate({row}, options)
    for k = 1, 3 do
      eq(alone[k].ids, rollout[10 * 3 + k].ids)
      eq(alone[k].logprob, rollout[10 * 3 + k].logprob)
    end
  end)

  test("without the adapter the model is its base: " .. family, function()
    local policy = adapted({target_modules = "all-linear"}, changes)
    local base = model(changes)
    local rollout = policy:generate({"1+2=", "34"}, {max_tokens = 9, seed = 1, step = 1})
    local logp = policy:logprobs(rollout, {adapter = false})
    eq(logp, base:logprobs(rollout))
    assert(not logp.requires_grad)
    eq(policy:base_model():logprobs(rollout), logp)
    assert((policy:logprobs(rollout) - logp):abs():max():item() > 1e-2)
    local options = {max_tokens = 9, seed = 2, step = 1, adapter = false}
    local plain, own = policy:generate({"1+2=", "34"}, options), {max_tokens = 9, seed = 2, step = 1}
    eq(plain[2].ids, base:generate({"1+2=", "34"}, own)[2].ids)
    eq(base:generate({"1+2="}, options)[1].ids, plain[1].ids)   -- a model without an adapter
  end)

  test("merged it computes the same, up to rounding: " .. family, function()
    local policy = adapted({target_modules = "all-linear", r = 2}, changes)
    local base, logits = policy:base_model(), policy:logits{1, 2, 3}
    local before, folder = base:checksum(), temporary .. "/merged"
    policy:save(folder)
    local loaded = apo.load(folder)
    eq(loaded.adapter, nil)
    close(loaded:logits{1, 2, 3}, logits)
    assert(policy.adapter, "saving changes nothing")
    eq(policy:logits{1, 2, 3}, logits)
    assert(policy:merge_adapter() == policy)
    eq({policy.adapter, policy:checksum()}, {nil, loaded:checksum()})
    trained(policy)
    eq(base:checksum(), before)
  end)

  test("a saved adapter is the same when it is loaded: " .. family, function()
    local policy, folder = adapted({r = 5, lora_alpha = 7.5, target_modules = "all-linear"}, changes),
      temporary .. "/adapter"
    policy:save_adapter(folder)
    local loaded = model(changes):load_adapter(folder)
    eq(loaded:checksum(), policy:checksum())
    eq(loaded:logits{1, 2, 3}, policy:logits{1, 2, 3})
    eq(loaded.adapter.fan_in_fan_out, family == "gpt2")
    assert(loaded:parameters()[1].requires_grad)
    policy:save_adapter(folder, {dtype = "bfloat16"})
    close(model(changes):load_adapter(folder):logits{1, 2, 3}, policy:logits{1, 2, 3}, 0.1)
  end)
end

test("micro-batches give the same gradients", function()
  local function gradients(micro_batch)
    local policy = adapted{target_modules = "all-linear"}
    local rollout = policy:generate({"1+2=", "34", "5"}, {max_tokens = 7, seed = 1, step = 1})
    policy:logprobs(rollout, {micro_batch = micro_batch}):sum():backward()
    local list = {}
    for i, tensor in ipairs(policy:parameters()) do list[i] = tensor.grad:totable() end
    return list
  end
  local whole, parts = gradients(), gradients(1)
  for i = 1, #whole do close(parts[i], whole[i], 1e-4) end
end)

test("a clone has an adapter of its own, and two adapters share a base", function()
  local policy = adapted()
  local copy = policy:clone()
  eq(copy:checksum(), policy:checksum())
  trained(policy)
  assert(copy:checksum() ~= policy:checksum())
  assert(copy:parameters()[1].requires_grad)
  assert(not copy:freeze():parameters()[1].requires_grad)
  local other = policy:base_model():add_adapter{r = 2}
  local sum = policy:checksum()
  trained(other)
  eq(policy:checksum(), sum)
end)

test("an adapter takes its own memory and no more", function()
  local policy = model()
  policy:generate({{1, 2, 3}}, {max_tokens = 1})       -- packs the base's weights
  collectgarbage()
  local before = storage_bytes()
  policy:add_adapter{r = 4}
  local bytes = 4 * 2 * (4 * 16 + 16 * 4 + 4 * 16 + 8 * 4)
  eq(storage_bytes() - before, bytes)
  local _, optimizer = trained(policy)
  local reference = policy:base_model()
  reference:logits{1, 2, 3}
  collectgarbage()
  collectgarbage()
  -- The factors, AdamW's two averages, and the factors packed for products, whose rows are padded to 32.
  local packed = 4 * 2 * (32 * 16 + 32 * 4 + 32 * 16 + 32 * 4)
  assert(storage_bytes() - before <= 3 * bytes + packed, storage_bytes() - before)
  eq(optimizer.steps, 1)
end)

test("mistakes", function()
  local policy = model()
  raises("add_adapter: unknown option 'rank'", function() policy:add_adapter{rank = 8} end)
  raises("add_adapter: option 'r'", function() policy:add_adapter{r = 0} end)
  raises("add_adapter: field 'lora_alpha' must be a positive number, got -1.0",
    function() policy:add_adapter{lora_alpha = -1} end)
  raises("option 'lora_alpha' must be a positive number, got inf",
    function() policy:add_adapter{lora_alpha = math.huge} end)
  raises("add_adapter: field 'target_modules': 'c_attn' names no linear map of this model (it has "
    .. "down_proj, gate_proj, k_proj, o_proj, q_proj, up_proj, v_proj)",
    function() policy:add_adapter{target_modules = {"q_proj", "c_attn"}} end)
  raises("add_adapter: field 'rank_pattern': 'nope' names no linear map of this model",
    function() policy:add_adapter{rank_pattern = {nope = 4}} end)
  raises([[field 'target_modules' must be a list of names or "all-linear", got ".*proj"]],
    function() policy:add_adapter{target_modules = ".*proj"} end)
  raises("'lm_head' is no linear map of a layer; adapters of embeddings and of the output layer",
    function() policy:add_adapter{target_modules = {"q_proj", "lm_head"}} end)
  raises("field 'rank_pattern' has the key '^q_proj'; regular expressions are not supported",
    function() policy:add_adapter{rank_pattern = {["^q_proj"] = 2}} end)
  raises("field 'rank_pattern.q_proj' must be a positive integer, got \"2\"",
    function() policy:add_adapter{rank_pattern = {q_proj = "2"}} end)
  for _, name in ipairs{"save_adapter", "merge_adapter", "base_model"} do
    raises(name .. ": the model has no adapter; see add_adapter and load_adapter",
      function() policy[name](policy, temporary .. "/no") end)
  end
  policy:add_adapter()
  raises("add_adapter: the model already has an adapter", function() policy:add_adapter() end)
  raises("load_adapter: the model already has an adapter",
    function() policy:load_adapter(temporary) end)
end)

-- Files that are refused.
local folder = temporary .. "/bad"
adapted{r = 4}:save_adapter(folder)
local good = apo.json.read(folder .. "/adapter_config.json")

local function with(changes)
  local config = {}
  for key, value in pairs(good) do config[key] = value end
  for key, value in pairs(changes) do config[key] = value end
  apo.json.write(folder .. "/adapter_config.json", config)
  return function() model():load_adapter(folder) end
end

test("settings that would need another formula are refused by name", function()
  local path = folder .. "/adapter_config.json: field "
  for field, value in pairs{
    use_dora = true, modules_to_save = {"lm_head"}, layers_to_transform = {0}, lora_bias = true,
    exclude_modules = {"q_proj"}, trainable_token_indices = {1}, layer_replication = {{0, 1}},
    megatron_config = {a = 1}, loftq_config = {a = 1}, eva_config = {a = 1}, use_qalora = true,
    target_parameters = {"a"}, something_new = 3,
  } do
    raises(path .. ("'%s' "):format(field), with{[field] = value})
    raises(" is not supported", with{[field] = value})
  end
  raises(path .. "'peft_type' 'IA3' is not supported (supported: LORA)", with{peft_type = "IA3"})
  raises(path .. "'task_type' 'SEQ_CLS' is not supported", with{task_type = "SEQ_CLS"})
  raises(path .. "'bias' 'all' is not supported (supported: none)", with{bias = "all"})
  raises(path .. [['init_lora_weights' "pissa" is not supported (supported: true, false, ]],
    with{init_lora_weights = "pissa"})
  raises(path .. "'r' must be a positive integer", with{r = "4"})
  raises(path .. "'lora_alpha' must be a number", with{lora_alpha = "8"})
  raises(path .. "'target_modules' must be a list of names", with{target_modules = {1}})
  -- What changes nothing is passed over.
  with{lora_dropout = 0.1, use_dora = false, modules_to_save = {}, init_lora_weights = "gaussian"}()
end)

test("tensors must be those that the settings describe", function()
  local file = folder .. "/adapter_model.safetensors: "
  raises(file .. "tensor 'base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight' has shape "
    .. "[4, 16], [8, 16] expected from this model and adapter_config.json", with{r = 8})
  raises(file .. "tensor 'base_model.model.model.layers.0.self_attn.k_proj.lora_A.weight' is missing",
    with{target_modules = {"q_proj", "k_proj", "v_proj"}})
  raises(file .. "4 tensors have no place in this model with the adapter that adapter_config.json "
    .. "describes: 'base_model.model.model.layers.0.self_attn.v_proj.lora_A.weight'",
    with{target_modules = {"q_proj"}})
  with{}()
  raises("'base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight' has shape [4, 16], "
    .. "[4, 24] expected", function()
      model{hidden_size = 24}:load_adapter(folder)
    end)
  raises("no/adapter_config.json", function() model():load_adapter(temporary .. "/no") end)
  raises("holds an adapter and no model: load its base model, then model:load_adapter(folder)",
    function() apo.load(folder) end)
end)

test("damaged settings are read or refused", function()
  with{rank_pattern = {q_proj = 2}, alpha_pattern = {v_proj = 3}}
  local path, base = folder .. "/adapter_config.json", adapted():base_model()
  local file = assert(io.open(path, "rb"))
  local text = file:read("a")
  file:close()
  local words = {"-1", "1e999", "9223372036854775807", "null", "[]", "{}", '"', "[[", ",", "0.5", "\0"}
  local random, refused = apo.rand(300, 4):totable(), 0
  for _, draw in ipairs(random) do
    local first = 1 + draw[1] * #text // 1 | 0
    local last = first + (draw[2] * 8 // 1 | 0) - 1
    local word = words[1 + (draw[3] * #words // 1 | 0)]
    file = assert(io.open(path, "wb"))
    file:write(text:sub(1, first - 1), draw[4] < 0.7 and word or "", text:sub(last + 1))
    file:close()
    local ok, message = pcall(function() base:clone():load_adapter(folder) end)
    if not ok then
      refused = refused + 1
      assert(tostring(message):find(folder, 1, true), message)
    end
  end
  assert(refused > 150, refused)
end)
