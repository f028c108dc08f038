-- `apo-lua init [DIR]`: a folder to work in, with a first script, the settings of language servers
-- and of luacheck, and snippets. A file that is there is kept as it is.

local system = require "apo".system
local declarations = require "apo.declarations"
local snippets = require "apo.project.snippets"

local first_script = [[
-- A first run: a small model with random weights learns to write sevens. apo-lua train.lua
local apo = require "apo"
apo.seed(1)

local policy = apo.new_model{
  model_type = "llama", hidden_size = 32, num_hidden_layers = 2, num_attention_heads = 2,
  intermediate_size = 64, max_position_embeddings = 64,
  tokenizer = apo.char_tokenizer{alphabet = "0123456789"},
}
local rows = {}
for i = 1, 16 do rows[i] = {prompt = tostring(i)} end

-- The share of a completion that is sevens.
local function reward(_, completion)
  local _, sevens = completion.text:gsub("7", "")
  return sevens / math.max(1, #completion.text)
end

local result = apo.train{
  policy = policy, data = apo.dataset(rows), reward = reward,
  algorithm = apo.algorithms.grpo{n = 8}, lr = 3e-3, batch_size = 8, epochs = 15, max_tokens = 8,
}
print(("reward %.2f after %d steps"):format(result.metrics.reward, result.steps))
print(policy:generate("1", {max_tokens = 8, temperature = 0})[1].text)
]]

local luarc = [[
{
  "runtime.version": "Lua 5.4",
  "workspace.library": ["types"],
  "workspace.checkThirdParty": false
}
]]

local luacheckrc = [[
std = "lua54"
exclude_files = {"types"}
]]

-- The files in their order: name, and a function that gives the text.
local files = {
  {"train.lua", function() return first_script end},
  {"types/apo.lua", declarations.types},
  {".luarc.json", function() return luarc end},
  {".luacheckrc", function() return luacheckrc end},
  {".vscode/apo.code-snippets", snippets},
}

return function(dir)
  dir = dir or "."
  if system.exists(dir) == "file" then
    error(("init: %s is a file; a folder expected"):format(system.shown(dir)), 0)
  end
  for _, file in ipairs(files) do
    local path = dir .. "/" .. file[1]
    if system.exists(path) then
      print("kept  " .. system.shown(path))
    else
      local folder = path:match "^(.*)/"
      if system.exists(folder) ~= "folder" then system.make_folder(folder) end
      system.write_file(path, file[2]())
      print("wrote " .. system.shown(path))
    end
  end
  print "apo-lua train.lua is a first run; apo-lua --check train.lua looks before it"
end
