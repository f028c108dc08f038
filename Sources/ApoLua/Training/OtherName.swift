// What options are called in TRL, verl, OpenRLHF, transformers and vLLM: the error for an unknown
// option answers with our name, and docs/reference.md has the list.

/// Names of an option elsewhere, and what it is called here.
struct OtherName {
  let names: [String]
  /// Our option, or `eval.every` for one inside another.
  let ours: String
  /// The algorithm that takes it, if it is no option of apo.train.
  var algorithm: String?
  /// What is different.
  var note = ""

  /// The option outside the dot.
  var outer: String { ours.split(separator: ".").first.map(String.init) ?? ours }

  /// What an option that is unknown is called here; nil for an option that no row has.
  static func explanation(of name: String, known: [String]) -> String? {
    guard name.utf8.count <= 64 else { return nil }
    let rows = all.filter { $0.names.contains(name) }
    // Of two rows the first whose option can be given wins: `kl_coef` is an option of GRPO, and
    // called `beta` where A*-PO takes options.
    for row in rows {
      let note = row.note.isEmpty ? "" : " (\(row.note))"
      if known.contains(row.outer), row.outer != name {
        return "`\(name)` is called `\(row.ours)` here\(note)"
      }
      if known.contains("algorithm"), let algorithm = row.algorithm {
        let option = "apo.algorithms.\(algorithm){\(row.ours) = …}"
        let start =
          row.ours == name
          ? "`\(name)` is an option of algorithms here"
          : "`\(name)` is called `\(row.ours)` here, an option of algorithms"
        return "\(start): algorithm = \(option)\(note)"
      }
    }
    return nil
  }

