-- What apo.fork tells the next run that is opened: which checkpoint it begins with.

local forking = {}

local plan

-- Says where the next run begins: {from = folder of the parent, step =, id = of the parent}.
function forking.next(of) plan = of end

-- Takes it.
function forking.take()
  local of = plan
  plan = nil
  return of
end

return forking
