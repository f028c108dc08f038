-- Changes a copy of Lua's test suite where apo-lua differs on purpose: apo-lua scripts/lua-suite.lua
-- FOLDER. Each entry is a file, a text that stands in it once, what replaces it, and the reason.

local changes = {
  {
    file = "nextvar.lua", from = "local k1 = next(t) ", to = "local k1 = pairs(t)(t) ",
    why = "pairs visits keys in a fixed order, not in that of next",
  },
  {
    file = "sort.lua", from = "check{1,2,3,4}\ncheck{1,2,3,4,5}\ncheck{1,2,3,4,5,6}\n", to = "",
    why = "no order function is invalid: table.sort merges",
  },
}

local folder = ...
for _, change in ipairs(changes) do
  local path = folder .. "/" .. change.file
  local file <close> = assert(io.open(path))
  local text = file:read "a"
  local first, last = text:find(change.from, 1, true)
  assert(first and not text:find(change.from, last + 1, true), change.file .. ": " .. change.from)
  local changed <close> = assert(io.open(path, "w"))
  assert(changed:write(text:sub(1, first - 1), change.to, text:sub(last + 1)))
  print(("%s: %s"):format(change.file, change.why))
end