  /// In the order of apo.train's options.
  static let all = [
    OtherName(names: ["model", "actor", "actor_model", "pretrain"], ours: "policy"),
    OtherName(names: ["policy", "actor", "llm"], ours: "model"),
    OtherName(
      names: ["ref_model", "ref_policy", "reference_model", "ref_pretrain"], ours: "reference"),
    OtherName(names: ["adv_estimator", "advantage_estimator", "loss_type"], ours: "algorithm"),
    OtherName(
      names: [
        "train_dataset", "dataset", "train_data", "data_source", "prompt_data", "train_files",
      ],
      ours: "data"),
    OtherName(
      names: [
        "reward_funcs", "reward_func", "reward_fn", "reward_function", "reward_model",
        "custom_reward_function", "scorer",
      ], ours: "reward", note: "a function of (row, completion)"),
    OtherName(names: ["reward_weights"], ours: "weights"),
    OtherName(
      names: ["beta", "init_kl_coef", "kl_loss_coef", "kl_penalty_coef"], ours: "kl_coef"),
    OtherName(
      names: ["kl_coef", "init_kl_coef", "kl_loss_coef", "kl_penalty_coef"], ours: "beta",
      note: "of A*-PO; other algorithms take `kl_coef`: apo.algorithms.grpo{kl_coef = …}"),
    OtherName(
      names: ["learning_rate", "actor_learning_rate", "actor_lr"], ours: "lr"),
    OtherName(names: ["optim", "optimizer_type"], ours: "optimizer"),
    OtherName(names: ["adam_beta1", "adam_beta2", "adam_betas"], ours: "betas"),
    OtherName(names: ["adam_epsilon", "adam_eps"], ours: "eps"),
    OtherName(names: ["lr_scheduler_type", "lr_scheduler", "warmup_style"], ours: "schedule"),
    OtherName(names: ["warmup_steps", "num_warmup_steps", "lr_warmup_steps"], ours: "warmup"),
    OtherName(
      names: ["warmup_ratio", "lr_warmup_ratio", "lr_warmup_steps_ratio"], ours: "warmup",
      note: "a number of steps, not a share of them"),
    OtherName(
      names: ["max_norm", "grad_clip", "clip_grad", "clip_grad_norm", "gradient_clip_val"],
      ours: "max_grad_norm"),
    OtherName(names: ["entropy_coeff", "entropy_loss_coef", "ent_coef"], ours: "entropy_coef"),
    OtherName(
      names: [
        "per_device_train_batch_size", "train_batch_size", "rollout_batch_size",
        "generation_batch_size", "gen_batch_size",
      ], ours: "batch_size", note: "counted in prompts"),
    OtherName(
      names: ["per_device_eval_batch_size", "eval_batch_size", "val_batch_size"],
      ours: "batch_size", note: "counted in prompts"),
    OtherName(
      names: ["ppo_mini_batch_size", "mini_batch_size", "minibatch_size"], ours: "mini_batch",
      note: "prompts per update"),
    OtherName(
      names: [
        "ppo_micro_batch_size", "ppo_micro_batch_size_per_gpu", "micro_batch_size",
        "micro_train_batch_size",
      ], ours: "micro_batch", note: "sequences per backward pass"),
    OtherName(
      names: ["gradient_accumulation_steps"], ours: "micro_batch",
      note: "sequences per backward pass, whose gradients add up; not a number of passes"),
    OtherName(
      names: ["num_train_epochs", "num_epochs", "n_epochs", "total_epochs"], ours: "epochs"),
    OtherName(
      names: ["total_training_steps", "max_train_steps", "num_steps", "total_steps"],
      ours: "max_steps"),
    OtherName(names: ["shuffle_dataset", "data_shuffle"], ours: "shuffle"),
    OtherName(names: ["dataloader_drop_last"], ours: "drop_last"),
    OtherName(names: ["data_seed", "random_seed", "random_state"], ours: "seed"),
    OtherName(names: ["sampling_temperature"], ours: "temperature"),
    OtherName(names: ["do_sample", "greedy"], ours: "temperature", note: "0 is greedy"),
    OtherName(
      names: [
        "max_completion_length", "max_new_tokens", "max_response_length", "response_length",
        "generate_max_len", "max_length",
      ], ours: "max_tokens"),
    OtherName(
      names: ["max_prompt_length", "prompt_max_len"], ours: "overlong",
      note: "what happens to rows whose prompt leaves no room in the context"),
    OtherName(names: ["stop_strings", "stop_sequences", "stop_words"], ours: "stop"),
    OtherName(names: ["eos_token_id"], ours: "stop_token_ids"),
    OtherName(names: ["eval_dataset", "eval_data", "val_files", "test_data"], ours: "eval.data"),
    OtherName(names: ["eval_dataset", "eval_data", "val_files", "test_data"], ours: "data"),
    OtherName(names: ["eval_steps", "eval_interval", "test_freq"], ours: "eval.every"),
    OtherName(
      names: ["output_dir", "logging_dir", "save_path", "ckpt_path", "default_local_dir"],
      ours: "dir"),
    OtherName(
      names: ["resume_from_checkpoint", "load_checkpoint", "resume_mode"], ours: "resume"),
    OtherName(names: ["save_steps", "save_freq"], ours: "save_every"),
    OtherName(names: ["save_total_limit", "max_ckpt_num"], ours: "keep.last"),
    OtherName(names: ["metric_for_best_model", "load_best_model_at_end"], ours: "keep.best"),
    OtherName(names: ["greater_is_better"], ours: "keep.mode"),
    OtherName(names: ["logging_steps", "log_interval", "log_freq"], ours: "log_every"),
    OtherName(names: ["num_completions_to_print"], ours: "log_completions"),
    OtherName(names: ["callbacks", "callback"], ours: "on_step"),
    OtherName(names: ["disable_tqdm"], ours: "quiet"),
    OtherName(
      names: [
        "num_generations", "n_samples_per_prompt", "num_return_sequences", "samples_per_prompt",
        "num_samples", "group_size", "n",
      ], ours: "n", algorithm: "grpo"),
    OtherName(
      names: [
        "epsilon", "epsilon_low", "clip_range", "cliprange", "clip_ratio", "clip_ratio_low",
        "eps_clip", "clip_eps", "clip",
      ], ours: "clip", algorithm: "grpo"),
    OtherName(
      names: ["epsilon_high", "clip_ratio_high", "eps_clip_high", "clip_high"],
      ours: "clip_high", algorithm: "grpo"),
    OtherName(
      names: ["num_iterations", "ppo_epochs", "num_ppo_epochs", "inner_epochs"],
      ours: "inner_epochs", algorithm: "grpo"),
    OtherName(names: ["loss_agg_mode", "average"], ours: "average", algorithm: "grpo"),
    OtherName(
      names: ["cliprange_value", "value_clip_range", "value_clip"], ours: "value_clip",
      algorithm: "ppo"),
    OtherName(names: ["lam", "gae_lambda", "lambda"], ours: "lambda", algorithm: "ppo"),
    OtherName(names: ["gamma"], ours: "gamma", algorithm: "ppo"),
    OtherName(names: ["critic_learning_rate", "critic_lr"], ours: "critic_lr", algorithm: "ppo"),
    OtherName(names: ["critic", "critic_model"], ours: "critic", algorithm: "ppo"),
    OtherName(names: ["torch_dtype", "precision"], ours: "dtype"),
    OtherName(names: ["rank", "lora_rank", "lora_r"], ours: "r"),
    OtherName(names: ["alpha"], ours: "lora_alpha"),
  ]
}
