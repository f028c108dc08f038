-- What every specification gets as its argument: checks, the fixtures' folder, an empty folder.
local support = {}

-- Whether two values are equal, tables by content.
local function same(a, b)
  if a == b then return true end
  if type(a) ~= "table" or type(b) ~= "table" then return false end
  for key, value in pairs(a) do
    if not same(value, b[key]) then return false end
  end
  for key in pairs(b) do
    if a[key] == nil then return false end
  end
  return true
end

local function show(value)
  if type(value) ~= "table" then return type(value) == "string" and ("%q"):format(value)
    or tostring(value) end
  local parts = {}
  for key, inner in pairs(value) do parts[#parts + 1] = tostring(key) .. " = " .. show(inner) end
  return "{" .. table.concat(parts, ", ") .. "}"
end

function support.equal(given, expected)
  if not same(given, expected) then
    error(("%s expected, got %s"):format(show(expected), show(given)), 2)
  end
end

function support.close(given, expected, tolerance)
  if math.abs(given - expected) > (tolerance or 1e-6) then
    error(("%s expected, got %s"):format(expected, given), 2)
  end
end

-- The function must raise an error that contains the text.
function support.raises(text, f, ...)
  local ok, message = pcall(f, ...)
  if ok then error("no error; expected: " .. text, 2) end
  if not tostring(message):find(text, 1, true) then
    error(("expected an error with %q, got %q"):format(text, tostring(message)), 2)
  end
end

function support.write(path, text)
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
end

function support.read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read("a")
  file:close()
  return text
end

-- A training that takes no time, of a tiny model on made-up rows. Gives what its specs need:
--
--   train(changes, …)   runs it, with other options than those that were given here; false takes
--                       a function or a model out
--   folder()            another path each time
--   steps(dir)          the names of a run's checkpoints
--   data, model(), reward, target, regression
function support.training(spec, given)
  local apo = require "apo"
  local set_up, rows, count = {}, {}, 0
  for i = 1, given.rows do rows[i] = {prompt = (given.prompt or "What is %d plus 2?"):format(i)} end
  set_up.data = apo.dataset(rows)
  function set_up.model() return apo.load(spec.fixtures .. "/models/tiny-qwen2-tied") end
  function set_up.reward(_, completion) return #completion.text % 3 / 2 end
  function set_up.target(s) return s.reward end
  function set_up.regression(b) return ((1e-2 * (b.logp - b.ref_logp) - b.target) ^ 2):mean() end

  function set_up.train(...)
    local options = {
      policy = set_up.model(), data = set_up.data, reward = set_up.reward, target = set_up.target,
      lr = 3e-3, batch_size = 4, max_tokens = 4, seed = 7, quiet = true,
    }
    for _, more in ipairs{given.options or {}, ...} do
      for name, value in pairs(more) do
        if value == false and type(options[name]) ~= "boolean" then value = nil end
        options[name] = value
      end
    end
    return apo.train(options)
  end

  function set_up.folder()
    count = count + 1
    return ("%s/run%d"):format(spec.folder, count)
  end

  function set_up.steps(dir)
    local found = {}
    for _, name in ipairs(apo.system.list(dir .. "/checkpoint")) do
      if name:find "^step" then found[#found + 1] = name end
    end
    return found
  end
  return set_up
end

return support
