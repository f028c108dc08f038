-- The command line of the benchmark.
local apo = require "apo"
local models = require "models"

local usage = [[
scripts/bench [options] [T] [S] [Q] [tiny]      (default: T)
  --peers           also PyTorch, transformers, TRL and llama.cpp, alternating with ours
  --rows TEXTS      only rows whose name contains one of these texts, separated by commas; "=generate 1" for one row
  --engines TEXTS   only engines whose name contains one of them: --peers --engines apo,llama
  --threads 1,2     ours with each of these numbers of threads (default: APO_THREADS, or all cores); peers have the last
  --against PROGRAM another build of apo-lua, alternating with this one
  --rounds N        runs of each, after one to warm up (default: T 5, S and Q 3)
  --list            only the names of the rows]]

local function fail(text)
  io.stderr:write("bench: ", text, "\n", usage, "\n")
  os.exit(2)
end

local function split(text)
  local list = {}
  for part in text:gmatch("[^,]+") do list[#list + 1] = part end
  return list
end

local function whole(name, text)
  local number = math.tointeger(tonumber(text))
  if not number or number < 1 then fail(("--%s needs numbers of at least 1"):format(name)) end
  return number
end

local function options_of(arguments)
  local o, i = {names = {}}, 1
  while arguments[i] do
    local name = arguments[i]:match("^%-%-(.+)")
    if not name then
      if not models.sizes[arguments[i]] then fail(("there is no model '%s'"):format(arguments[i])) end
      table.insert(o.names, arguments[i])
    elseif name == "help" then
      print(usage)
      os.exit(0)
    elseif name == "peers" or name == "list" then
      o[name] = true
    elseif ({rows = 1, engines = 1, threads = 1, against = 1, rounds = 1})[name] then
      i = i + 1
      o[name] = arguments[i] or fail(("--%s needs a value"):format(name))
    else
      fail(("there is no option --%s"):format(name))
    end
    i = i + 1
  end
  if #o.names == 0 then o.names[1] = "T" end
  o.rounds = o.rounds and whole("rounds", o.rounds)
  o.threads = split(o.threads or os.getenv("APO_THREADS") or tostring(apo.system.cores()))
  for k, text in ipairs(o.threads) do o.threads[k] = whole("threads", text) end
  return o
end

local function matches(texts, name)
  if not texts then return true end
  for _, text in ipairs(split(texts)) do
    if text == "=" .. name or name:lower():find(text:lower(), 1, true) then return true end
  end
  return false
end

return {of = options_of, matches = matches, fail = fail}
