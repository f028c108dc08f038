-- What may exhaust memory: each case runs until an error, or to its end. Run by scripts/shortage, one case a process,
-- under a limit. The folder of a model and a folder for files come as arguments, then the case's name.

local model_path, folder, name = ...

-- What is called until it fails, holding on to what it gives.
local function hold(make)
  return function()
    local held = {}
    while true do held[#held + 1] = make(#held) end
  end
end

local function apo() return require "apo" end

-- A file of so many bytes, which takes no room on the disk.
local function sparse(path, size, tail)
  local file = assert(io.open(path, "w"))
  file:seek("set", size)
  file:write(tail or "x")
  file:close()
  return path
end

local function rows(count)
  local list = {}
  for i = 1, count do list[i] = {prompt = ("%d+%d="):format(i, i), answer = tostring(2 * i)} end
  return apo().dataset(list)
end

local function train(more)
  local policy = apo().load(model_path)
  local options = {
    policy = policy, data = rows(64), reward = function() return math.random() end, algorithm = "grpo",
    lr = 1e-4, batch_size = 8, epochs = 8, max_tokens = 8, quiet = true, dir = folder .. "/run",
  }
  for key, value in pairs(more or {}) do options[key] = value end
  return apo().train(options)
end

local cases = {
  tables = hold(function(i) return {i, tostring(i), {}} end),
  strings = function() local s = "x" while true do s = s .. s end end,
  pieces = hold(function(i) return ("%d"):rep(100):format() .. i end),
  closures = hold(function(i) return function() return i end end),
  coroutines = hold(function() return coroutine.wrap(function() coroutine.yield() end) end),
  recursion = function() local function f(n) return 1 + f(n + 1) end f(1) end,
  text = function()
    local list = {}
    for i = 1, 3e7 do list[i] = "line " .. i end
    return #table.concat(list, "\n"):gsub("%d", "%%")
  end,
  zeros = hold(function() return apo().zeros(10) end),
  tensors = hold(function() return apo().rand(1000, 100) end),
  graph = function()
    local x = apo().ones(10):requires_grad_()
    while true do x = x * 1.0001 end
  end,
  products = function()
    local a = apo().rand(1000, 1000)
    local held = {}
    for i = 1, 100 do held[i] = a:matmul(a) end
  end,
  totable = function() return apo().zeros(2147483647, 3, 0):totable() end,
  numbers = hold(function() return apo().rand(300000):totable() end),
  nested = function()
    local list = {}
    for i = 1, 2e7 do list[i] = i end
    return hold(function() return apo().tensor(list) end)()
  end,
  decode = function()
    local text = "[" .. ("[1,2,[3,{}]],"):rep(10000) .. "0]"
    return hold(function() return apo().json.decode(text) end)()
  end,
  decode_large = function()
    return apo().json.decode("[" .. ("0,"):rep(5e7) .. "0]")
  end,
  encode = function() return #apo().json.encode{("x"):rep(8e8)} end,
  encode_many = function()
    local list = {}
    for i = 1, 3e6 do list[i] = {i, "a text of some length"} end
    return #apo().json.encode(list)
  end,
  read_file = function()
    return #assert(apo().system.read_file(sparse(folder .. "/large", 3e9)))
  end,
  torn_line = function()
    return apo().system.drop_torn_line(sparse(folder .. "/torn", 3e8))
  end,
  values_file = function()
    local policy = apo().load(model_path)
    return apo().estimate_values{
      model = policy, data = rows(4), reward = function() return 1 end, n = 2, max_tokens = 4, quiet = true,
      path = sparse(folder .. "/values.jsonl", 2e9, "\n"),
    }
  end,
  dataset = function()
    local file = assert(io.open(folder .. "/data.jsonl", "w"))
    local line = '{"prompt": "' .. ("x"):rep(200) .. '", "list": [1, 2, 3, {"a": 1}]}\n'
    for _ = 1, 300 do file:write(line:rep(1000)) end
    file:close()
    return #apo().dataset(folder .. "/data.jsonl")
  end,
  csv = function()
    local file = assert(io.open(folder .. "/data.csv", "w"))
    file:write("prompt,answer\n")
    for _ = 1, 300 do file:write(("a prompt,42\n"):rep(10000)) end
    file:close()
    return #apo().dataset(folder .. "/data.csv")
  end,
  load = hold(function() return apo().load(model_path) end),
  save = function()
    local policy = apo().load(model_path)
    for i = 1, 1e5 do policy:save(folder .. "/saved") if i > 20 then break end end
  end,
  new_model = function()
    return hold(function()
      return apo().new_model{
        model_type = "llama", hidden_size = 512, num_hidden_layers = 4, num_attention_heads = 8,
        intermediate_size = 2048, vocab_size = 8000, max_position_embeddings = 512,
      }
    end)()
  end,
  generate = function()
    local policy, prompts = apo().load(model_path), {}
    for i = 1, 4000 do prompts[i] = ("%d+1="):format(i) end
    return hold(function() return policy:generate(prompts, {n = 8, max_tokens = 16, ignore_eos = true}) end)()
  end,
  train = function() return train() end,
  train_holding = function()
    local held = {}
    return train{reward = function() for i = 1, 1e5 do held[#held + 1] = {i} end return 1 end}
  end,
  tokens = function()
    local tokenizer = apo().load(model_path).tokenizer
    return #tokenizer:encode(("12+3="):rep(1e7))
  end,
}

if not name then
  local names = {}
  for key in pairs(cases) do names[#names + 1] = key end
  table.sort(names)
  print(table.concat(names, " "))
  return
end

local done, message = pcall(cases[name])
message = tostring(message)
-- Whatever happened, the state has to be of use, and so has the engine.
collectgarbage()
local list = {}
for i = 1, 1000 do list[i] = {i} end
assert(#list == 1000)
local module_is_there, engine = pcall(require, "apo")
if module_is_there then
  local sum = engine.ones(100):sum():item()
  assert(sum == 100)
  engine.system.write_file(folder .. "/after", "goes on")
end
print(done and "finished" or "error: " .. message:sub(1, 150))
