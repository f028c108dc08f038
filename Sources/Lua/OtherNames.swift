// What options of transformers, TRL, verl and vLLM are called here, for "did you mean".

private let otherNames: [String: [String]] = [
  "data_source": ["data"],
  "do_sample": ["temperature"],
  "eval_dataset": ["eval", "data"],
  "eval_steps": ["every", "eval"],
  "gradient_accumulation_steps": ["micro_batch"],
  "learning_rate": ["lr"],
  "logging_steps": ["log_every"],
  "lr_scheduler_type": ["schedule"],
  "max_completion_length": ["max_tokens"],
  "max_length": ["max_tokens"],
  "max_new_tokens": ["max_tokens"],
  "max_response_length": ["max_tokens"],
  "model": ["policy"],
  "num_epochs": ["epochs"],
  "num_generations": ["n"],
  "num_return_sequences": ["n"],
  "num_samples": ["n"],
  "num_train_epochs": ["epochs"],
  "output_dir": ["dir"],
  "per_device_train_batch_size": ["batch_size"],
  "policy": ["model"],
  "ref_model": ["reference"],
  "reward_fn": ["reward"],
  "reward_funcs": ["reward"],
  "reward_weights": ["weights"],
  "save_steps": ["save_every"],
  "train_dataset": ["data"],
  "warmup_steps": ["warmup"],
]

/// The known option that does what an option of another library does; nil when there is none.
func nameHere(of name: String, in known: [String]) -> String? {
  guard name.utf8.count < 64 else { return nil }  // long ones take long to look up
  return otherNames[name]?.first(where: known.contains)
}
