-- Time limit of one reward call. The default is far above what a parser or comparison needs, even
-- on a loaded machine, and short enough to find an endless loop.

return {
  name = "reward_timeout", type = "number", minimum = 0, default = 30,
  text = "seconds after which a call of a reward is stopped with an error; math.huge for no "
    .. "limit",
}
