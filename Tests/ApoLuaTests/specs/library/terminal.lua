-- What is shown on a terminal fits its width, in any script, and stays aligned.
local spec = ...
local apo = require "apo"
local equal, system = spec.equal, apo.system
local tables, pad = require "apo.runs.table", require "apo.terminal.pad"
local console, duration = require "apo.terminal.console", require "apo.terminal.duration"

for seconds, text in pairs{[0] = "0.0 s", [4.26] = "4.3 s", [59.9] = "59.9 s", [62] = "1:02 min",
                           [3599] = "59:59 min", [3600] = "1:00 h", [90061] = "25:01 h"} do
  equal(duration(seconds), text)
end
for _, wrong in ipairs{-1, 0 / 0, math.huge, "1"} do equal(duration(wrong), nil) end

local texts = {"plain", "日本語のとても長い実験名-学習率0.001", "🙂🙂 🇩🇪 run", "e\u{301}e\u{301} ไทย",
               ("x"):rep(90), ("語"):rep(60), "", "שָׁלוֹם"}
for _, text in ipairs(texts) do
  for width = 0, 40 do
    local room = math.max(width, system.columns(text))
    equal({system.columns(pad.left(text, width)), system.columns(pad.right(text, width))}, {room, room})
    assert(system.columns(system.excerpt(text, width)) <= width)
  end
end

-- Tables: no line is too long, and the right edge of a column is where its heading has it.
local columns = {
  {"name 名前", function(text) return text end},
  {"bytes", function(text) return #text end, right = true, rank = 1},
  {"again", function(text) return text end, rank = 3},
  {"長さ", function(text) return system.columns(text) end, right = true, rank = 2},
}
for width = 1, 220 do
  for i, line in ipairs(tables.lines(columns, texts, width)) do
    assert(system.columns(line) <= width, ("%d: %s"):format(width, line))
  end
end
local lines = tables.lines(columns, texts, 40)  -- `again` is gone, the name is cut
for _, line in ipairs(lines) do equal(system.columns(line), 40) end
assert(lines[1]:find "^name 名前 +bytes  長さ$" and lines[7]:find "語語… +180   120$", lines[7])

-- The lines of a run and its bar, on terminals of any width.
local names = {"is_terminal", "width"}
local before, print_before, stderr = {}, print, io.stderr
for _, name in ipairs(names) do before[name] = system[name] end
local said, drawn, width
function system.is_terminal() return true end
function system.width() return width, 24 end
print = function(text) said[#said + 1] = text end
io.stderr = {write = function(_, ...) drawn[#drawn + 1] = table.concat{...} end, flush = function() end}
local ok, problem = pcall(function()
  for _, shown in ipairs{"usual", {"reward", "損失の値", "loss🙂", "note"}} do
    for w = 16, 200 do
      width, said, drawn = w, {}, {}
      local screen = console{total = 10, title = "学習🙂", columns = shown}
      screen.is_quiet, screen.bar.is_quiet = false, false
      local record = {step = 3, reward = 0.5, loss = -1e-300, kl = 1, note = "日本語のとても長い",
                      ["損失の値"] = 1 / 3, ["loss🙂"] = 2.5, ["eval/reward"] = 1, ["eval/長さ"] = 2}
      screen:step(record)
      screen:evaluation(record)
      screen.bar.shown = -1
      screen:advance(record)
      for _, line in ipairs(said) do
        assert(system.columns(line) <= w, ("%d: %s"):format(w, line))
      end
      assert(said[1]:find "step" and said[2]:find "3", said[1])
      equal(system.columns(said[1]), system.columns(said[2]))
      if w >= 80 then assert(said[1]:find "reward", said[1]) end
      assert(#drawn > 0)
      for _, text in ipairs(drawn) do
        local line = text:gsub("\27%[%a*K", ""):gsub("\r", "")
        assert(system.columns(line) < w, ("%d: %s"):format(w, line))
      end
    end
  end
end)
print, io.stderr = print_before, stderr
for _, name in ipairs(names) do system[name] = before[name] end
if not ok then error(problem, 0) end
