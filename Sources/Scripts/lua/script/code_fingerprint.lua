-- Fingerprint of a function and the functions it can reach: local helpers, and functions of
-- required modules. So recorded rewards are not reused after a helper was edited. For library
-- functions the options count too: rewards made by `apo.rewards.gsm8k` differ only in these.
--
-- Other variables of the script are ignored, because a counter or cache does not change the reward.
-- Constants count if declared `<const>`.

local function_code = require "apo.script.function_code"

-- The modules that scripts have required, as a set.
local function modules()
  local set = {}
  for name, module in pairs(package.loaded) do
    if type(module) == "table" and module ~= _G and not (name .. "."):find("^apo%.") then
      set[module] = true
    end
  end
  return set
end

local add

local function add_upvalue(name, value, in_library, pieces, seen)
  if type(value) == "function" then
    add(value, pieces, seen)
  elseif seen.modules[value] or in_library and name == "options" then
    for key, member in pairs(value) do
      if type(member) == "function" then
        add(member, pieces, seen)
      elseif in_library then
        pieces[#pieces + 1] = tostring(key) .. "=" .. tostring(member)
      end
    end
  elseif in_library and (type(value) == "number" or type(value) == "string") then
    pieces[#pieces + 1] = tostring(value)
  end
end

function add(f, pieces, seen)
  local code = not seen[f] and function_code(f)
  if not code then return end
  seen[f] = true
  pieces[#pieces + 1] = code
  local in_library = debug.getinfo(f, "S").source:sub(1, 6) == "=[apo]"
  for i = 1, 255 do
    local name, value = debug.getupvalue(f, i)
    if not name then return end
    add_upvalue(name, value, in_library, pieces, seen)
  end
end

-- The code, nil for a compiled function.
return function(f)
  local pieces = {}
  add(f, pieces, {modules = modules()})
  return pieces[1] and table.concat(pieces, "\0")
end
