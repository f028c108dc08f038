local spec = ...
local code = require "apo.script.function_code"

-- Makes a function from a text, after some lines and locals of its script.
local function make(text, before)
  return assert(load((before or "local help = 1\n") .. "return " .. text))()
end
local function same(a, b) spec.equal(code(a) == code(b), true) end
local function other(a, b) spec.equal(code(a) == code(b), false) end

local plain = "function(row, c) return c.text == row.answer and 1 or help end"
same(make(plain), make(plain, "\n\n-- moved\nlocal x, y, help = 1, 2, 3\n"))
same(make(plain), make(
  "function(row, c)\n  -- a comment\n  return c.text == row.answer\n    and 1 or help\nend"))
other(make(plain), make("function(row, c) return c.text == row.answer and 2 or help end"))
other(make(plain), make("function(row, c) return c.text == row.reply and 1 or help end"))
other(make(plain), make("function(row, c) return c.text ~= row.answer and 1 or help end"))

-- Functions inside, constants of every kind, texts of every length.
local rich = [[function(...)
  local list = {1, 2.5, true, false, nil, "x", %q, 1 << 62, -0.0, ...}
  local function inner(a) return function() return a, list, help, 3 end end
  return inner(list)
end]]
local long = ("long "):rep(60)
same(make(rich:format(long)), make("\n\n" .. rich:format(long), "local a, b, help\n\n"))
other(make(rich:format(long)), make(rich:format(long .. "!")))
other(make(rich:format(long)), make((rich:format(long):gsub("help, 3", "help, 4"))))
other(make(rich:format(long)), make((rich:format(long):gsub("list, help", "help, list"))))

spec.equal(code(print), nil)
