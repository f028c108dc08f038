-- The option `resume` of apo.train and apo.run: which checkpoint to resume from, and whether the
-- settings may differ from the original ones.

local fail = require "apo.fail"

local expected = 'true, "force", the name of a checkpoint such as "step-20", or both: '
  .. '{from = "step-20", force = true}'

local function is_checkpoint(name) return type(name) == "string" and name:find "^step%-%d+$" end

local function wrong(caller, given)
  fail(("%s: option 'resume' must be %s, got %s"):format(caller, expected, given))
end

local function of_table(caller, given)
  for name in pairs(given) do
    if name ~= "from" and name ~= "force" then
      fail(("%s: option 'resume' has an unknown field '%s'; known: from, force"):format(
        caller, tostring(name)))
    end
  end
  if given.from ~= nil and not is_checkpoint(given.from) then
    wrong(caller, ("from = %s"):format(type(given.from) == "string" and ("%q"):format(given.from)
      or type(given.from)))
  elseif given.force ~= nil and type(given.force) ~= "boolean" then
    wrong(caller, "force = " .. type(given.force))
  end
  return {from = given.from, force = given.force}
end

-- Returns false, or {from = "step-N" or nil for the last one, force = whether settings may differ}.
return function(caller, o)
  local given = o.resume
  if not given then return false end
  if not o.dir then fail(caller .. ": option 'resume' needs 'dir', the folder of the run") end
  if type(given) == "table" then return of_table(caller, given) end
  if given == true then return {} end
  if given == "force" then return {force = true} end
  if is_checkpoint(given) then return {from = given} end
  return wrong(caller, ("%q"):format(given))
end
