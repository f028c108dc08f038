-- Names of 200 kB, all of them combining marks. Compared as Unicode has it, by bringing the
-- marks into order first, one look-up takes many seconds; compared by bytes, a moment.
local spec = ...
local apo = require "apo"
local raises = spec.raises
local name = "x" .. ("\u{301}\u{323}\u{345}\u{334}"):rep(25000)

-- Keys and values of JSON, in any order.
local text = apo.json.encode({[name] = 1, [name .. "y"] = {name}, a = 2}, {order = {name .. "y", "b"}})
assert(text:sub(1, 10) == '{"' .. name:sub(1, 8) and text:find('"a":2', 1, true))
local back = apo.json.decode(text)
assert(back[name] == 1 and back[name .. "y"][1] == name and back.a == 2)
-- Letters that look alike are two keys.
assert(apo.json.encode{["\u{e9}"] = 1, ["e\u{301}"] = 2} == '{"e\u{301}":2,"\u{e9}":1}')

-- Options, and what one may be.
raises("unknown option", apo.json.encode, {}, {[name] = 1})
raises("expected, got", apo.optimal_value, {1}, 1, name)
local model = apo.load(spec.fixtures .. "/models/tiny-llama-mha")
raises("must be one of", model.clone, model, {dtype = name})
raises("has no", model.parameter, model, name)
assert(model.tokenizer == nil or model.tokenizer:id(name) == nil)

-- Columns of rows.
spec.write(spec.folder .. "/names.csv", "prompt," .. name .. "," .. name .. "y\na,b,c\n")
local row = apo.dataset(spec.folder .. "/names.csv")[1]
assert(row[name] == "b" and row[name .. "y"] == "c")
spec.write(spec.folder .. "/names.jsonl", apo.json.encode{prompt = "a", [name] = 1, [name .. "y"] = 2})
row = apo.dataset(spec.folder .. "/names.jsonl")[1]
assert(row[name] == 1 and row[name .. "y"] == 2)

-- Messages, tools and variables of chat templates.
local tokenizer = apo.char_tokenizer{alphabet = "ab"}
local function render(template, messages, options)
  options = options or {}
  options.chat_template, options.tokenize = template, false
  return tokenizer:apply_chat_template(messages, options)
end
local user = {{role = "user", content = name, [name] = 1, [name .. "y"] = 2}}
assert(render("{{ messages[0].content == 'user' }}", user) == "False")
assert(render("{{ messages[0][messages[0].content] }}{{ messages[0] | length }}", user) == "14")
assert(render("{% set d = {messages[0].content: 3} %}{{ d[messages[0].content] }}", user) == "3")
assert(render("{{ messages[0].content | int }}{{ messages[0].content | float }}", user) == "00.0")
assert(render("{% if messages[0].role == 'user' %}a{% else %}b{% endif %}", {{role = name, content = ""}}) == "b")
assert(render("a", user, {chat_template_kwargs = {[name] = 1}}) == "a")
local tool = {type = "function", [name] = 1, ["function"] = {name = name, parameters = {[name] = 1}}}
assert(#render("{{ tools | tojson }}", user, {tools = {tool}}) > 3 * #name)

-- Files of models.
local config = {model_type = "llama", hidden_size = 64, num_hidden_layers = 1, num_attention_heads = 2,
                intermediate_size = 64, vocab_size = 10}
local function new(key, value)
  local changed = {[key] = value}
  for k, v in pairs(config) do if k ~= key then changed[k] = v end end
  return apo.new_model, changed
end
raises("a name of " .. #name .. " bytes; at most 1024 expected", new(name, 1))
raises("model_type", new("model_type", name))
raises("hidden_act", new("hidden_act", name))
raises("rope_type", new("rope_scaling", {rope_type = name, factor = 2}))
local folder = spec.folder .. "/named"
apo.system.make_folder(folder)
local function tokenizer_with(key, value)
  local file = {model = {type = "BPE", vocab = {a = 0}, merges = {}}}
  file[key] = value
  apo.json.write(folder .. "/tokenizer.json", file)
  return apo.tokenizer, folder
end
for key, value in pairs{
  normalizer = {type = name}, pre_tokenizer = {type = name}, decoder = {type = name},
  post_processor = {type = name}, model = {type = name, vocab = {a = 0}, merges = {}},
} do raises("tokenizer.json: field '" .. key, tokenizer_with(key, value)) end
raises("pre_tokenizer", tokenizer_with("pre_tokenizer", {
  type = "Split", pattern = {Regex = "\\p{" .. name .. "}"}, behavior = "Removed", invert = false}))
local function weights(entries)
  local header = apo.json.encode(entries)
  spec.write(folder .. "/model.safetensors", string.pack("<I8", #header) .. header .. ("\0"):rep(4))
  return apo.load, folder
end
spec.write(folder .. "/config.json", apo.json.encode(config))
os.remove(folder .. "/tokenizer.json")
raises("a name of " .. #name .. " bytes", weights{[name] = {dtype = "F32", shape = {1}, data_offsets = {0, 4}}})
raises("unknown dtype", weights{a = {dtype = name, shape = {1}, data_offsets = {0, 4}}})
raises("a name of " .. #name .. " bytes", weights{__metadata__ = {[name] = "a"}})
