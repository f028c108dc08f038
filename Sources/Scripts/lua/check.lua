-- `apo-lua check FILE …`, or `apo-lua --check FILE …`: compiles scripts and finds undefined
-- globals, unknown fields and methods of `apo`, and unknown options and values in its calls,
-- without running anything. One line each, `FILE:LINE: what is wrong`.

local system = require "apo".system
local read_script = require "apo.check.reader"

-- The faults of one file, in order, as lines of text.
local function faults_of(path)
  if system.exists(path) == "folder" then return {path .. ": is a folder; a script expected"} end
  local text, missing
  if path == "-" then
    path, text = "stdin", io.read "a"
  else
    text, missing = system.read_file(path)
  end
  if not text then return {missing} end
  local code = text:gsub("^\xEF\xBB\xBF", ""):gsub("^#[^\r\n]*", "--")
  local chunk, problem = load(code, "@" .. path, "t")
  if text:sub(1, 4) == "\x1BLua" then problem = path .. ": is compiled; its source is needed" end
  if not chunk then return {problem} end
  local faults = read_script(text)
  for i, fault in ipairs(faults) do fault.place = i end
  table.sort(faults, function(a, b)
    if a.line ~= b.line then return a.line < b.line end
    return a.place < b.place
  end)
  local lines = {}
  for i, fault in ipairs(faults) do
    lines[i] = ("%s:%d: %s"):format(path, fault.line, fault.text)
  end
  return lines
end

-- Prints what is wrong with the files; whether nothing is.
local function check(...)
  local count = 0
  for _, path in ipairs{...} do
    for _, line in ipairs(faults_of(path)) do
      count = count + 1
      print(system.visible(line))
    end
  end
  return count == 0
end

return {command = check, faults_of = faults_of}
