-- `apo-lua check`: what it finds, and that it finds nothing in files that are in order.
local spec = ...
local apo = require "apo"
local check, read_script = require "apo.check", require "apo.check.reader"
local equal = spec.equal

-- The faults of a script, as `line: text`.
local function faults(text)
  assert(load((text:gsub("^#[^\n]*", "")), "=script"))
  local lines = {}
  for i, fault in ipairs(read_script(text)) do lines[i] = ("%d: %s"):format(fault.line, fault.text) end
  return lines
end

local start = 'local apo = require "apo" '
local function finds(text, ...) equal(faults(start .. text), {...}) end
local function finds_nothing(text) finds(text) end

-- Globals: those of Lua, those that the file makes, nothing else.
finds("print(polcy)", "1: undefined global 'polcy'")
finds("\n\nprnt(1)", "3: undefined global 'prnt' (did you mean 'print'?)")
finds("local x = lenght\nif lenght > 3 then end", "1: undefined global 'lenght'", "2: undefined global 'lenght'")
finds("local function f() counter = 1 return counter end",
  "1: 'counter' is assigned as a global within a function; is a 'local' missing?")
finds("f = function() return g() end", "1: undefined global 'g'")
equal(faults "apo.seed(1)", {'1: undefined global \'apo\'; local apo = require "apo" is missing'})
finds("table.unpck{}", "1: table has no field 'unpck' (did you mean 'unpack'?)")
finds("return unpack{1}", "1: undefined global 'unpack'")
finds_nothing "counter = 0 function count() counter = counter + 1 return count end"
finds_nothing "if DEBUG then print(DEBUG) end local unpack = table.unpack or unpack"
finds_nothing "if strict == nil then strict = true end"
finds_nothing "local pack = table.pack or function(...) return {n = select('#', ...), ...} end return pack"
finds_nothing "if table.getn then print(table.getn{}) end"
finds_nothing "setmetatable(_G, {__index = function() end}) print(anything)"
finds_nothing "_G.made = 1 print(made)"
finds_nothing "_G['made ' .. 1] = 1 print(anything)"
finds_nothing "local function f(_ENV) return x end local _ENV = {} y = x return f"
finds_nothing "local type_of = type(undefined_name) return type_of, arg[1], _VERSION, _ENV"
finds_nothing "-- luacheck: globals level other\nprint(level, other)"
finds_nothing "print(level)  -- luacheck: ignore"
finds("print(level)  -- luacheck: ignore\nprint(level)", "2: undefined global 'level'")

-- Scopes: a name is local from its statement to the end of its block.
finds("do local x = 1 end print(x)", "1: undefined global 'x'")
finds("local x = x", "1: undefined global 'x'")
finds("for i = 1, 2 do end print(i)", "1: undefined global 'i'")
finds("repeat local done = true until done print(done)", "1: undefined global 'done'")
finds_nothing "local function f() return f end local x <const>, y <close> = 1, nil return f, x, y"
finds_nothing "goto on ::on:: for k, v in pairs{} do print(k, v) end"
finds("local t = {}\nfunction t.a.b:c() return self, this end", "2: undefined global 'this'")

-- Every form of a token: lines are counted as Lua does.
finds("local s = [==[\n]]\n]==] .. 'a\\\nb' .. \"\\z\n  c\" --[[ x\ny ]]\nprint(nothing)", "7: undefined global 'nothing'")
finds("local n = 0xA.8p+1 + 1e-3 + .5 + 3. return m", "1: undefined global 'm'")
finds("return 1 // 2 << 3 >> 4 ~ 5 & 6 | 7 .. 8 ~= 9, #x", "1: undefined global 'x'")
equal(faults "#!/usr/bin/env apo-lua\nprint(nothing)", {"2: undefined global 'nothing'"})
equal(faults "print(1)\r\nprint(nothing)\r\n", {"2: undefined global 'nothing'"})

-- Fields and methods of what apo makes.
finds("apo.trian{}", "1: apo has no field 'trian' (did you mean 'train'?)")
finds("apo.optim.adam{}", "1: apo.optim has no field 'adam' (did you mean 'adamw'?)")
finds("local m = apo.load 'a' m:generat('x')", "1: apo.Model has no method 'generat' (did you mean 'generate'?)")
finds("local m = apo.load 'a' return m.confg", "1: apo.Model has no field 'confg' (did you mean 'config'?)")
finds("local t = apo.zeros(1):exp():lgo()", "1: apo.Tensor has no method 'lgo' (did you mean 'log'?)")
finds("local m = apo.load 'a' m.tokenizer:encod 'x'", "1: apo.Tokenizer has no method 'encod' (did you mean 'encode'?)")
finds("local d, n = apo.dataset{}, 1 d:shufle(n)", "1: apo.Dataset has no method 'shufle' (did you mean 'shuffle'?)")
finds("local zeros = apo.zeros return zeros(1):sze()", "1: apo.Tensor has no method 'sze' (did you mean 'size'?)")
finds_nothing "model = apo.load 'a' model:generat('x')"  -- a global may be anything by then
finds("local r = apo.rollout{} for i = 1, #r do print(r[i].txt, r[1].text) end",
  "1: apo.Completion has no field 'txt' (did you mean 'text'?)")
finds("apo.score(..., function(row, c) return #c.txt + row.anything end)",
  "1: apo.Completion has no field 'txt' (did you mean 'text'?)")
finds("apo.replay('a', {target = function(s) return s.rewrd end})",
  "1: apo.Sample has no field 'rewrd' (did you mean 'reward'?)")
