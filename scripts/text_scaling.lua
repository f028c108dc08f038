-- What scripts/text-scaling measures: each function on each text at three lengths. A line for every
-- pair whose time grew more than 16 times over the last step of ten times the length.
local apo = require "apo"
local wanted = arg[1] or ""
local sizes = {10000, 100000, 1000000}
local folder = os.tmpname() .. ".scaling"
os.execute("mkdir -p " .. folder)

local function write(name, text)
  local file = assert(io.open(folder .. "/" .. name, "w"))
  file:write(text)
  file:close()
  return folder .. "/" .. name
end

local pieces = {
  "a", "ab", "1", "1,", "1.", "1/", "-", " ", "a ", "\n", " \n", "\t", "\0", "(", ")", "[", "{", "{{", "{%", "<", ">", "&", "\"", "'",
  "\\", "_", "0", "é", "A", "aA", "\u{301}", "\u{301}\u{323}", "a\u{323}\u{301}", "\u{F73}", "\u{344}", "\u{1100}", "\u{1100}\u{1161}\u{11A8}",
  "👩\u{200D}", "漢", "\u{FEFF}", "ß", "İ", "Σ", "#### ", "#### 1", "\\boxed ", "\\boxed{", "\\boxed{}", "<answer>", "<answer>\n",
  "</answer>", "\\frac", "\\frac{1", "\\sqrt", "\\text{ ", "<think>", "10^", "$-", "<|im_start|", "<|im_start|>", "<eos", "<pad>",
}

-- Tokenizers of single components around a vocabulary of characters.
local function tokenizer(name, fields)
  local vocabulary, count = {}, 0
  for code = 32, 126 do
    vocabulary[string.char(code)] = count
    count = count + 1
  end
  for _, token in ipairs{"<unk>", "aa", "aaaa", "ab", "11"} do
    vocabulary[token] = count
    count = count + 1
  end
  local json = {
    model = {type = "BPE", vocab = vocabulary, merges = {"a a", "aa aa", "a b", "1 1"}, unk_token = "<unk>", fuse_unk = true},
    added_tokens = {},
  }
  for key, value in pairs(fields) do json[key] = value end
  return apo.tokenizer(write(name:gsub("%W", "_") .. ".json", apo.json.encode(json)))
end

