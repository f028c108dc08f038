-- The option of apo.train, apo.evaluate and apo.estimate_values for prompts that are too long.

return {
  name = "overlong", one_of = {"error", "drop", "truncate_left"}, default = "error",
  text = "what is done with rows whose prompt leaves no room for `max_tokens` in the model's "
    .. "context: an error that names them, before anything is sampled; leave them out; or leave "
    .. "out the first tokens of the prompt. How many there are is said",
}
