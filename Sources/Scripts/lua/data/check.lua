-- Checks the rows of a data set before anything is sampled: prompts, the columns that the reward
-- needs, recorded values. So an overnight run does not fail at its last row.

local apo = require "apo"
local fail = require "apo.fail"
local prompts, needs = require "apo.prompts", require "apo.data.needs"
local new_faults = require "apo.data.faults"

local chunk = 512

local said = setmetatable({}, {__mode = "k"})  -- data set -> what was said of it

-- A bar, once a second has passed.
local function progress(total, quiet)
  local start, bar = apo.system.clock(), nil
  return function(count, done)
    if not bar and apo.system.clock() - start > 1 then
      bar = apo.progress{title = "checking data", unit = "rows", total = total, done = done,
                         quiet = quiet}
    elseif bar then
      bar:advance(count)
    end
    if bar and done == total then bar:clear() end
  end
end

-- What is wrong with a row apart from its prompt, or nil.
local function problem(check, row)
  local text = check.reward and needs.problem(check.reward, row)
  if text or not check.values or check.values:has(row) then return text end
  return "it has no recorded value: it is not in the data that was sampled, or was changed"
end

-- Partitions the rows: kept, overlong prompt, other fault.
local function sort(check)
  local rows, kept, long, faults = check.data.rows, {}, new_faults(), new_faults()
  local advance = progress(#rows, check.quiet)
  for first = 1, #rows, chunk do
    local last = math.min(first + chunk - 1, #rows)
    local of_prompts = {}
    for _, fault in ipairs(prompts.check(check.model, rows, first, last, check.max_tokens)) do
      of_prompts[fault.position] = fault
    end
    for i = first, last do
      local row, fault = rows[i], of_prompts[i]
      local is_long = fault and fault.overlong and check.overlong ~= "error"
      if is_long then long:add(row, i) end
      local text = fault and not is_long and fault.text
        or not (is_long and check.overlong == "drop") and problem(check, row)
      if text then faults:add(row, i, text) end
      if fault and fault.overlong then check.advises = true end
      if not (is_long and check.overlong == "drop") then kept[#kept + 1] = row end
    end
    advance(last - first + 1, last)
  end
  return kept, long, faults
end

local function describe(check, long)
  return ("%d of %d prompts %s too long for max_tokens = %d; %s (overlong = \"%s\"): %s"):format(
    long.count, #check.data, long.count == 1 and "is" or "are", check.max_tokens,
    check.overlong == "drop" and "the rows are left out" or "the first tokens are left out",
    check.overlong, long:places())
end

-- Checks the rows of `data` for `model`, with completions of `max_tokens`; `name` is the function
-- for errors. Rows must also have what `reward` needs and a value in `values`, if given. Returns
-- the data without dropped rows, the number of overlong prompts, and a message about them (nil if
-- already reported).
return function(check)
  local kept, long, faults = sort(check)
  faults:raise(check.name, check.advises and check.overlong == "error" and '; overlong = "drop" '
    .. 'leaves such rows out, overlong = "truncate_left" the first tokens of their prompts')
  if #kept == 0 then
    fail(("%s: the prompts of all %d rows are too long for max_tokens = %d in the model's context")
      :format(check.name, #check.data, check.max_tokens))
  end
  if long.count == 0 then return check.data, 0, nil end
  local text = describe(check, long)
  local is_new = said[check.data.rows] ~= text
  said[check.data.rows] = text
  if #kept == #check.data.rows then return check.data, long.count, is_new and text or nil end
  local stays = {}
  for _, row in ipairs(kept) do stays[row] = true end
  local data = check.data:filter(function(row) return stays[row] end)
  return data, long.count, is_new and text or nil
end
