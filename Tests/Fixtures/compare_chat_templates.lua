-- Compares renderings of chat templates with those of transformers that scripts/chat_templates.py wrote, and prints the first
-- difference of each template and the counts.
--
--     apo-lua compare_chat_templates.lua FILE [all]       all: print every difference
local apo = require "apo"

local tok = apo.char_tokenizer{alphabet = "ab"}
local lines = io.lines(arg[1])
local head = apo.json.decode(lines())
for key, value in pairs(head.tokens) do
  for _, options in ipairs(head.options) do options.chat_template_kwargs[key] = value end
end

local templates, count, equal, errors, wrong = 0, 0, 0, 0, 0
for line in lines do
  local row = apo.json.decode(line)
  templates = templates + 1
  local reported = false
  for _, case in ipairs(row.cases) do
    local options = {}
    for key, value in pairs(head.options[case[2] + 1]) do options[key] = value end
    options.chat_template = row.template
    local done, text = pcall(tok.apply_chat_template, tok, head.conversations[case[1] + 1], options)
    local expected = case[3] ~= apo.json.null and case[3] or nil
    count = count + 1
    if done and text == expected then
      equal = equal + 1
    elseif not done and not expected then
      errors = errors + 1
    else
      wrong = wrong + 1
      if not reported or arg[2] then
        reported = true
        if row.name:find("^random") then print((row.template:gsub("^.-rows %%}", ""))) end
        print(("%s: conversation %d, options %d"):format(row.name, case[1], case[2]))
        print("  transformers", expected and apo.json.encode(expected) or "(an error)")
        print("  apo-lua     ", done and apo.json.encode(text) or text)
      end
    end
  end
end
print(("%d templates, %d cases: %d texts are equal, %d are errors of both, %d differ")
  :format(templates, count, equal, errors, wrong))
os.exit(wrong == 0 and 0 or 1)
