-- Tokenizers as scripts see them.

local apo, check = require "apo", require "check"
local test, eq, raises = check.test, check.eq, check.raises

test("a tokenizer of characters", function()
  local tok = apo.char_tokenizer{alphabet = "0123456789+="}
  eq(#tok, 13)
  eq(tok.eos_id, 0)
  eq(tok.bos_id, nil)
  eq(tok.pad_id, nil)
  eq(tok:encode("12+3="), {2, 3, 11, 4, 12})
  eq(tok:encode("1?2"), {2, 3})
  eq(tok:decode{2, 3, 0}, "12<eos>")
  eq(tok:decode({2, 3, 0}, {skip_special_tokens = true}), "12")
  eq(tok:encode("1<eos>"), {2, 0})
  eq(tok:token(11), "+")
  eq(tok:id("="), 12)
  eq(tok:id("x"), nil)
  assert(tok:is_special(0) and not tok:is_special(2))
  eq(tostring(tok), "apo.Tokenizer of 13 tokens")
  local other = apo.char_tokenizer{
    alphabet = "aé😀", eos = "</s>", bos = "<s>", pad = "</s>", unknown = "<unk>"}
  eq({other.eos_id, other.bos_id, other.pad_id}, {0, 1, 0})
  eq(other:encode("é😀z", {add_special_tokens = false}), {4, 5, 2})
end)

test("faults", function()
  local tok = apo.char_tokenizer{alphabet = "ab"}
  eq(tok:decode{1, 9, 2}, "ab")  -- a row of padded embeddings
  eq(tok:decode({1, 9, 0, 2}, {skip_special_tokens = true}), "ab")
  raises("token ids are from 0 to 4294967295, got -1", function() tok:decode{-1} end)
  raises("token ids are from 0 to 4294967295, got 4294967296", function() tok:decode{1 << 32} end)
  raises("there is no token", function() tok:token(math.maxinteger) end)
  raises("list of integers expected, got 1.5 at position 1", function() tok:decode{1.5} end)
  raises("bad argument #1 to 'encode' (string expected, got number)", function() tok:encode(5) end)
  raises("not valid UTF-8", function() tok:encode("\xFF") end)
  raises("encode: unknown option 'special'", function() tok:encode("a", {special = true}) end)
  raises("comes twice", apo.char_tokenizer, {alphabet = "aa"})
  raises("char_tokenizer: option 'alphabet' is missing (a string)", apo.char_tokenizer, {})
  for _, name in ipairs{"alphabet", "eos", "bos", "pad", "unknown"} do
    local options = {alphabet = "ab", [name] = "\xFF"}
    raises("char_tokenizer: option '" .. name .. "' is not valid UTF-8", apo.char_tokenizer, options)
  end
  raises("no/such/tokenizer.json", apo.tokenizer, "no/such")
  raises("apo.Tokenizer has no field 'eos'", function() return tok.eos end)
end)

test("a tokenizer's file may have any name", function()
  local tok = apo.char_tokenizer{alphabet = "0123456789+="}
  for _, folder in ipairs{temporary .. "/model", temporary .. "/model.json"} do
    apo.new_model{
      model_type = "llama", hidden_size = 8, num_hidden_layers = 1, num_attention_heads = 2,
      intermediate_size = 8, tokenizer = tok}:save(folder)
    eq(apo.tokenizer(folder):encode("12"), {2, 3})
    local text = apo.system.read_file(folder .. "/tokenizer.json")
    for _, name in ipairs{"x.json", "tokenizer.txt"} do
      apo.system.write_file(folder .. "/" .. name, text)
      local read = apo.tokenizer(folder .. "/" .. name)
      eq(read:encode("12"), {2, 3})
      eq(read.eos_id, 0)
    end
  end
  raises("no/x.json: cannot be opened", apo.tokenizer, "no/x.json")
end)

test("paths that are none", function()
  local system = apo.system
  local optimizer = apo.optim.adamw{apo.ones(1):requires_grad_()}
  local functions = {
    apo.load, apo.tokenizer, apo.dataset, apo.json.read, apo.json.read_lines,
    system.exists, system.size, system.list, system.make_folder, system.remove_folder,
    function(path) optimizer:save(path) end, function(path) optimizer:load(path) end,
    function(path) system.write_file(path, "") end,
    function(path) system.rename("a", path) end, function(path) apo.json.write(path, {}) end,
  }
  for _, f in ipairs(functions) do
    raises("a path must not contain NUL bytes", f, "a\0b.jsonl")
    raises("a path must not be empty", f, "")
  end
  local text, reason = system.read_file("a\0b")
  eq(text, nil)
  assert(reason:find("a path must not contain NUL bytes", 1, true), reason)
  raises("new_model: field 'tokenizer': a path must not be empty", apo.new_model, {tokenizer = ""})
end)

if shared then
  test("the tokenizer of a model folder or a file", function()
    local folder = shared .. "/models/stories260K"
    local tok, same = apo.tokenizer(folder), apo.tokenizer(folder .. "/tokenizer.json")
    eq(#tok, 512)
    eq(tok.bos_id, 1)
    local ids = tok:encode("Once upon a time")
    eq(ids[1], 1)
    eq(same:encode("Once upon a time"), ids)
    eq(tok:decode(ids, {skip_special_tokens = true}), "Once upon a time")
    eq(#tok:encode("Once upon a time", {add_special_tokens = false}), #ids - 1)
    assert(apo.load(folder).tokenizer:encode("x")[1] == 1)
  end)
end
