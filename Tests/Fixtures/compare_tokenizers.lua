-- Compares tokenizers with the results that make_tokenizer_families.py stored beside them, and prints
-- the first difference of each kind for each folder.
--
--     apo-lua compare_tokenizers.lua FOLDER...       a folder holds tokenizer.json and cases.json
local apo = require "apo"

local function same(a, b)
  if type(a) == "string" or #a ~= #b then return a == b end
  for i = 1, #a do
    if a[i] ~= b[i] then return false end
  end
  return true
end

local count, wrong, refused = 0, 0, 0
for _, folder in ipairs(arg) do
  local cases = apo.json.read(folder .. "/cases.json")
  local made, tokenizer = pcall(apo.tokenizer, folder)
  if made then
    local reported = {}
    local function check(kind, input, expected, call, ...)
      local done, result = pcall(call, tokenizer, ...)
      count = count + 1
      if done and same(result, expected) then return end
      wrong = wrong + 1
      if reported[kind] then return end
      reported[kind] = true
      print(folder, kind, apo.json.encode(input))
      print("  expected", apo.json.encode(expected))
      print("  given   ", done and apo.json.encode(result) or result)
    end
    for _, case in ipairs(cases.encode) do
      local text = case[1]
      check("encode", text, case[2], tokenizer.encode, text, {add_special_tokens = false})
      check("encode with specials", text, case[3], tokenizer.encode, text)
    end
    for _, case in ipairs(cases.decode) do
      local ids = case[1]
      check("decode", ids, case[2], tokenizer.decode, ids)
      check("decode without specials", ids, case[3], tokenizer.decode, ids, {skip_special_tokens = true})
    end
  else
    refused = refused + 1
    print(folder, "refused: " .. tostring(tokenizer))
  end
end
print(("%d tokenizers, %d refused; %d comparisons, %d differ"):format(#arg, refused, count, wrong))
