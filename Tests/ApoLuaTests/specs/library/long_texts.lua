-- The worst text of each kind, 100 kB long. What takes a time in proportion to the length is
-- done in a moment; what takes its square would make this take hours.
local spec = ...
local apo = require "apo"
local rewards = apo.rewards
local size = 100000

local function long(piece) return piece:rep(size // #piece) end

local texts = {}
for _, piece in ipairs{
  "1", "1,", "1.", "1/", ",", "-", "- ", "1 ", " ", "\n", "\\frac", "\\frac{1", "a", "a1", "1e", "10^", "{",
  "}", "(", "1\\,", "'1", "\u{2009}1", "½", "$", "=", "x1", "0x1", "$-", "v2.1", "10*", "#### ", "#### 1",
  "\\boxed ", "\\boxed{", "\\boxed{}", "<answer>", "<answer>\n", "</answer>", "<answer>1</answer>", "\\sqrt",
  "\\text{ ", "<think>", "</think>", "Assistant:", "\xFF", "\0", "e\u{301}", "\u{301}\u{323}", "_", "0", "1_",
} do
  local text = long(piece)
  texts[#texts + 1] = text
  texts[#texts + 1] = "Assistant:" .. text .. "\n</answer> a"
  texts[#texts + 1] = "Assistant: <answer>a" .. text .. "b</answer>\\boxed{x" .. text .. "y}"
end

local made = {
  rewards.gsm8k(), rewards.gsm8k{mode = "flexible"}, rewards.math(), rewards.math{mode = "flexible"},
  rewards.multiply(), rewards.exact(), rewards.numeric(), rewards.format{tags = {"think", "answer"}},
}
local countdown = rewards.countdown()
for _, text in ipairs(texts) do
  local completion = {text = text, prompt = "", finish_reason = "eos", ids = {}}
  for _, reward in ipairs(made) do assert(reward({answer = "x 1"}, completion) <= 1) end
  assert(countdown({target = 1, numbers = {1, 2}}, completion) <= 1)
end
-- The right answer goes through the same readers.
for i = 1, #texts, 3 do
  local row = {answer = "1 " .. texts[i] .. " 1"}
  for _, reward in ipairs(made) do assert(reward(row, {text = "1", prompt = "", finish_reason = "eos"}) <= 1) end
end

-- Files.
local path = spec.folder .. "/long"
for _, piece in ipairs{'""', "x", "é", "\n", "\r\n", " ", ",", "\0"} do
  spec.write(path .. ".csv", 'prompt,b\n"' .. long(piece) .. '",1\n')
  assert(#apo.dataset(path .. ".csv") == 1)
end
for _, piece in ipairs{"\n", "\r\n", "  \n", "a,b\n", '"a",\n', "a,\r"} do
  spec.write(path .. ".csv", "prompt,b\nfirst,1\n" .. long(piece))
  assert(#apo.dataset(path .. ".csv") >= 1)
end
for _, piece in ipairs{"\\n", "\\u00e9", "\\ud83d\\ude00", "x", "[", "{", "\u{301}\u{323}", "\u{1100}"} do
  spec.write(path .. ".jsonl", '{"prompt":"' .. long(piece) .. '"}\n')
  assert(#apo.dataset(path .. ".jsonl") == 1)
  spec.write(path .. ".jsonl", '{"prompt":"","a' .. long(piece) .. '":1}\n')
  assert(#apo.dataset(path .. ".jsonl") == 1)
end
for _, piece in ipairs{"[", "[1,", '{"a":', "1", " ", '"a",'} do pcall(apo.json.decode, long(piece)) end
assert(#apo.json.decode("[" .. long("1,") .. "1]") == size // 2 + 1)
assert(apo.json.decode(apo.json.encode{long "\u{301}\u{323}", long "\0", long '"'})[3] == long '"')

-- Tokenizers, there and back.
local tokenizers = {apo.char_tokenizer{alphabet = "ab1 ", unknown = "<unk>"}}
tokenizers[2] = apo.tokenizer(spec.fixtures .. "/tokenizers/qwen2.5/tokenizer.json")
for _, piece in ipairs{
  "a", "ab", "1", " ", "\n", " \n", "a ", "é", "\u{301}", "\u{301}\u{323}", "a\u{323}\u{301}", "\u{F73}",
  "\u{1100}\u{1161}\u{11A8}", "👩\u{200D}", "漢", "<|im_start|", "<|im_start|>", "<", "<eos", "(", "'s", "'", "_",
  "\0", "\u{FEFF}", "\u{344}", "A", "aA", "\r", "\t",
} do
  local text = long(piece)
  for _, tok in ipairs(tokenizers) do assert(type(tok:decode(tok:encode(text))) == "string") end
end
