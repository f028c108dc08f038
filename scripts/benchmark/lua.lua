-- What the interpreter's own operations cost beside stock Lua: lua.lua [PROGRAM ...]. Runs this file by
-- each program (default: lua5.4 and apo-lua), three times in turn, and prints the least nanoseconds.

local rows = {"list of 1000", "list of 10", "10 names", "1000 names",
  "1000 names anew", "first of 10000 names",
  "next over 10000 names", "sort of 5", "sort of 1000", "table", "closure", "coroutine", "wrap"}

-- Least processor time of a call in nanoseconds.
local function time(count, f)
  local least = math.huge
  for _ = 1, 7 do
    local start = os.clock()
    for _ = 1, count do f() end
    least = math.min(least, (os.clock() - start) / count)
  end
  return least * 1e9
end

local function names(n)
  local t = {}
  for i = 1, n do t["key" .. i] = i end
  return t
end

local function numbers(n)
  local t = {}
  for i = 1, n do t[i] = (i * 7919) % 1009 end
  return t
end

local function walk(t) return function() for _ in pairs(t) do end end end

-- Other tables than those walked over last, each time.
local function walk_anew(count, n)
  local tables, i = {}, 0
  for k = 1, count do tables[k] = names(n) end
  return function()
    i = i % count + 1
    for _ in pairs(tables[i]) do end
  end
end

local function measure()
  local few, many = {}, numbers(1000)
  local largest = names(10000)
  local figures = {
    time(1000, walk(many)), time(50000, walk(numbers(10))),
    time(50000, walk(names(10))), time(500, walk(names(1000))), time(100, walk_anew(50, 1000)),
    time(50, function() for _ in pairs(largest) do break end end),
    time(50, function() for _ in next, largest do end end),
    time(50000, function()
      few[1], few[2], few[3], few[4], few[5] = 3, 1, 4, 2, 5
      table.sort(few)
    end),
    time(100, function() table.sort(table.move(many, 1, 1000, 1, {})) end),
    time(200000, function() return {} end),
    time(200000, function()
      local up = 1
      return function() return up end
    end),
    time(50000, function() return coroutine.create(print) end),
    time(50000, function() return coroutine.wrap(function() end)() end),
  }
  for _, figure in ipairs(figures) do io.write(("%.1f\n"):format(figure)) end
end

if arg[1] == "--measure" then return measure() end

local programs = #arg > 0 and arg or {"lua5.4", ".build/release/apo-lua"}
local least = {}
for _ = 1, 3 do
  for i, program in ipairs(programs) do
    local pipe = assert(io.popen(("'%s' '%s' --measure"):format(program, arg[0])))
    least[i] = least[i] or {}
    for j = 1, #rows do
      local figure = assert(tonumber(pipe:read "l"), program)
      least[i][j] = math.min(least[i][j] or math.huge, figure)
    end
    pipe:close()
  end
end

print("| ns | " .. table.concat(programs, " | ") .. " | last / first |")
print("|---" .. ("|---:"):rep(#programs + 1) .. "|")
for j, row in ipairs(rows) do
  local line = {"| " .. row}
  for i in ipairs(programs) do line[#line + 1] = ("%.0f"):format(least[i][j]) end
  line[#line + 1] = ("%.2f |"):format(least[#programs][j] / least[1][j])
  print(table.concat(line, " | "))
end
