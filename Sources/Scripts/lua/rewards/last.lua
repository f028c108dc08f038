-- The rewards that rollouts were given last, for showing them in a session.

return setmetatable({}, {__mode = "k"})
