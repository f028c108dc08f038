-- How long one call of a reward may take. The default is far above what a parser or a comparison
-- needs, also on a loaded machine, and short enough to find a loop without end by.

return {
  name = "reward_timeout", type = "number", minimum = 0, default = 30,
  text = "seconds that one call of a reward may take before it is stopped and named; math.huge "
    .. "for any",
}
