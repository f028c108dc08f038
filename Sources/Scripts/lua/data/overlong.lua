-- The option of apo.train, apo.evaluate and apo.estimate_values for prompts that are too long.

return {
  name = "overlong", one_of = {"error", "drop", "truncate_left"}, default = "error",
  text = "what to do with rows whose prompt leaves no room for `max_tokens` in the model's "
    .. "context: raise an error that names them before anything is sampled, drop the rows, or "
    .. "drop the first tokens of the prompt. Their number is printed",
}