local subjects = {}  -- {name, function of a text}
local function add(name, call)
  if name:find(wanted, 1, true) then subjects[#subjects + 1] = {name, call} end
end

local function add_tokenizer(name, tok)
  add("encode " .. name, function(text) return tok:encode(text) end)
  add("decode " .. name, function(text)
    local ids = tok:encode(text)
    return function() return tok:decode(ids) end
  end)
end

for _, kind in ipairs{"NFC", "NFD", "NFKC", "NFKD", "Lowercase", "Strip", "StripAccents", "ByteLevel", "Nmt", "BertNormalizer"} do
  add_tokenizer(kind, tokenizer(kind, {normalizer = {type = kind}}))
end
for _, kind in ipairs{"ByteLevel", "Metaspace", "Digits", "Whitespace", "WhitespaceSplit", "Punctuation", "BertPreTokenizer",
                      "FixedLength"} do
  add_tokenizer("pre_" .. kind, tokenizer("pre_" .. kind, {pre_tokenizer = {type = kind}}))
end
for kind, decoder in pairs{
  ByteLevel = {type = "ByteLevel"}, ByteFallback = {type = "ByteFallback"}, Fuse = {type = "Fuse"}, Metaspace = {type = "Metaspace"},
  Strip = {type = "Strip", content = "a", start = 1, stop = 1}, WordPiece = {type = "WordPiece"}, BPEDecoder = {type = "BPEDecoder"},
  Replace = {type = "Replace", pattern = {String = "a"}, content = "b"},
} do
  add_tokenizer("decoder_" .. kind, tokenizer("decoder_" .. kind, {decoder = decoder}))
  add_tokenizer("decoder_fused_" .. kind, tokenizer("decoder_fused_" .. kind,
    {decoder = {type = "Sequence", decoders = {{type = "Fuse"}, decoder}}}))
end
for name, pattern in pairs{
  gpt2 = [['(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+]],
  llama3 = [[(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+]],
  o200k = [[[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+]],
} do
  add_tokenizer("pattern_" .. name, tokenizer("pattern_" .. name, {
    pre_tokenizer = {type = "Split", pattern = {Regex = pattern}, behavior = "Isolated"}}))
end
local added = {}
for i = 1, 1000 do
  added[i] = {id = 99 + i, content = "<|reserved_special_token_" .. i .. "|>", special = i % 2 == 0, lstrip = i % 3 == 0,
              rstrip = i % 5 == 0, single_word = i % 7 == 0}
end
added[1001] = {id = 1100, content = "((", lstrip = true, rstrip = true}
added[1002] = {id = 1101, content = " a", single_word = true}
add_tokenizer("added", tokenizer("added", {added_tokens = added}))
local shared = os.getenv "APO_SHARED" or "../shared"
if apo.system.read_file(shared .. "/fixtures/tokenizers/qwen2.5/tokenizer.json") then
  add_tokenizer("qwen2.5", apo.tokenizer(shared .. "/fixtures/tokenizers/qwen2.5/tokenizer.json"))
end

local chat = apo.char_tokenizer{alphabet = "a"}
for _, expression in ipairs{
  "c", "c|upper", "c|lower", "c|title", "c|capitalize", "c|trim", "c|length", "c|tojson", "c|indent", "c|replace('a','b')",
  "c|replace('','b')", "c|list|length", "c|reverse", "c|first", "c|last", "c|wordcount", "c|e", "c|string|safe", "c|int", "c|float", "c|list|unique|list|length",
  "c|list|sort|length", "c|list|join('x')", "c|join", "c.split()|length", "c.split('a')|length", "c.rsplit('a')|length", "c.splitlines()|length",
  "c.strip('a ')", "c.partition('</think>')|length", "c.rpartition('x')|length", "c.startswith('aaab')", "c.endswith(c)", "c.find('aaab')", "c.rfind('b')",
  "c.count('aa')", "c == c ~ 'a'", "'aab' in c", "c in c", "c[::-1]", "c[-1]", "c[5:]", "c.isalpha()", "c.isupper()", "c ~ c", "c.title()",
  "c.removesuffix(c)", "c < c ~ 'a'", "{c: 1}[c]", "'%s' % c", "c.replace('aa', 'a')", "c.split('</think>')[-1].lstrip('\\n')",
} do
  local template = "{% set c = messages[0].content %}{{ " .. expression .. " }}"
  add("template " .. expression, function(text)
    return function()
      return chat:apply_chat_template({{role = "user", content = text}}, {chat_template = template, tokenize = false})
    end
  end)
end
add("template loop", function(text)
  return chat:apply_chat_template({{role = "user", content = text}}, {tokenize = false,
    chat_template = "{% for x in messages[0].content %}{% if x == 'a' %}b{% endif %}{{ x }}{% endfor %}"})
end)

local rewards = apo.rewards
local made = {
  gsm8k_strict = rewards.gsm8k(), gsm8k_flexible = rewards.gsm8k{mode = "flexible"}, math = rewards.math(), multiply = rewards.multiply(),
  exact = rewards.exact(), numeric = rewards.numeric(), format = rewards.format{tags = {"think", "answer"}},
}
for name, reward in pairs(made) do
  for around, frame in pairs{plain = "%s", boxed = "\\boxed{x%sy}", answer = "Assistant: <answer>a%sb</answer>\n.", line = "Assistant:%s\n"} do
    add("reward " .. name .. " " .. around, function(text)
      local first, last = frame:match("^(.*)%%s(.*)$")
      local completion = {text = first .. text .. last, prompt = "", finish_reason = "eos", ids = {}}
      return reward({answer = "x 1"}, completion) + reward({answer = completion.text .. " 1"}, {text = "1", prompt = "", finish_reason = "eos"})
    end)
  end
end
add("reward countdown", function(text)
  return rewards.countdown()({target = 1, numbers = {1, 2}}, {prompt = "Assistant:", text = text .. "\n<answer>" .. text .. "</answer>"})
end)

add("csv quoted", function(text) return apo.dataset(write("t.csv", 'prompt,b\n"' .. text:gsub('"', '""') .. '",1\n')) end)
add("csv", function(text) return pcall(apo.dataset, write("t.csv", "prompt,b\nx,1\n" .. text)) end)
add("json string", function(text) return apo.json.decode(apo.json.encode{text, [2] = {[text] = text}}) end)
add("json", function(text) return pcall(apo.json.decode, text) end)
add("jsonl", function(text)
  return apo.dataset(write("t.jsonl", apo.json.encode{prompt = text} .. "\n" .. apo.json.encode{prompt = "a", [text] = 1}))
end)
local model = apo.new_model{model_type = "llama", hidden_size = 8, num_hidden_layers = 1, num_attention_heads = 2, intermediate_size = 8,
  vocab_size = 8, tokenizer = chat, max_position_embeddings = 64, seed = 1}
add("rollout of text", function(text) return apo.rollout({{prompt = "a", text = text}}, {tokenizer = chat})[1] end)
add("score of text", function(text)
  return pcall(apo.score, {{text = text, prompt = text, row = {prompt = text}}}, function() return nil end)
end)

local function seconds(call, text)
  local made = call(text)
  if type(made) ~= "function" then
    made = function() return call(text) end
  end
  local least = math.huge
  for _ = 1, 2 do
    local start = apo.system.clock()
    local ok, message = pcall(made)
    if not ok and not tostring(message):find("too many", 1, true) and not tostring(message):find("template", 1, true) then
      return nil, message
    end
    least = math.min(least, apo.system.clock() - start)
    if least > 1 then break end
  end
  return least
end

local found, measured = 0, 0
for _, subject in ipairs(subjects) do
  local slowest = 0
  for _, piece in ipairs(pieces) do
    local times = {}
    for i, size in ipairs(sizes) do
      local ok, time, message = pcall(seconds, subject[2], piece:rep(size // #piece))
      times[i] = ok and time or nil
      if not times[i] then
        if os.getenv "VERBOSE" then print(subject[1], ("%q"):format(piece), ok and message or time) end
        break
      end
      if times[i] > 5 then break end
    end
    measured = measured + 1
    local last = #times
    slowest = math.max(slowest, times[last] or 0)
    if last > 1 and times[last] > 0.02 and times[last] / times[last - 1] > 16 then
      found = found + 1
      print(("%-32s %-14q %s ms, %.0f times"):format(subject[1], piece,
        table.concat((function() local t = {} for i, s in ipairs(times) do t[i] = ("%.2f"):format(s * 1e3) end return t end)(), ", "),
        times[last] / times[last - 1]))
    end
  end
  if os.getenv "VERBOSE" then print(("%-32s at most %.2f s"):format(subject[1], slowest)) end
end
os.execute("rm -r " .. folder)
print(("%d functions and texts, %d grow faster than their length"):format(measured, found))
