-- The id of a run in other programs: random, in run.json from the start.

local hash = require "apo".system.hash

local function new()
  local file <close> = assert(io.open("/dev/urandom", "rb"))
  return (file:read(16):gsub(".", function(c) return ("%02x"):format(c:byte()) end))
end

-- That of a run by its run.json; of one that was started before there were ids, always the same.
local function of(about)
  if type(about.id) == "string" and about.id:find "^%x+$" then return about.id end
  local start = tostring(about.started)
  return hash(start) .. hash(start .. tostring(about.script))
end

return {new = new, of = of}
