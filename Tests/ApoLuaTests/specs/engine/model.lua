-- Models as scripts see them: making, files, weights, logits.

local apo, check = require "apo", require "check"
local test, eq, close, raises = check.test, check.eq, check.close, check.raises

local function config(changes)
  local result = {
    model_type = "qwen2", hidden_size = 16, num_hidden_layers = 2, num_attention_heads = 4,
    num_key_value_heads = 2, intermediate_size = 24, max_position_embeddings = 32,
    tie_word_embeddings = true, tokenizer = apo.char_tokenizer{alphabet = "0123456789+="},
  }
  for key, value in pairs(changes or {}) do result[key] = value end
  return result
end

test("a new model", function()
  local model = apo.new_model(config())
  eq(model.config.vocab_size, 13)
  eq(model.config.eos_token_id, 0)
  eq(model.config.model_type, "qwen2")
  eq(model.config.tokenizer, nil)
  eq(model.config.architectures, {"Qwen2ForCausalLM"})
  eq(model.path, nil)
  eq(#model.tokenizer, 13)
  local count, names = 0, {}
  for name, tensor in model:named_parameters() do
    count = count + tensor:numel()
    names[#names + 1] = name
    assert(tensor.requires_grad)
  end
  eq(count, model:num_parameters())
  eq(#names, #model:parameters())
  eq(names[1], "model.embed_tokens.weight")
  eq(model:parameter("model.norm.weight"), apo.ones(16))
  assert(model:parameter(names[1]) == model:parameters()[1])
  assert(tostring(model):find("apo.Model qwen2", 1, true))
end)

test("a new model's file says that it has no padding token", function()
  local folder = temporary .. "/padding"
  local tokenizer = apo.char_tokenizer{alphabet = "01"}
  apo.new_model(config{model_type = "smollm3", tokenizer = tokenizer}):save(folder)
  local text = io.open(folder .. "/config.json"):read("a")
  assert(text:find('"pad_token_id": null', 1, true), text)
  eq(apo.load(folder).config.pad_token_id, nil)
end)

test("weights come from the seed", function()
  local a = apo.new_model(config{seed = 1})
  eq(apo.new_model(config{seed = 1}):checksum(), a:checksum())
  assert(apo.new_model(config{seed = 2}):checksum() ~= a:checksum())
  apo.seed(3)
  local b, c = apo.new_model(config()):checksum(), apo.new_model(config()):checksum()
  assert(b ~= c)
  apo.seed(3)
  eq(apo.new_model(config()):checksum(), b)
  eq(#b, 16)
end)

test("clone and freeze", function()
  local model = apo.new_model(config())
  local copy = model:clone():freeze()
  eq(copy:checksum(), model:checksum())
  assert(not copy:parameter("model.norm.weight").requires_grad)
  apo.no_grad(function() model:parameter("model.norm.weight"):fill_(2) end)
  assert(copy:checksum() ~= model:checksum())
  assert(copy:clone():parameter("model.norm.weight").requires_grad)
end)

test("a saved model is the same when it is loaded", function()
  local model = apo.new_model(config())
  local folder = temporary .. "/a/model"
  model:save(folder)
  local loaded = apo.load(folder)
  eq(loaded:checksum(), model:checksum())
  eq(loaded.path, folder)
  eq(loaded.config.torch_dtype, "float32")
  eq(loaded.tokenizer:encode("1+2="), model.tokenizer:encode("1+2="))
  eq(loaded.tokenizer.eos_id, 0)
  eq(loaded:logits{1, 2, 3}, model:logits{1, 2, 3})
  model:save(folder, {dtype = "bfloat16"})
  local rounded = apo.load(folder)
  eq(rounded.config.torch_dtype, "bfloat16")
  close(rounded:logits{1, 2, 3}, model:logits{1, 2, 3}, 0.01)
  raises("save: option 'dtype' must be one of 'float32', 'bfloat16', 'float16', got 'float8'",
    function() model:save(folder, {dtype = "float8"}) end)
  raises("config.json", function() model:save(folder .. "/config.json") end)
end)

test("logits", function()
  local model = apo.new_model(config())
  eq(model:logits{1, 2, 3}:shape(), {3, 13})
  model:logits({1, 2, 3})[3][5]:backward()
  assert(model:parameter("model.norm.weight").grad:abs():sum():item() > 0)
  raises("token id 13 at position 2 is outside of 0..12", function() model:logits{1, 13} end)
  raises("token id -1 at position 1", function() model:logits{-1} end)
  raises("logits: at least one token id expected", function() model:logits{} end)
  raises("list of integers expected", function() model:logits{"a"} end)
  raises("bad argument #1 to 'logits'", function() model:logits("1+1=") end)
  local long = {}
  for i = 1, 33 do long[i] = 1 end
  raises("logits: the sequence has 33 tokens and the model's context is 32",
    function() model:logits(long) end)
end)

test("faults of configurations", function()
  local function fails(text, changes) raises(text, apo.new_model, config(changes)) end
  fails("new_model: field 'model_type' 'gpt_neox' is not supported (supported: gpt2, llama, mistral, olmo2, qwen2, qwen3, smollm3)", {model_type = "gpt_neox"})
  fails("hidden_size", {hidden_size = -1})
  fails("hidden_size", {hidden_size = 1.5})
  fails("hidden_size", {hidden_size = "16"})
  fails("num_hidden_layers", {num_hidden_layers = 2 ^ 53})
  fails("new_model: vocab_size is 5 and the tokenizer has 13 tokens", {vocab_size = 5})
  fails("new_model: field 'tokenizer' must be an apo.Tokenizer or a path, got number", {tokenizer = 5})
  fails("no/such", {tokenizer = "no/such"})
  fails("new_model: field 'seed' must be an integer, got string", {seed = "x"})
  fails("cannot be written as JSON", {rms_norm_eps = 0 / 0})
  fails("cannot be written as JSON", {extra = print})
  fails("of memory needed", {hidden_size = 2 ^ 18, head_dim = 64, intermediate_size = 2 ^ 20, num_hidden_layers = 4096})
  raises("hidden_size", apo.new_model, {model_type = "llama", vocab_size = 5})
  raises("new_model: field 'model_type' is missing", apo.new_model, {})
  raises("new_model: the keys of a config.json expected, got a list", apo.new_model, {1})
  raises("new_model: field 'model_type' is missing", apo.new_model, {hidden_size = 5})
  raises("bad argument #1 to 'new_model'", apo.new_model)
  raises("no/such: there is no such folder", apo.load, "no/such")
  local model = apo.new_model(config())
  raises("parameter: the model has no 'model.norm.wieght'; did you mean 'model.norm.weight'?",
    function() model:parameter("model.norm.wieght") end)
  raises("apo.Model has no field 'genrate' (did you mean 'generate'?)", function() model:genrate() end)
end)

if shared then
  test("a loaded model computes the stored results", function()
    local model = apo.load(shared .. "/models/tiny-qwen2-tied")
    local reference = apo.json.read(shared .. "/models/tiny-qwen2-tied/ref/ref.json")
    local text = reference.text[1] or reference.text
    local ids = text.prompt and model.tokenizer:encode(text.prompt) or nil
    if ids and text.ids then eq(ids, text.ids) end
    assert(model:num_parameters() > 1000)
  end)

  test("damaged folders are refused with file and reason", function()
    local source = shared .. "/models/tiny-qwen2-tied"
    local copy = temporary .. "/damaged"
    apo.load(source):save(copy)
    local weights = io.open(copy .. "/model.safetensors", "rb"):read("a")
    local function write(name, text)
      local file = assert(io.open(copy .. "/" .. name, "wb"))
      file:write(text)
      file:close()
    end
    write("model.safetensors", weights:sub(1, 1000))
    raises("model.safetensors: ", apo.load, copy)
    write("model.safetensors", ("\xFF"):rep(8) .. weights)
    raises("model.safetensors: ", apo.load, copy)
    write("model.safetensors", weights)
    write("tokenizer.json", "{}")
    raises("tokenizer.json: field 'model' is missing", apo.load, copy)
    os.remove(copy .. "/tokenizer.json")
    local bare = apo.load(copy)
    eq(bare.tokenizer, nil)
    raises("generate: prompt 1: a text needs a tokenizer, and the model has none "
      .. "(there is no tokenizer.json in " .. copy .. ")", function() bare:generate("x") end)
    write("config.json", '{"model_type": "qwen2"')
    raises("config.json: ", apo.load, copy)
  end)
end