finds_nothing "apo.score(..., function(row, c) c = row return c.txt end)"
finds_nothing "apo.score(..., function(_, c) c.mine = 1 return c.mine, c.row.any, c[1] end)"
finds_nothing "local t = apo.zeros(1) t = 'text' return t:upper()"
finds_nothing "local t if x then t = apo.zeros(1) else t = 'text' end return t:upper()"
finds_nothing "function apo.mine() end apo.mine() if apo.newer then apo.newer() end"
finds_nothing "return apo.rewards.gsm8k(), apo.json.null, apo._VERSION, apo.algorithms.grpo{n = 4}"

-- Options, their values and their types.
local needed = "policy = p, data = d, reward = r, max_tokens = 4, "
local function train(options, ...) finds("local p, d, r = ...\napo.train{" .. needed .. options .. "}", ...) end
train("lr = 1e-3, eval = {data = d, every = 5}")
train("learning_rate = 1", "2: train: unknown option 'learning_rate'; `learning_rate` is called `lr` here")
train("num_generations = 4", "2: train: unknown option 'num_generations'; `num_generations` is called `n` here, "
  .. "an option of algorithms: algorithm = apo.algorithms.grpo{n = …}")
train("lr = 'high'", "2: train: option 'lr' must be a number of at least 0, got string")
train("batch_size = 0,\nepochs = 1.5", "2: train: option 'batch_size' must be an integer of at least 1, got 0",
  "3: train: option 'epochs' must be an integer from 1 to 1000000000, got 1.5")
train("overlong = 'drp'",
  "2: train: option 'overlong' must be one of 'error', 'drop', 'truncate_left', got 'drp'")
train("keep = {best = 'loss', mode = 'least'}", "2: train: option 'keep.mode' must be one of 'max', 'min', got 'least'")
local found = faults(start .. "apo.train{eval = {evry = 3}, batch_szie = 3, ['lrr'] = 1, 5}")
equal(#found, 4)
equal(found[1]:match "^[^?]*%?", "1: train: unknown option 'eval.evry'; did you mean 'every'?")
finds_nothing "local o = {} apo.train(o) apo.train{[o.name] = 1}"
finds_nothing "local model = ... model:generate('x', {max_token = 3})"
finds("apo.load('a', {dtype = 'int8'})", "1: load: option 'dtype' must be one of 'float32', 'bfloat16', got 'int8'")
finds("apo.zeros('a')", "1: zeros: argument 'sizes' must be an integer or list of integers, got string")
found = faults(start .. "local m = apo.load 'a'\nm:generate('x', {max_token = 3})")
equal(found[1]:match "^[^?]*%?", "2: generate: unknown option 'max_token'; did you mean 'max_tokens'?")

-- Files: all of their faults in order of the lines, and what cannot be checked.
local path = spec.folder .. "/script.lua"
spec.write(path, "local apo = require 'apo'\napo.train{\n  lr = 1,\n  lrr = a,\n}\nprint(b)\n")
local lines = check.faults_of(path)
equal({#lines, lines[#lines], lines[2]:match ":4: .*'lrr'" ~= nil, lines[1]}, {3,
  path .. ":6: undefined global 'b'", true, path .. ":4: undefined global 'a'"})
spec.write(path, "x = = 1")
equal(check.faults_of(path), {path .. ":1: unexpected symbol near '='"})
spec.write(path, string.dump(load "return 1"))
equal(check.faults_of(path), {path .. ": is compiled; its source is needed"})
equal(check.faults_of(spec.folder), {spec.folder .. ": is a folder; a script expected"})
equal(check.faults_of(spec.folder .. "/none.lua"), {spec.folder .. "/none.lua: cannot be opened: No such file or directory"})
spec.write(path, "")
equal(check.faults_of(path), {})

-- Long and deep texts, which Lua itself reads.
finds_nothing("local x = 1" .. (" + 1"):rep(20000))
finds_nothing("local t = apo.zeros(1)" .. (":exp()"):rep(20000))
finds_nothing("local t = " .. ("{"):rep(150) .. ("}"):rep(150))
finds_nothing("local s = '" .. ("a"):rep(1000000) .. "'" .. (" -- comment\n"):rep(10000))

-- No false alarm in the library, the examples and the pages.
local function each_file(folder, see)
  for _, name in ipairs(apo.system.list(folder)) do
    local inner = folder .. "/" .. name
    if apo.system.exists(inner) == "folder" then each_file(inner, see)
    elseif name:find "%.lua$" then see(inner) end
  end
end
local count = 0
for _, folder in ipairs{"examples", "scripts", "Sources/Scripts/lua"} do
  each_file(spec.checkout .. "/" .. folder, function(file)
    count = count + 1
    equal(check.faults_of(file), {})
  end)
end
assert(count > 100)

-- The blocks of a page that the tests run, each line at its number.
local function program(page)
  local out, is_open = {}, false
  for line in (page .. "\n"):gmatch "(.-)\n" do
    local fence = line:match "^%s*```(.-)%s*$"
    out[#out + 1] = is_open and not fence and line or ""
    if fence then is_open = not is_open and fence == "lua" end
  end
  return table.concat(out, "\n")
end
for _, name in ipairs(apo.system.list(spec.checkout .. "/docs")) do
  if name:find "%.md$" and name ~= "reference.md" then  -- its examples use names of a prelude
    local text = program(spec.read(spec.checkout .. "/docs/" .. name))
    assert(load(text, "=" .. name))
    equal(read_script(text), {})
  end
end
