-- The options of how a run is recorded, which apo.run and apo.train share.

local free, session = {resume = "free"}, {resume = "session"}
local live = {resume = "free", live = true}  -- `live`: `apo-lua attach` may change it in a run

return {
  {name = "dir", type = "string", optional = true, notes = session,
   text = "the run folder"},
  {name = "resume", type = "boolean or string or table", default = false, notes = session,
   text = "continue the run in `dir` from its last checkpoint; `\"step-N\"` continues from that "
     .. "of step N and discards what came later; `\"force\"` continues even if settings or "
     .. "functions have changed, and records the changes in events.jsonl; `{from = \"step-N\", "
     .. "force = true}` does both"},
  {name = "save_every", type = "integer", minimum = 1, optional = true, notes = live,
   text = "steps between checkpoints; one is always saved at the end and when the run is "
     .. "stopped"},
  {name = "save_minutes", type = "number", minimum = 0, default = 10, notes = live,
   text = "minutes between checkpoints; math.huge to turn this off"},
  {name = "keep", optional = true, notes = free, text = "which checkpoints to keep", fields = {
    {name = "last", type = "integer", minimum = 1, default = 2, notes = live,
     text = "how many of the latest"},
    {name = "best", type = "string", optional = true,
     text = "a metric of metrics.jsonl, such as `eval/reward`: also keep the best of the "
       .. "checkpoints whose step logged it. For an `eval/` metric, every new best is saved"},
    {name = "mode", one_of = {"max", "min"}, default = "max",
     text = "whether higher or lower is better; `min` for `loss` or `eval/mean_length`"},
  }},
  {name = "attach", type = "boolean", default = true, notes = session,
   text = "let `apo-lua attach` ask and steer the run, if it has a `dir`; see docs/attach.md"},
  {name = "log_every", type = "integer", minimum = 1, default = 1, notes = {live = true},
   text = "steps between log lines"},
  {name = "columns", type = "list of strings", optional = true, notes = session,
   text = "the metrics that the terminal shows after the step"},
  {name = "tensorboard", type = "boolean", default = false, notes = session,
   text = "also write event files of TensorBoard into `dir`; see docs/trackers.md"},
  {name = "trackio", type = "string", optional = true, notes = session,
   text = "the name of a Trackio project that the metrics are also written to; see "
     .. "docs/trackers.md"},
  {name = "quiet", type = "boolean", default = false, notes = session,
   text = "print nothing, except how to resume after a signal"},
}
