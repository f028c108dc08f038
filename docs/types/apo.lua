---@meta apo
---@diagnostic disable
-- The module apo for language servers. Written by `apo-lua types`; do not edit.

---@alias apo.values.dtype "float32"|"bfloat16"

---@alias apo.values.overlong "error"|"truncate_left"

---@alias apo.values.dtype_2 "float32"|"bfloat16"|"float16"

---@alias apo.values.mode "optimal"|"mean"|"max"|"zero"

---@alias apo.values.overlong_2 "error"|"drop"|"truncate_left"

---@alias apo.values.kv_cache_dtype "float32"|"bfloat16"

---@alias apo.values.reference_dtype "float32"|"bfloat16"

---@alias apo.values.x_scale "linear"|"log"

---@alias apo.values.y_scale "linear"|"log"

---@alias apo.values.mode_2 "max"|"min"

---@alias apo.values.algorithm "astarpo"|"dapo"|"dr_grpo"|"grpo"|"oapl"|"online_dpo"|"ppo"|"rebel"|"reinforce"|"rloo"

---@alias apo.values.schedule "constant"|"linear"|"cosine"

---@alias apo.values.kl "k1"|"k2"|"k3"

---@alias apo.values.average "completion"|"token"

---@alias apo.values.baseline "running"|"batch"|"none"

---@alias apo.values.mode_3 "strict"|"flexible"

---@alias apo.values.shape "overlong"|"cosine"

---@alias apo.values.decimal "."|","

---@alias apo.values.stream "stdin"|"stdout"|"stderr"

---@alias apo.values.kind "k1"|"k2"|"k3"

---@class apo.Dataset.batches.options
---@field size integer rows per batch
---@field epochs? integer passes over the rows (default: 1)
---@field shuffle? boolean reshuffle every epoch (default: false)
---@field seed? integer seed of the order; default: the run's
---@field drop_last? boolean drop an incomplete last batch (default: false)
---@field start_step? integer the first step to return (default: 1)

---@class apo.Model.add_adapter.options
---@field r? integer rank of the factors (default: 8)
---@field lora_alpha? number the update is scaled by lora_alpha / r (default: 8)
---@field target_modules? string|string[] names of linear layers or their suffixes, or `all-linear`; default: as in PEFT, q_proj and v_proj, or c_attn in GPT-2
---@field use_rslora? boolean scale by lora_alpha / sqrt(r) instead (arXiv 2312.03732) (default: false)
---@field rank_pattern? table ranks by name suffix
---@field alpha_pattern? table lora_alpha by name suffix
---@field seed? integer seed of the initial values; default: from the run's

---@class apo.Model.clone.options
---@field dtype? apo.values.dtype dtype of the copy's matrices; default: unchanged

---@class apo.Model.generate.options
---@field n? integer completions per prompt (default: 1)
---@field temperature? number divides the logits; 0 is greedy (default: 1)
---@field top_k? integer sample from this many of the most likely tokens (and ties with the last); 0 for all (default: 0)
---@field top_p? number sample from the fewest most likely tokens whose probabilities add up to this (default: 1)
---@field min_p? number minimum probability of a token, relative to the most likely one (default: 0)
---@field max_tokens? integer|integer[] maximum tokens per completion, or a list with one number per prompt (default: 16)
---@field stop? string|string[] texts that end a completion; `ids` includes the token that completed one, `text` ends before it
---@field stop_token_ids? integer[] tokens that end a completion; `ids` includes them, `text` does not
---@field ignore_eos? boolean continue after an end token (default: false)
---@field max_num_seqs? integer maximum number of completions sampled at a time; default: up to 256 that fit into 1 GiB of cache
---@field overlong? apo.values.overlong what to do with a prompt that leaves no room for `max_tokens` in the model's context: raise an error, or drop its first tokens (default: "error")
---@field seed? integer the seed; default: the run's, see apo.seed
---@field step? integer distinguishes calls with the same seed; default: the number of the call since apo.seed
---@field first_sample? integer[] the number of each prompt's first sample, from 0, which distinguishes samples of calls with the same seed and step; default: n times the earlier occurrences of the row in the call
---@field adapter? boolean false: without the model's adapter, as the base model (default: true)

---@class apo.Model.logprobs.options
---@field per_token? boolean one value per token of all completions, concatenated (default: false)
---@field temperature? number divides the logits; default: the sampling temperature
---@field entropy? boolean return the entropies as a second result (default: false)
---@field micro_batch? integer completions held at a time for `backward`, which then recomputes them; default: all, or about 1,500 tokens for fresh samples
---@field adapter? boolean false: without the model's adapter, as the base model (default: true)

---@class apo.Model.save.options
---@field dtype? apo.values.dtype_2 dtype of the saved weights; default: as in memory
---@field max_shard_size? integer|string maximum bytes of weights per file, as a number or as "5GB", "500MB", "2GiB" (default: "50GB")

---@class apo.Model.save_adapter.options
---@field dtype? apo.values.dtype dtype of the factors (default: "float32")

---@class apo.Optimizer.step.options
---@field max_grad_norm? number clip the gradients to this norm, above 0; omit or math.huge for no clipping

---@class apo.Rollout.lengths.options
---@field prompt? boolean those of the prompts instead (default: false)

---@class apo.Rollout.logprobs.options
---@field per_token? boolean a value per token instead (default: false)

---@class apo.Step.generate.options
---@field n? integer completions per prompt (default: 1)
---@field rows? table[] default: the whole batch
---@field model? apo.Model the sampler; default: the policy

---@class apo.Step.logprobs.options
---@field per_token? boolean a value per token (default: false)

---@class apo.Step.minibatches.options
---@field n? integer group size: how many consecutive completions belong together (default: 1)
---@field epochs? integer number of passes (default: 1)

---@class apo.Step.reference_logprobs.options
---@field per_token? boolean a value per token (default: false)

---@class apo.Tensor.backward.gradient
---@field retain_graph? boolean keep the graph for another `backward` (default: false)

---@class apo.Tensor.backward.options
---@field retain_graph? boolean keep the graph for another `backward` (default: false)

---@class apo.Tokenizer.apply_chat_template.options
---@field add_generation_prompt? boolean end with the start of an assistant message (default: false)
---@field continue_final_message? boolean end with the last message's content, without closing it (default: false)
---@field tokenize? boolean return token ids instead of text (default: false)
---@field tools? table[]|string tools in JSON schema, or their JSON text
---@field documents? table[]|string documents with `title` and `text`
---@field enable_thinking? boolean a variable of templates such as Qwen3's
---@field chat_template_kwargs? table other variables of the template, by name
---@field template? string which template, if the tokenizer has several
---@field chat_template? string|function a template, or a function of (messages, options) that returns the text

---@class apo.Tokenizer.decode.options
---@field skip_special_tokens? boolean skip special tokens (default: false)

---@class apo.Tokenizer.encode.options
---@field add_special_tokens? boolean add the special tokens that the model expects, such as a BOS token (default: true)

---@class apo.ValueModel.values.options
---@field micro_batch? integer completions held at a time for `backward`, which then recomputes them

---@class apo.algorithm.options
---@field name string a short name, for logs and errors
---@field summary string one-sentence description
---@field details? string further text for the reference (default: "")
---@field options? table[] its options: `name`, `type`, `text`, `default` or `optional`, `minimum`, `maximum`
---@field takes? table which of apo.train's options `values`, `target`, `loss`, `beta` it uses: a list of names; they are added to its own options in the second argument of `start` and `step`
---@field needs_reference? boolean|function whether it uses the reference policy, or a function of the options that returns this (default: false)
---@field n? integer|function completions per prompt, or a function of the options that returns this; default: its option `n`, or 1. Used for the memory estimate
---@field single_update? boolean|function whether a step makes one update if `mini_batch` does not split it, or a function of the options that returns this; otherwise runs with `dir` copy the trained weights and Adam moments before a step's first update, to restore them if the step is stopped midway (default: false)
---@field fresh_samples? boolean|function whether it makes one update per rollout, on the complete rollout that the policy just sampled with `generate`: not of another model, not chosen by `select`. Such an update holds the activations of only some samples at a time; used for the memory estimate (default: false)
---@field critic? any the critic that it trains in addition to the policy: an apo.ValueModel, an apo.Model or its folder, `true` for one of the policy's size, or a function of the options that returns one of these. Used for the memory estimate
---@field sampler? boolean|function whether it keeps a frozen copy of the policy to sample from. Used for the memory estimate (default: false)
---@field warnings? table functions by the name of a warning of apo.train (`zero_gradient`, `nothing_updated` …): receives the metrics of the step, returns a better text, or nil
---@field start? function called before the first step with the run (`policy`, `reference`, `options`, which are apo.train's, and `run:adamw(parameters, lr)`, an optimizer with its settings) and its own options; returns a table of models, optimizers, numbers and strings, which becomes `s.state` and is saved in checkpoints. A step may change models in it only after its first update, or in a way that repeating the step repeats
---@field step function one step: receives an apo.Step and its own options
---@field loss? function the formula, for tests and scripts

---@class apo.char_tokenizer.options
---@field alphabet string the characters; their ids follow the special tokens'
---@field eos? string the token that ends a text (default: "<eos>")
---@field bos? string the token that begins a text
---@field pad? string the token for padding
---@field unknown? string the token for all other characters

---@class apo.dataset.options
---@field prompt? (fun(row: table): string|integer[]|table[]) makes the prompt of a row from its columns
---@field chat_template? boolean whether messages are rendered with the chat template; false uses the content of a single user message as the prompt, as the A*-PO authors do (default: true)

---@class apo.estimate_values.options
---@field model apo.Model the reference policy
---@field adapter? boolean false: the model without its adapter (default: true)
---@field data apo.Dataset the rows
---@field reward (fun(row: table, completion: apo.Completion, state?: table): number|table<string, number>)|table as for apo.score
---@field weights? table weights of the rewards, as for apo.score
---@field reward_timeout? number seconds after which a call of a reward is stopped with an error; math.huge for no limit (default: 30)
---@field reward_memory? number|string memory of Lua's own, in bytes or as "256 MB", that one call of a reward may take before it is stopped and named; as much as there is when not given
---@field n? integer samples per prompt (default: 8)
---@field beta? number beta1: 0 gives the best sample, infinity the mean (default: 0.5)
---@field mode? apo.values.mode how values are computed from rewards (default: "optimal")
---@field drop_unsolved? boolean whether apo.train drops the rows that no sample solved (default: false)
---@field correct? number|(fun(reward: number, completion: apo.Completion): boolean) the minimum reward of a correct answer, or a function of the reward that says whether it is one (default: 0.5)
---@field temperature? number divides the logits; 0 is greedy (default: 1)
---@field top_k? integer sample from this many of the most likely tokens (and ties with the last); 0 for all (default: 0)
---@field top_p? number sample from the fewest most likely tokens whose probabilities add up to this (default: 1)
---@field min_p? number minimum probability of a token, relative to the most likely one (default: 0)
---@field max_tokens integer longest completion
---@field stop? string|string[] texts that end a completion; `ids` includes the token that completed one, `text` ends before it
---@field stop_token_ids? integer[] tokens that end a completion; `ids` includes them, `text` does not
---@field ignore_eos? boolean continue after an end token (default: false)
---@field max_num_seqs? integer maximum number of completions sampled at a time; default: up to 256 that fit into 1 GiB of cache
---@field overlong? apo.values.overlong_2 what to do with rows whose prompt leaves no room for `max_tokens` in the model's context: raise an error that names them before anything is sampled, drop the rows, or drop the first tokens of the prompt. Their number is printed (default: "error")
---@field batch_size? integer prompts sampled at a time; does not change the result (default: 32)
---@field seed? integer seed of the samples; default: that of the file or the run
---@field path? string file of the rewards
---@field quiet? boolean show no progress bar (default: false)

---@class apo.evaluate.options
---@field model apo.Model the model
---@field data apo.Dataset the rows
---@field reward (fun(row: table, completion: apo.Completion, state?: table): number|table<string, number>)|table as for apo.score
---@field weights? table weights of the rewards, as for apo.score
---@field reward_timeout? number seconds after which a call of a reward is stopped with an error; math.huge for no limit (default: 30)
---@field reward_memory? number|string memory of Lua's own, in bytes or as "256 MB", that one call of a reward, `answer` or `correct` may take before it is stopped and named; as much as there is when not given
---@field n? integer samples per prompt (default: 1)
---@field temperature? number divides the logits; 0 is greedy (default: 0)
---@field top_k? integer sample from this many of the most likely tokens (and ties with the last); 0 for all (default: 0)
---@field top_p? number sample from the fewest most likely tokens whose probabilities add up to this (default: 1)
---@field min_p? number minimum probability of a token, relative to the most likely one (default: 0)
---@field max_tokens integer longest completion
---@field stop? string|string[] texts that end a completion; `ids` includes the token that completed one, `text` ends before it
---@field stop_token_ids? integer[] tokens that end a completion; `ids` includes them, `text` does not
---@field ignore_eos? boolean continue after an end token (default: false)
---@field max_num_seqs? integer maximum number of completions sampled at a time; default: up to 256 that fit into 1 GiB of cache
---@field overlong? apo.values.overlong_2 what to do with rows whose prompt leaves no room for `max_tokens` in the model's context: raise an error that names them before anything is sampled, drop the rows, or drop the first tokens of the prompt. Their number is printed (default: "error")
---@field answer? (fun(completion: apo.Completion): any) extracts the answer of a completion for the majority vote, nil if there is none; default: the whole text
---@field correct? number|(fun(reward: number, completion: apo.Completion): boolean) the minimum reward of a correct answer, or a function of (reward, completion) that says whether it is one (default: 0.5)
---@field batch_size? integer prompts sampled at a time; does not change the result (default: 64)
---@field seed? integer of the samples (default: 20250527)
---@field path? string file for prompts and samples, one line per row; written atomically
---@field state? table as for apo.score
---@field title? string of the progress bar (default: "evaluation")
---@field quiet? boolean show no progress bar (default: false)

---@class apo.load.options
---@field dtype? apo.values.dtype dtype of the matrices in memory; bfloat16 cannot be trained (default: "float32")
---@field kv_cache_dtype? apo.values.kv_cache_dtype dtype of keys and values (default: "float32")

---@class apo.memory_estimate.options
---@field policy apo.Model|string the model, or its folder, of which only config.json is read
---@field reference? apo.Model|string|boolean the reference model, its folder, or `false` if it takes no extra memory; default: a copy of the policy
---@field critic? apo.ValueModel|apo.Model|string a critic that is trained after the policy, the model that it becomes a copy of, or the folder of either
---@field dtype? apo.values.dtype dtype of a policy given as a folder (default: "float32")
---@field kv_cache_dtype? apo.values.kv_cache_dtype KV-cache dtype of a policy given as a folder (default: "float32")
---@field reference_dtype? apo.values.reference_dtype dtype of a reference that is not a loaded model (default: "float32")
---@field train? boolean whether the policy is trained or only sampled (default: true)
---@field batch_size? integer prompts per step (default: 64)
---@field n? integer completions per prompt (default: 1)
---@field mini_batch? integer completions per update; default: all of a step
---@field micro_batch? integer as for `model:logprobs`
---@field fresh? boolean whether each step makes one update on the completions just sampled, without entropies; otherwise the activations of a whole update, or of a `micro_batch`, are held (default: true)
---@field sampler? boolean whether a frozen copy of the policy samples in its place (default: false)
---@field snapshot? boolean whether trained weights and Adam moments are copied before the first update of a step, as apo.train does for steps with several (default: false)
---@field prompt_tokens? integer tokens per prompt (default: 64)
---@field max_tokens? integer longest completion (default: 16)

---@class apo.plot.options
---@field path string file to write: an `.html` page, or an `.svg` with one chart
---@field title? string over the page (default: "")
---@field subtitle? string under the title (default: "")
---@field x_label? string of the horizontal axis (default: "")
---@field y_label? string what is drawn (default: "")
---@field x_scale? apo.values.x_scale of the horizontal axis (default: "linear")
---@field y_scale? apo.values.y_scale of the vertical axis. `log` leaves out points at 0 or below; the chart says how many (default: "linear")
---@field y_range? number[] limits of the vertical axis
---@field series? table[] the lines
---@field charts? table[] several charts instead of `series`, each with `title`, `x_label`, `x_scale`, `y_scale`, `y_range`, `series`

---@class apo.progress.options
---@field total integer total amount of work
---@field done? integer amount already done (default: 0)
---@field title? string what it is (default: "")
---@field unit? string unit of the count (default: "")
---@field quiet? boolean write nothing (default: false)

---@class apo.replay.options.base
---@field target? (fun(sample: apo.Sample): number) as for apo.train
---@field loss? (fun(batch: apo.LossBatch): apo.Tensor, table<string, number>?) as for apo.train

---@class apo.replay.options
---@field target? (fun(sample: apo.Sample): number) as for apo.train; default: the recorded targets. `row` has only the prompt
---@field loss? (fun(batch: apo.LossBatch): apo.Tensor, table<string, number>?) as for apo.train; default: the regression
---@field beta? number beta2; default: the recorded one
---@field model? apo.Model the weights to score with; default: the run's last checkpoint. For step 1 to be exact, pass the run's initial model
---@field base? apo.replay.options.base what to compare with; default: the recorded targets and the regression
---@field first? integer the first step (default: 1)
---@field last? integer the last step
---@field micro_batch? integer sequences per backward pass

---@class apo.rollout.options
---@field tokenizer? apo.Tokenizer encodes texts now; otherwise the scoring model encodes them
---@field eos? boolean append an end token to every completion (default: false)

---@class apo.run.options.keep
---@field last? integer how many of the latest (default: 2)
---@field best? string a metric of metrics.jsonl, such as `eval/reward`: also keep the best of the checkpoints whose step logged it. For an `eval/` metric, every new best is saved
---@field mode? apo.values.mode_2 whether higher or lower is better; `min` for `loss` or `eval/mean_length` (default: "max")

---@class apo.run.options
---@field total? integer the number of steps; default: as many as the batches of `data`
---@field data? apo.Dataset rows that `run:steps()` gives in batches
---@field batch_size? integer rows per step (default: 64)
---@field epochs? integer passes over the data (default: 1)
---@field shuffle? boolean reshuffle every epoch (default: true)
---@field drop_last? boolean drop incomplete batches (default: false)
---@field seed? integer seed of the row order and of the steps' random numbers; default: the process's
---@field save? table the models and optimizers that checkpoints hold: a list, or by names of your own
---@field state? table `run.state`: plain data that checkpoints hold
---@field settings? table what else the result depends on, such as `{lr = 1e-4}`: recorded, and compared when the run is resumed
---@field dir? string the run folder
---@field resume? boolean|string|table continue the run in `dir` from its last checkpoint; `"step-N"` continues from that of step N and discards what came later; `"force"` continues even if settings or functions have changed, and records the changes in events.jsonl; `{from = "step-N", force = true}` does both (default: false)
---@field save_every? integer steps between checkpoints; one is always saved at the end and when the run is stopped
---@field save_minutes? number minutes between checkpoints; math.huge to turn this off (default: 10)
---@field keep? apo.run.options.keep which checkpoints to keep
---@field attach? boolean let `apo-lua attach` ask and steer the run, if it has a `dir`; see docs/attach.md (default: true)
---@field log_every? integer steps between log lines (default: 1)
---@field columns? string[] the metrics that the terminal shows after the step
---@field tensorboard? boolean also write event files of TensorBoard into `dir`; see docs/trackers.md (default: false)
---@field trackio? string the name of a Trackio project that the metrics are also written to; see docs/trackers.md
---@field quiet? boolean print nothing, except how to resume after a signal (default: false)

---@class apo.score.options
---@field weights? table weights by name or position
---@field reward_timeout? number seconds after which a call of a reward is stopped with an error; math.huge for no limit (default: 30)
---@field state? table passed to the functions as third argument, such as the `state` of apo.train
---@field reward_memory? number|string memory of Lua's own, in bytes or as "256 MB", that one call of a function may take before it is stopped and named; as much as there is when not given

---@class apo.sweep.options
---@field script string the script; it calls `apo.settings`
---@field dir string the folder of the runs, of sweep.json and report.html
---@field settings? table a list of settings, or settings by a name that their runs get
---@field grid? table lists of values by name: every combination is run, with each of `settings`
---@field seeds? integer[] every setting is run with each of them (default: {1})
---@field parallel? integer how many runs at a time (default: 1)
---@field threads? integer threads of each run; default: this process's, shared out
---@field metric? string what the table at the end compares; default: `eval/reward`, or `reward` where there are no evaluations
---@field mode? apo.values.mode_2 which of its values is best (default: "max")
---@field program? string another apo-lua for the runs
---@field quiet? boolean print nothing (default: false)

---@class apo.train.options.eval
---@field data apo.Dataset the rows
---@field every? integer steps between evaluations (default: 50)
---@field n? integer samples per prompt (default: 1)
---@field reward? (fun(row: table, completion: apo.Completion, state?: table): number|table<string, number>)|table default: as in training
---@field weights? table weights of the rewards; default: as in training, or 1 if `reward` is given
---@field patience? integer stop training after so many evaluations without a better `keep.best`, or `eval/reward` if that names no `eval/` metric
---@field correct? number|(fun(reward: number, completion: apo.Completion): boolean) the minimum reward of a correct answer, or a function of (reward, completion) that says whether it is one (default: 0.5)
---@field temperature? number divides the logits; 0 is greedy (default: 0)
---@field top_k? integer sample from this many of the most likely tokens (and ties with the last); 0 for all; not as training
---@field top_p? number sample from the fewest most likely tokens whose probabilities add up to this; not as training
---@field min_p? number minimum probability of a token, relative to the most likely one; not as training
---@field max_tokens? integer longest completion; else as training
---@field stop? string|string[] texts that end a completion; `ids` includes the token that completed one, `text` ends before it; else as training
---@field stop_token_ids? integer[] tokens that end a completion; `ids` includes them, `text` does not; else as training
---@field ignore_eos? boolean continue after an end token; else as training
---@field max_num_seqs? integer maximum number of completions sampled at a time; default: up to 256 that fit into 1 GiB of cache; else as training
---@field overlong? apo.values.overlong_2 what to do with rows whose prompt leaves no room for `max_tokens` in the model's context: raise an error that names them before anything is sampled, drop the rows, or drop the first tokens of the prompt. Their number is printed; else as training

---@class apo.train.options.keep
---@field last? integer how many of the latest (default: 2)
---@field best? string a metric of metrics.jsonl, such as `eval/reward`: also keep the best of the checkpoints whose step logged it. For an `eval/` metric, every new best is saved
---@field mode? apo.values.mode_2 whether higher or lower is better; `min` for `loss` or `eval/mean_length` (default: "max")

---@class apo.train.options
---@field policy apo.Model the model to train
---@field reference? apo.Model the model that the policy is kept near. If the algorithm needs one, the default is a frozen copy of the policy, or its base model (at no extra memory) if it has an adapter; other algorithms use it only to log the KL, which costs time
---@field algorithm? apo.values.algorithm|table|function a name, an algorithm made by apo.algorithms, or your own; see apo.algorithm (default: "astarpo")
---@field data apo.Dataset the rows to train on
---@field reward (fun(row: table, completion: apo.Completion, state?: table): number|table<string, number>)|table|string as for apo.score, or the path of a file that returns it
---@field weights? table weights of the rewards, as for apo.score
---@field reward_timeout? number seconds after which a call of a reward is stopped with an error; math.huge for no limit (default: 30)
---@field reward_memory? number|string memory of Lua's own, in bytes or as "256 MB", that one call of a function of the script (a reward, `target`, `loss`, `beta`, `schedule`, `on_step`, `correct`, the step of an algorithm of its own) may take before it is stopped and named; as much as there is when not given
---@field values? apo.Values from apo.estimate_values; needed by A*-PO unless `target` or `loss` does not use it
---@field beta? number|(fun(step: integer, total: integer): number) A*-PO's beta2: how strongly the policy is kept near the reference; or a function of (step, total steps); default: 0.001
---@field target? (fun(sample: apo.Sample): number)|string receives a sample (`reward`, `rewards`, `value`, `row`, `completion`, `logp`, `ref_logp`, `length`, `finish_reason`, `stop_reason`, `step`), returns a number; or the path of a file that returns it; default: `reward - value`
---@field loss? (fun(batch: apo.LossBatch): apo.Tensor, table<string, number>?)|string receives a batch (tensors [B] `logp`, `ref_logp`, `old_logp`, `target`, `reward`, `value`, `entropy`; `rollout`, `rows`, `samples`, `policy`, `reference`, `beta`, `step`), returns a scalar apo.Tensor and optionally a table of metrics to log; or the path of a file that returns it; default: the regression
---@field watch? boolean hot reload: between steps, reload edited files of `target`, `loss` and `reward`; an edit that fails is rejected (default: false)
---@field optimizer? apo.Optimizer default: AdamW with the following settings
---@field lr? number learning rate; required unless `optimizer` is given
---@field betas? number[] decay rates of the first and second moments (default: {0.9, 0.999})
---@field eps? number added to the root of the second moment (default: 1e-08)
---@field weight_decay? number decoupled weight decay (default: 0.01)
---@field schedule? apo.values.schedule|(fun(step: integer, total: integer): number) `constant`, `linear`, `cosine`, or a function of (step, total steps) that returns the factor of the learning rate (default: "constant")
---@field warmup? integer warm-up steps of the learning rate (default: 0)
---@field max_grad_norm? number gradient clipping norm; math.huge for no clipping (default: 1)
---@field entropy_coef? number this times the mean entropy is subtracted from the loss (default: 0)
---@field batch_size? integer prompts per step (default: 64)
---@field mini_batch? integer prompts per update, for several updates per step; default: all in one
---@field micro_batch? integer sequences per backward pass; saves memory and changes results only by rounding. Default: about 1,500 tokens at a time for samples fresh from the policy, otherwise all of an update; see model:logprobs
---@field epochs? integer passes over the data (default: 1)
---@field max_steps? integer limit on the number of steps
---@field shuffle? boolean reshuffle every epoch (default: true)
---@field drop_last? boolean drop incomplete batches (default: false)
---@field seed? integer seed of the row order and samples; default: the run's
---@field temperature? number temperature of the samples and their log-probabilities. 0 samples greedily and scores at temperature 1, so the samples are not drawn from the trained distribution (default: 1)
---@field top_k? integer sample from this many of the most likely tokens (and ties with the last); 0 for all; log-probabilities are those without it, so the samples are not drawn from what is trained (default: 0)
---@field top_p? number sample from the fewest most likely tokens whose probabilities add up to this; log-probabilities are those without it, so the samples are not drawn from what is trained (default: 1)
---@field min_p? number minimum probability of a token, relative to the most likely one; log-probabilities are those without it, so the samples are not drawn from what is trained (default: 0)
---@field max_tokens integer longest completion
---@field stop? string|string[] texts that end a completion; `ids` includes the token that completed one, `text` ends before it
---@field stop_token_ids? integer[] tokens that end a completion; `ids` includes them, `text` does not
---@field ignore_eos? boolean continue after an end token (default: false)
---@field max_num_seqs? integer maximum number of completions sampled at a time; default: up to 256 that fit into 1 GiB of cache
---@field overlong? apo.values.overlong_2 what to do with rows whose prompt leaves no room for `max_tokens` in the model's context: raise an error that names them before anything is sampled, drop the rows, or drop the first tokens of the prompt. Their number is printed (default: "error")
---@field eval? apo.train.options.eval evaluation before, during and after, as apo.evaluate does
---@field on_eval? (fun(result: table, run: apo.Run): boolean?) called after each evaluation with its result and the apo.Run; return `false` to stop training
---@field state? table data of the script's functions that is saved in checkpoints and restored by `resume`: numbers, strings, booleans and tables of them. Rewards and `on_step` receive it as third argument, `target` and `loss` as the field `state`
---@field log_completions? integer completions recorded per logged step; default: all, as apo.replay needs
---@field log_tokens? integer completions per logged step, the best and the worst, that are recorded with the text and log-probability of every token, which apo-lua report shows; about 13 bytes a token (default: 8)
---@field on_step? (fun(metrics: table<string, any>, samples: apo.Sample[], state?: table): boolean?) called after each step with the metrics, the samples and the `state`; metrics added to the first are logged; return `false` to stop training
---@field dir? string the run folder
---@field resume? boolean|string|table continue the run in `dir` from its last checkpoint; `"step-N"` continues from that of step N and discards what came later; `"force"` continues even if settings or functions have changed, and records the changes in events.jsonl; `{from = "step-N", force = true}` does both (default: false)
---@field save_every? integer steps between checkpoints; one is always saved at the end and when the run is stopped
---@field save_minutes? number minutes between checkpoints; math.huge to turn this off (default: 10)
---@field keep? apo.train.options.keep which checkpoints to keep
---@field attach? boolean let `apo-lua attach` ask and steer the run, if it has a `dir`; see docs/attach.md (default: true)
---@field log_every? integer steps between log lines (default: 1)
---@field columns? string[] the metrics that the terminal shows after the step
---@field tensorboard? boolean also write event files of TensorBoard into `dir`; see docs/trackers.md (default: false)
---@field trackio? string the name of a Trackio project that the metrics are also written to; see docs/trackers.md
---@field quiet? boolean print nothing, except how to resume after a signal (default: false)

---@class apo.values_from.options
---@field data apo.Dataset the rows
---@field prefix? string prefix of the column names, followed by numbers from 0 (default: "eval_")
---@field n? integer number of columns; default: as in the first row
---@field beta? number beta1: 0 gives the best sample, infinity the mean (default: 0.5)
---@field mode? apo.values.mode how values are computed from rewards (default: "optimal")
---@field drop_unsolved? boolean whether apo.train drops the rows that no sample solved (default: false)
---@field correct? number|(fun(reward: number, completion: apo.Completion): boolean) the minimum reward of a correct answer, or a function of the reward that says whether it is one (default: 0.5)

---@class apo.algorithms.astarpo.options

---@class apo.algorithms.dapo.options
---@field n? integer completions per prompt (default: 8)
---@field clip? number lower clip range of the ratio (default: 0.2)
---@field clip_high? number upper clip range of the ratio (default: 0.28)
---@field resample? integer how often groups with equal rewards are resampled (default: 2)
---@field overlong? number the overlong buffer as a share of max_tokens; 0 for no penalty (default: 0.2)
---@field eps? number added to the standard deviation (default: 1e-06)
---@field inner_epochs? integer passes over a batch (default: 1)

---@class apo.algorithms.dr_grpo.options
---@field n? integer completions per prompt (default: 8)
---@field clip? number clip range of the ratio (default: 0.2)
---@field inner_epochs? integer passes over a batch (default: 1)

---@class apo.algorithms.grpo.options
---@field n? integer completions per prompt (default: 8)
---@field clip? number clip range of the ratio (default: 0.2)
---@field clip_high? number upper clip range; default: `clip`
---@field dual_clip? number bounds the loss where A < 0; verl's is 3
---@field kl_coef? number coefficient of the KL in the loss (default: 0.001)
---@field kl? apo.values.kl the KL estimator (default: "k3")
---@field eps? number added to the standard deviation (default: 1e-06)
---@field average? apo.values.average average per completion first, or over all tokens (default: "completion")
---@field inner_epochs? integer passes over a batch (default: 1)

---@class apo.algorithms.oapl.options
---@field n? integer completions per prompt (default: 8)
---@field beta1? number temperature of V (default: 1)
---@field beta2? number how strongly the policy is kept near the sampler (default: 0.001)
---@field sync? integer steps between syncs (default: 50)

---@class apo.algorithms.online_dpo.options
---@field n? integer completions per prompt (default: 2)
---@field beta? number how strongly the policy is kept near the reference (default: 0.1)

---@class apo.algorithms.ppo.options
---@field critic? string|apo.ValueModel the value model or its folder; default: a copy of the policy with a zero head
---@field critic_lr? number its learning rate; apo.train's schedule applies to it too (default: 1e-05)
---@field n? integer completions per prompt (default: 1)
---@field clip? number clip range of the ratio (default: 0.2)
---@field value_clip? number clip range of the new values (default: 0.5)
---@field gamma? number the discount (default: 1)
---@field lambda? number lambda of GAE (default: 1)
---@field kl_coef? number coefficient of the KL in the reward (default: 0.001)
---@field whiten? boolean whether advantages are whitened (default: true)
---@field inner_epochs? integer passes over a batch (default: 1)

---@class apo.algorithms.rebel.options
---@field eta? number how far the policy moves from the sampler: the inverse of a KL coefficient (default: 1)
---@field inner_epochs? integer passes over a batch (default: 4)

---@class apo.algorithms.reinforce.options
---@field baseline? apo.values.baseline the baseline subtracted from rewards (default: "running")
---@field decay? number decay of the running baseline (default: 0.9)
---@field kl_coef? number coefficient of the KL in the reward (default: 0)

---@class apo.algorithms.rloo.options
---@field n? integer completions per prompt (default: 4)
---@field kl_coef? number coefficient of the KL in the reward (default: 0.05)

---@class apo.json.decode.options
---@field keep_null? boolean whether null members become `apo.json.null` (default: false)

---@class apo.json.encode.options
---@field pretty? boolean whether to indent by two spaces (default: false)
---@field order? string[] keys that come first, in this order
---@field lossy? boolean whether to replace bytes that are not UTF-8 (default: false)

---@class apo.json.read.options
---@field keep_null? boolean whether null members become `apo.json.null` (default: false)

---@class apo.json.read_lines.options
---@field keep_null? boolean whether null members become `apo.json.null` (default: false)

---@class apo.loss.astarpo.options
---@field logp apo.Tensor ln π(y|x) of each completion [B]
---@field ref_logp apo.Tensor ln π_ref(y|x) [B]
---@field target apo.Tensor the advantage r(x, y) - V*(x) [B]
---@field beta number the factor of the log-ratio

---@class apo.loss.fit.options
---@field logp apo.Tensor|number[] ln π(y|x) of each completion [B]
---@field ref_logp apo.Tensor|number[] ln π_ref(y|x) [B]
---@field target apo.Tensor|number[] the advantage r(x, y) - V*(x) [B]
---@field beta number the factor of the log-ratio

---@class apo.optim.adamw.options
---@field lr? number learning rate (default: 0.001)
---@field betas? number[] decay rates of the first and second moments (default: {0.9, 0.999})
---@field eps? number added to the root of the second moment (default: 1e-08)
---@field weight_decay? number decoupled weight decay (default: 0.01)

---@class apo.rewards.countdown.options
---@field format_score? number reward of a wrong answer between the tags (default: 0.1)

---@class apo.rewards.exact.options
---@field column? string column of the right answer (default: "answer")

---@class apo.rewards.format.options
---@field tags? string[] the sections, in order
---@field pattern? string|string[] Lua patterns
---@field score? number the reward; 0 for any other completion (default: 1)

---@class apo.rewards.gsm8k.options
---@field mode? apo.values.mode_3 `strict`: the first number after "#### "; `flexible`: the last number (default: "strict")
---@field format_score? number reward of an extractable answer (default: 0)

---@class apo.rewards.length.options
---@field shape? apo.values.shape the shape (default: "overlong")
---@field max_tokens integer the maximum length
---@field buffer? integer `overlong`: number of tokens over which it falls
---@field reward? (fun(row: table, completion: apo.Completion, state?: table): number|table<string, number>) `cosine`: the reward that tells right answers from wrong ones
---@field correct? number|(fun(reward: number, completion: apo.Completion): boolean) the minimum reward of a correct answer, or a function of (reward, completion) that says whether it is one (default: 0.5)
---@field right? number[] `cosine`: reward of a right answer at length 0 and at `max_tokens` (default: {1, 0.5})
---@field wrong? number[] `cosine`: the same for a wrong answer (default: {-1, -0.5})
---@field truncated? number `cosine`: reward of a truncated completion

---@class apo.rewards.math.options
---@field mode? apo.values.mode_3 `strict`: only completions that end with an end token; `flexible`: all (default: "strict")

---@class apo.rewards.multiply.options
---@field format_score? number reward of a wrong whole number (default: 0.1)

---@class apo.rewards.numeric.options
---@field column? string column of the right answer (default: "answer")
---@field tolerance? number maximum difference (default: 1e-06)
---@field decimal? apo.values.decimal the decimal separator in texts; the other one groups digits (default: ".")

---@class apo.schedule.constant.options
---@field lr? number the highest rate (default: 1)
---@field warmup_steps? integer warm-up steps from 0 (default: 0)

---@class apo.schedule.cosine.options
---@field lr? number the highest rate (default: 1)
---@field warmup_steps? integer warm-up steps from 0 (default: 0)
---@field total_steps integer steps until the end of the decay
---@field min_ratio? number the final rate as a fraction of `lr` (default: 0)

---@class apo.schedule.linear.options
---@field lr? number the highest rate (default: 1)
---@field warmup_steps? integer warm-up steps from 0 (default: 0)
---@field total_steps integer steps until the end of the decay
---@field min_ratio? number the final rate as a fraction of `lr` (default: 0)

---@class apo.system.start.options
---@field output string the file that standard output and errors are appended to
---@field program? string the program; default: this apo-lua

---@class apo.terms.clipped.options
---@field low? number clip below (default: 0.2)
---@field high? number clip above; default: `low`
---@field dual? number where A < 0, at most -A times this (arXiv 1912.09729); verl's is 3

---@class apo.terms.gae.options
---@field gamma? number the discount (default: 1)
---@field lambda? number 1 counts all future rewards (default: 1)

---@class apo.terms.group_advantage.options
---@field std? boolean whether to divide by std (default: true)
---@field eps? number verl's; TRL has 1e-4 (default: 1e-06)

---A completion of a prompt, as in `rollout[i]` and rewards.
---@class apo.Completion
---@field text string The text, without what ended it.
---@field ids integer[] All sampled tokens.
---@field prompt string The prompt as text.
---@field prompt_ids integer[] The tokens of the prompt.
---@field row table The row of the data set that the prompt is from.
---@field sample integer Which of the prompt's samples it is, from 1.
---@field finish_reason "eos"|"stop"|"length" Why it ended.
---@field stop_reason string|integer The stop string, or the id of the stop token, that ended it; otherwise nil.
---@field temperature number The sampling temperature.
---@field logprobs number[] The log-probability of each token.
---@field logprob number Their sum.
local class_apo_Completion = {}

---An open SQLite database.
---@class apo.Database
local class_apo_Database = {}

---Closes the database.
function class_apo_Database:close() end

---Runs one SQL statement.
---
---If another program holds the database, waits at most a second.
---@param statement string SQL, with `?` for each value
---@param ... any numbers and strings
---@return table[] # the rows, lists of values; `false` for NULL
function class_apo_Database:execute(statement, ...) end

---Frees its memory at once.
function class_apo_Database:free() end

---Rows in order, each with a prompt.
---
---`#ds` is the number of rows, `ds[i]` the i-th row, `ds[-1]` the last one. A row is a table with the columns of its line. It keeps its number in the file, which identifies its samples and its recorded value.
---@class apo.Dataset
---@field rows table[] The rows, to read.
---@field name string The file, or what the rows were made from.
local class_apo_Dataset = {}

---Iterates over the rows in batches.
---@param options apo.Dataset.batches.options
---@return (fun(): integer, table[]) # iterator of step (from 1) and list of rows
---@return any # nothing
---@return integer # the step before the first
function class_apo_Dataset:batches(options) end

---Keeps the rows for which a function returns true.
---@param f (fun(row: table): any) receives a row
---@return apo.Dataset # the rows kept, in order; possibly none
function class_apo_Dataset:filter(f) end

---Describes the data set.
---@return string # number of rows, columns, and the first prompt
function class_apo_Dataset:info() end

---Replaces every row by the result of a function.
---@param f (fun(row: table): table) receives a row, returns a row
---@return apo.Dataset # the new rows, with the numbers of the old ones
function class_apo_Dataset:map(f) end

---Shuffles the rows.
---@param seed integer the same seed gives the same order
---@return apo.Dataset # the same rows in another order
function class_apo_Dataset:shuffle(seed) end

---Skips the first rows.
---@param n integer how many
---@return apo.Dataset # the rows after the first n
function class_apo_Dataset:skip(n) end

---Splits the rows in two.
---@param fraction number share of rows in the first part
---@param seed? integer shuffle first, with this seed
---@return apo.Dataset # the first part
---@return apo.Dataset # the rest
function class_apo_Dataset:split(fraction, seed) end

---Keeps the first rows.
---@param n integer how many
---@return apo.Dataset # the first n rows, or all if there are fewer
function class_apo_Dataset:take(n) end

---A lock on a file, held until `free`, the end of a `<close>` scope, or process exit.
---@class apo.FileLock
local class_apo_FileLock = {}

---Raises an error if the folder of the file was removed or replaced.
---
---If only the file was removed, it is recreated and locked again.
function class_apo_FileLock:check() end

---Frees its memory at once.
function class_apo_FileLock:free() end

---What a `loss` of apo.train receives; tensors have the shape [B].
---@class apo.LossBatch
---@field logp apo.Tensor The log-probabilities under the policy, with gradients.
---@field ref_logp apo.Tensor Those under the reference.
---@field old_logp apo.Tensor Those under the policy that sampled.
---@field target apo.Tensor The targets.
---@field reward apo.Tensor The rewards.
---@field value apo.Tensor V* of the rows.
---@field entropy apo.Tensor The mean entropies.
---@field rollout apo.Rollout The completions.
---@field rows table[] The row of each.
---@field samples apo.Sample[] The samples, as a target has them.
---@field policy apo.Model The policy.
---@field reference apo.Model The reference.
---@field beta number The current beta.
---@field step integer The step, from 1.
---@field state table The `state` of apo.train.
local class_apo_LossBatch = {}

---A language model: weights, configuration and tokenizer.
---
---Token ids are the tokenizer's numbers and count from 0. `generate` samples completions;
---`logprobs` computes their log-probabilities as a tensor with gradients. With a LoRA adapter
---(`add_adapter`, `load_adapter`) the model's weights are frozen and only the adapter is
---trained.
---@class apo.Model
---@field config table The keys of config.json, in a new table.
---@field tokenizer apo.Tokenizer The tokenizer, or nil.
---@field adapter table The keys of adapter_config.json; nil without an adapter.
---@field path string The folder it was loaded from; nil for a new model.
---@field dtype string The dtype of the matrices: "float32" or "bfloat16".
---@field kv_cache_dtype string The dtype of keys and values: "float32" or "bfloat16".
local class_apo_Model = {}

---Adds a new LoRA adapter, which is trained instead of the weights.
---
---Names and defaults are those of PEFT's LoraConfig. `y = x W^T` becomes
---`y = x W^T + lora_alpha / r (x A^T) B^T` (arXiv 2106.09685); A is random and B zero, so the
---model's output is initially unchanged. The weights are frozen: optimizers made from the
---model update the adapter.
---@param options? apo.Model.add_adapter.options
---@return apo.Model # the model itself
function class_apo_Model:add_adapter(options) end

---Returns the model without its adapter, sharing the frozen weights.
---
---Use it as the reference policy for adapter training, at no extra memory.
---@return apo.Model # another model that shares all weights
function class_apo_Model:base_model() end

---Returns a hash of all weights, to tell models apart.
---@return string # 16 hexadecimal digits
function class_apo_Model:checksum() end

---Copies the model with all weights and its adapter.
---
---With `dtype = "bfloat16"` the copy's matrices take half the memory, use float32 sums, and
---are frozen: for a reference policy.
---@param options? apo.Model.clone.options
---@return apo.Model # the copy, trainable if its dtype is float32 or it has an adapter
function class_apo_Model:clone(options) end

---Freezes all weights, as for a reference policy.
---@return apo.Model # the model itself
function class_apo_Model:freeze() end

---Samples completions of prompts.
---
---Options have vLLM's names and meanings. A sample depends on the model, the prompt, the seed,
---the step, the row and its sample number, but not on the batch; if a row occurs several times
---in a call, `first_sample` tells them apart. A row is identified by its position in its
---dataset, other prompts by their tokens.
---
---Batching is continuous: finished completions leave the batch and waiting prompts enter, so
---`max_tokens` may vary: `{max_tokens = {8, 128}}` for two prompts.
---
---Messages are rendered with the tokenizer's chat template, up to the start of the assistant's
---answer. If the last message is the assistant's, it is continued. The template receives the
---row's `tools` and `chat_template_kwargs`.
---@param prompts table|string one or several rows with a `prompt`, texts, lists of token ids, or lists of messages
---@param options? apo.Model.generate.options
---@return apo.Rollout # n completions of each prompt, in order
function class_apo_Model:generate(prompts, options) end

---Loads a LoRA adapter from a PEFT folder, for use or further training.
---
---The model must be the one that the adapter was made for. Settings that need another formula,
---such as `use_dora` or `modules_to_save`, are errors that name the field. Dropout is always 0,
---whatever the file says.
---@param path string the folder: adapter_config.json, adapter_model.safetensors
---@return apo.Model # the model itself
function class_apo_Model:load_adapter(path) end

---Computes the logits of the next token after every token.
---
---Token id k is at position k + 1 of a row.
---@param ids integer[] the token ids of one sequence
---@return apo.Tensor # logits [T, V]
function class_apo_Model:logits(ids) end

---Computes the log-probabilities of a rollout's completions.
---
---Covers only completion tokens, including the end token. Differentiable unless the model is
---frozen. For the model that sampled the rollout, the values equal `rollout:logprobs()` to the
---bit.
---
---A rollout is fresh while the model still has the weights that sampled it and the temperature
---is the same, whatever `top_k` etc. were. Then the values come from the sampler, and only
---`backward` computes the layers, in groups of about 1,500 tokens or `micro_batch` completions;
---it raises if any value differs. With `entropy`, without a graph, and for completions passed
---through `apo.rollout`, values are computed immediately.
---@param rollout apo.Rollout prompts and completions
---@param options? apo.Model.logprobs.options
---@return apo.Tensor # the sum over each completion [B], or per token [tokens]
---@return apo.Tensor # with `entropy`: the mean entropy of each completion [B], or per token [tokens], in nats
function class_apo_Model:logprobs(rollout, options) end

---Merges the adapter into the weights, which gives an ordinary trainable model.
---
---The weights become W + s B A in new memory, so models from `base_model` do not change. Results
---are equal up to rounding.
---@return apo.Model # the model itself
function class_apo_Model:merge_adapter() end

---Iterates over the names and tensors of `parameters`.
---
---Matrices held in bfloat16 are copied.
---@return (fun(): string, apo.Tensor) # iterator of name and tensor, for `for name, tensor in …`
function class_apo_Model:named_parameters() end

---Counts all weights, including the adapter's.
---@return integer # their number
function class_apo_Model:num_parameters() end

---Returns the weights with a given name, of the model or its adapter.
---@param name string the name in the checkpoint
---@return apo.Tensor # the tensor itself, or a copy if it is held in bfloat16
function class_apo_Model:parameter(name) end

---Returns the trainable weights: the adapter's if there is one, otherwise all.
---
---Matrices held in bfloat16 are copied.
---@return apo.Tensor[] # the tensors, in checkpoint order
function class_apo_Model:parameters() end

---Writes a Hugging Face folder.
---
---Weights that do not fit into one file become `model-00001-of-00003.safetensors`, …, and an
---index. All files are written next to the old ones before any is replaced: a crash leaves the
---old model, the new one or, briefly, a folder without config.json, which does not load. An
---adapter is merged into the written weights, so the folder is equivalent up to rounding;
---`save_adapter` writes only the adapter.
---@param path string the folder, created if missing
---@param options? apo.Model.save.options
function class_apo_Model:save(path, options) end

---Writes only the adapter, as a folder that PEFT loads.
---
---As in `save`, a crash leaves the old adapter, the new one or a folder that does not load.
---`base_model_name_or_path` is the model's `path`.
---@param path string the folder, created if missing
---@param options? apo.Model.save_adapter.options
function class_apo_Model:save_adapter(path, options) end

---Frees its memory at once.
function class_apo_Model:free() end

---Updates weights from their gradients.
---
---You can assign `lr` at any time; `steps` is the number of updates so far.
---@class apo.Optimizer
---@field lr number The learning rate.
---@field steps integer The number of updates so far.
local class_apo_Optimizer = {}

---Loads a state that `save` wrote for the same weights.
---
---The options are not part of it. On an error the state is unchanged.
---@param path string the file
function class_apo_Optimizer:load(path) end

---Restores weights and state from the last `snapshot`.
---@return boolean # whether there was a snapshot, which is then freed
function class_apo_Optimizer:rollback() end

---Writes the optimizer state, to resume later.
---@param path string a .safetensors file, written atomically
function class_apo_Optimizer:save(path) end

---Copies the weights and the optimizer state in memory.
---
---Takes 12 bytes per weight. Replaces an earlier snapshot.
---@param keep? boolean false frees the copy
function class_apo_Optimizer:snapshot(keep) end

---Updates every weight that has a gradient, then clears the gradients.
---
---A gradient that is not finite raises an error and changes nothing.
---@param options? apo.Optimizer.step.options
---@return number # the norm of all gradients, before clipping
---@return number # the norm of the change of all weights
function class_apo_Optimizer:step(options) end

---Returns whether `step` updates a tensor.
---@param tensor apo.Tensor such as a parameter of a model
---@return boolean # compares identity, not values
function class_apo_Optimizer:updates(tensor) end

---Clears the gradients, as `step` does.
function class_apo_Optimizer:zero_grad() end

---Frees its memory at once.
function class_apo_Optimizer:free() end

---A program that was started by `apo.system.start`.
---@class apo.Process
local class_apo_Process = {}

---Ends it at once, by SIGKILL.
function class_apo_Process:kill() end

---Returns its process number.
---@return integer # the number
function class_apo_Process:number() end

---Returns how the program ended.
---@return integer # nil while it runs; else its exit status, or 128 and the number of the signal that ended it
function class_apo_Process:status() end

---Sends SIGTERM, on which apo-lua saves its run and ends.
function class_apo_Process:stop() end

---Frees its memory at once.
function class_apo_Process:free() end

---A progress bar.
---@class apo.Progress
local class_apo_Progress = {}

---Advances the bar.
---@param count? integer by how much
---@param note? string shown at the end of the line
function class_apo_Progress:advance(count, note) end

---Removes the bar from the screen.
function class_apo_Progress:clear() end

---Draws the bar a last time and leaves it on screen.
function class_apo_Progress:finish() end

---Writes a line above the bar.
---@param line string the line
function class_apo_Progress:print(line) end

---Completions of prompts, sampled by a model or recorded.
---
---`#rollout` is the number of completions B, grouped by prompt. `rollout[i]` is a table: `text`,
---`ids`, `prompt`, `prompt_ids`, `row` (the caller's table), `sample` (from 1 to n),
---`finish_reason` ("eos", "stop" or "length"), `stop_reason` (the stop string, or the id of the
---stop token, if that is "stop"; otherwise nil), `temperature`; sampled ones also have `logprobs`,
---a list as long as `ids`, and `logprob`, their sum. Outside of 1..B, or -1..-B from the end, it
---is nil, so `for i, completion in ipairs(rollout)` works. A field is computed when it is read for
---the first time, so that `rollout[i].logprob` makes no list of tokens; `pairs` and printing
---compute all.
---
---`ids` are all sampled tokens, including the end token, the stop token and the token that
---completed a stop string; these are trained too. `text` ends before them.
---
---Per-token tensors concatenate the tokens of all completions, including end tokens.
---@class apo.Rollout
---@field temperature number The sampling temperature; 1 for greedy.
---@field [integer] apo.Completion
---@operator len: integer
local class_apo_Rollout = {}

---Repeats a per-completion value for each of its tokens.
---@param t apo.Tensor a value per completion [B]
---@return apo.Tensor # a value per token [tokens]
function class_apo_Rollout:expand(t) end

---Returns the number of tokens of each completion.
---@param options? apo.Rollout.lengths.options
---@return apo.Tensor # a value per completion [B]
function class_apo_Rollout:lengths(options) end

---Returns the log-probabilities recorded by the sampler.
---
---At the sampling temperature, before top_k, top_p and min_p. See `model:logprobs`.
---@param options? apo.Rollout.logprobs.options
---@return apo.Tensor # [B], or [tokens]; without gradients
function class_apo_Rollout:logprobs(options) end

---Averages a per-token value over each completion.
---
---0 for a completion without tokens.
---@param t apo.Tensor a value per token [tokens]
---@return apo.Tensor # a value per completion [B]
function class_apo_Rollout:mean(t) end

---Returns a range of completions.
---@param first integer the first position, from 1, or from -1 at the end
---@param last? integer the last position
---@return apo.Rollout # the existing ones in the range, counted as in string.sub
function class_apo_Rollout:slice(first, last) end

---Sums a per-token value over each completion.
---@param t apo.Tensor a value per token [tokens]
---@return apo.Tensor # a value per completion [B]
function class_apo_Rollout:sum(t) end

---Returns the texts of all completions.
---@return string[] # the texts, empty where unknown
function class_apo_Rollout:texts() end

---Frees its memory at once.
function class_apo_Rollout:free() end

---A run that is being recorded.
---@class apo.Run
---@field step integer The last complete step.
---@field total integer The number of steps.
---@field epoch number The passes over the data so far.
---@field dir string The run folder.
---@field state table Saved in checkpoints.
---@field history table[] All logged records; those of evaluations have `kind = "eval"`.
---@field metrics table The record of the last step.
---@field evaluation table The last result of an evaluation.
local class_apo_Run = {}

---Returns the folder of the best checkpoint.
---@return string # the folder; nil unless `keep.best` names a metric
function class_apo_Run:best_checkpoint() end

---Adds metrics to the record of the current step of apo.run.
---
---The record is written to metrics.jsonl when the step ends; a metric that is given again replaces the earlier one.
---@param metrics table numbers, scalar tensors, strings or booleans by name
function class_apo_Run:log(metrics) end

---Records an evaluation after the current step of apo.run.
---@param result table a result of apo.evaluate, or metrics by name, which get `eval/` before their names
function class_apo_Run:log_eval(result) end

---Saves a checkpoint at the end of the current step.
function class_apo_Run:save() end

---Iterates over the steps that are left, of apo.run.
---
---With `data`, a second variable has the rows of the step. What the body logs is written when the step ends; `break` ends the run after this step, an error before it. Each step begins with random numbers of its own. Signals wait for the end of the step.
---@return (fun(): integer, table[]) # iterator of step (from 1), and rows if there is `data`
function class_apo_Run:steps() end

---Ends the run after the current step.
---
---The run is then complete: `resume = true` returns its result, unless more steps are asked for.
---@param reason? string for events.jsonl
function class_apo_Run:stop(reason) end

---A connection to a live run.
---@class apo.RunConnection
---@field is_open boolean Whether more may come.
local class_apo_RunConnection = {}

---Waits for a line.
---@param seconds number how long at most
---@return string # the line; nil if none came
function class_apo_RunConnection:receive(seconds) end

---Sends a line.
---@param line string without its end
function class_apo_RunConnection:send(line) end

---Frees its memory at once.
function class_apo_RunConnection:free() end

---The socket at which a live run can be asked and steered, until it is freed.
---@class apo.RunSocket
---@field path string Where the socket is.
---@field clients integer How many are attached now.
local class_apo_RunSocket = {}

---Takes the requests that clients have sent, in their order.
---@return table[] # each with `client`, a number, and `body`, what it sent; nil for none
function class_apo_RunSocket:requests() end

---Sends a line to a client, if it is still there.
---@param client integer its number
---@param line string the line, without its end
---@param is_last? boolean whether it is the last reply to a request; others are dropped where the client reads too slowly
function class_apo_RunSocket:send(client, line, is_last) end

---Sets what `status` answers, also during a step.
---@param text string a JSON object in one line
function class_apo_RunSocket:set_status(text) end

---Waits until there are requests; Ctrl-C and a limit of time end it.
---@param seconds number how long at most
function class_apo_RunSocket:wait(seconds) end

---Frees its memory at once.
function class_apo_RunSocket:free() end

---A sample of a step, as a target and `on_step` receive it.
---@class apo.Sample
---@field reward number The weighted sum of its rewards.
---@field rewards table Each reward by its name.
---@field value number V* of its row, nil without `values`.
---@field row table The row of the data set.
---@field completion apo.Completion The completion.
---@field logp number The log-probability under the sampling policy.
---@field ref_logp number The log-probability under the reference.
---@field length integer The number of its tokens.
---@field finish_reason "eos"|"stop"|"length" Why it ended.
---@field stop_reason string|integer The stop string, or the id of the stop token, that ended it; otherwise nil.
---@field step integer The step of the training, from 1.
---@field state table The `state` of apo.train; in a target only.
local class_apo_Sample = {}

---A learning rate as a function of the step.
---@class apo.Schedule
---@overload fun(step: integer): number
local class_apo_Schedule = {}

---Frees its memory at once.
function class_apo_Schedule:free() end

---One training step, as passed to an algorithm.
---
---Fields: `step` (from 1), `rows` (the batch), `options` (of apo.train), `policy`, `reference` (or nil), `values` (the apo.Values, if any), `state` (what the algorithm's `start` returned), `samples` (data of each completion so far: `row`, `completion`, `reward`, `rewards`, `logp`, `length`, `prompt_length`, `finish_reason`, `stop_reason`, `step`, and what `note` added).
---@class apo.Step
local class_apo_Step = {}

---Samples completions of the batch's prompts.
---
---Uses apo.train's settings. A second call in the same step draws different samples.
---@param options? apo.Step.generate.options
---@return apo.Rollout # the completions, grouped by prompt
function class_apo_Step:generate(options) end

---Adds metrics to the log line of this step.
---
---If a metric is given several times in a step, its mean is logged.
---@param figures table numbers or scalar tensors by name
function class_apo_Step:log(figures) end

---Computes the log-probabilities of a mini-batch under the policy.
---
---With gradients. With apo.train's `entropy_coef`, `update` subtracts the mean entropy of these completions from the loss. The sums are stored as `fitted`.
---@param part table a mini-batch with `rollout`, as from `minibatches`
---@param options? apo.Step.logprobs.options
---@return apo.Tensor # [B], or [tokens]
---@return apo.Tensor # with `entropy_coef`, entropies [B], averaged over tokens; otherwise nil
function class_apo_Step:logprobs(part, options) end

---Calls a loss function on a mini-batch, within `reward_timeout`.
---
---Adds the missing fields that apo.train's option `loss` receives: `samples`, `rows`, `old_logp`, `entropy`, `policy`, `reference`, `state`. A table that the function returns as a second value is logged.
---@param part table as from `minibatches`
---@param loss function as apo.train's option `loss`
---@return any # its result, to pass to `update`
function class_apo_Step:loss(part, loss) end

---Iterates over mini-batches of completions, one per update.
---
---A mini-batch holds `mini_batch` prompts (an option of apo.train; all by default), in order, as `rollout` and `step`, and its slice of each tensor under the tensor's name.
---@param rollout apo.Rollout of this step
---@param options apo.Step.minibatches.options what a part is
---@param tensors? table by name; one number per completion [B] or per token [tokens]
---@return function # iterator of mini-batches
function class_apo_Step:minibatches(rollout, options, tensors) end

---Stores a number for each completion.
---
---Stores it in `samples` under its name, for `on_step`. `advantage` and `ref_logp` are also logged and recorded.
---@param rollout apo.Rollout of this step
---@param name string what it is
---@param values apo.Tensor [B]
function class_apo_Step:note(rollout, name, values) end

---Returns V*(x) of each completion's prompt, from apo.train's `values`.
---
---0 without `values`. Stored as `value`.
---@param rollout apo.Rollout of this step
---@return apo.Tensor # [B]
function class_apo_Step:optimal_values(rollout) end

---Computes the log-probabilities of completions under the reference policy.
---@param rollout apo.Rollout of this step
---@param options? apo.Step.reference_logprobs.options
---@return apo.Tensor # [B], or [tokens]; without gradients
function class_apo_Step:reference_logprobs(rollout, options) end

---Returns the data of a rollout's completions.
---@param rollout apo.Rollout of this step
---@return table # their entries of `samples`
function class_apo_Step:samples_of(rollout) end

---Scores completions with apo.train's reward.
---@param rollout apo.Rollout of this step
---@return apo.Tensor # the rewards [B]
function class_apo_Step:score(rollout) end

---Selects completions of this step into a rollout.
---
---They may come from several calls of `generate`.
---@param rollouts apo.Rollout|apo.Rollout[] the source rollouts
---@param positions integer[] positions, counted from 1 across all rollouts
---@return apo.Rollout # the completions, in that order
function class_apo_Step:select(rollouts, positions) end

---Calls a target function on each completion.
---
---It receives a copy of the completion's data, with apo.train's `state`, and must return a finite number within `reward_timeout` seconds. Stored as `target`.
---@param rollout apo.Rollout of this step
---@param target function as apo.train's option `target`
---@return apo.Tensor # the targets [B]
function class_apo_Step:targets(rollout, target) end

---Charges the elapsed time to a named phase.
---
---Logged as `timing_s/NAME`. Time not charged to a phase counts as `update_actor`.
---@param name string the phase that ends here
function class_apo_Step:time(name) end

---Minimises a loss with one optimizer step.
---
---Runs backward, clips to `max_grad_norm` and updates. Logs the loss and the norms.
---@param loss any an apo.Tensor, a scalar with gradients
---@param optimizer? apo.Optimizer default: the policy's; metrics of another, such as a critic's, are not logged
---@return number # the norm of the gradients, before clipping
function class_apo_Step:update(loss, optimizer) end

---An array of 32-bit floats of any shape, with gradients.
---
---Operations return new tensors; methods whose names end in `_` change the tensor itself.
---Operands of different shapes are broadcast as in NumPy, and numbers can stand for tensors.
---Positions and dimensions count from 1, or from -1 at the end. `t[i]` is the i-th slice along
---the first dimension, and `#t` its size; `for i, slice in ipairs(t)` iterates over them.
---
---An operation is recorded if one of its operands requires a gradient; see `requires_grad_` and
---`backward`. `t:free()` or `local t <close>` frees memory before the garbage collector does.
---@class apo.Tensor
---@field grad any The gradient accumulated by `backward`, or nil.
---@field requires_grad boolean Whether the tensor requires a gradient.
---@field [integer] apo.Tensor
---@operator add(apo.Tensor|number): apo.Tensor
---@operator div(apo.Tensor|number): apo.Tensor
---@operator len: integer
---@operator mul(apo.Tensor|number): apo.Tensor
---@operator pow(apo.Tensor|number): apo.Tensor
---@operator sub(apo.Tensor|number): apo.Tensor
---@operator unm: apo.Tensor
local class_apo_Tensor = {}

---Computes absolute values; the derivative at 0 is 0.
---@return apo.Tensor # a new tensor
function class_apo_Tensor:abs() end

---Adds `alpha` times another tensor or a number, broadcast.
---
---A tensor that requires a gradient can be changed only inside `apo.no_grad`.
---@param other apo.Tensor|number what to add
---@param alpha? number its factor
---@return apo.Tensor # the tensor itself
function class_apo_Tensor:add_(other, alpha) end

---Finds the position of the largest element; the first one on ties.
---
---Positions count from 1: subtract 1 to get token ids.
---@param dim? integer the dimension; default: all elements
---@param keepdim? boolean keep the dimension, with size 1
---@return apo.Tensor # a new tensor
function class_apo_Tensor:argmax(dim, keepdim) end

---Finds the position of the smallest element; the first one on ties.
---
---Positions count from 1.
---@param dim? integer the dimension; default: all elements
---@param keepdim? boolean keep the dimension, with size 1
---@return apo.Tensor # a new tensor
function class_apo_Tensor:argmin(dim, keepdim) end

---Accumulates the gradients of this tensor in `grad` of everything it was computed from.
---
---The graph is freed unless `retain_graph` is true. Gradients accumulate: `optimizer:step()`
---clears them, or set `t.grad = nil`. If an error, a time limit or Ctrl-C stops it midway,
---partial gradients remain: call `optimizer:zero_grad()` and recompute the loss.
---@param gradient? apo.Tensor.backward.gradient|apo.Tensor the initial gradient, for a tensor with several elements; or the options
---@param options? apo.Tensor.backward.options see above
function class_apo_Tensor:backward(gradient, options) end

---Clamps each element to a range.
---
---The derivative is 1 inside and at the ends, 0 outside.
---@param min? number the lower bound; nil for none
---@param max? number the upper bound; nil for none
---@return apo.Tensor # a new tensor
function class_apo_Tensor:clamp(min, max) end

---Copies the tensor; the gradient passes through.
---@return apo.Tensor # a new tensor
function class_apo_Tensor:clone() end

---Copies elements from another tensor or a number, broadcast.
---
---A tensor that requires a gradient can be changed only inside `apo.no_grad`.
---@param from apo.Tensor|number the source
---@return apo.Tensor # the tensor itself
function class_apo_Tensor:copy_(from) end

---Computes the cumulative sum along a dimension.
---@param dim integer the dimension
---@return apo.Tensor # a new tensor
function class_apo_Tensor:cumsum(dim) end

---Returns the same elements, detached from the graph.
---@return apo.Tensor # a tensor that shares its memory with this one
function class_apo_Tensor:detach() end

---Returns the number of dimensions.
---@return integer # 0 for a scalar
function class_apo_Tensor:dim() end

---Returns 1 where the elements are equal, else 0.
---@param other apo.Tensor|number the other side, broadcast
---@return apo.Tensor # a new tensor
function class_apo_Tensor:eq(other) end

---Raises e to the power of each element.
---@return apo.Tensor # a new tensor
function class_apo_Tensor:exp() end

---Repeats dimensions of size 1 to reach a shape.
---@param ... integer|integer[] the sizes, or a list; -1 keeps a size
---@return apo.Tensor # a new tensor
function class_apo_Tensor:expand(...) end

---Sets all elements.
---
---A tensor that requires a gradient can be changed only inside `apo.no_grad`.
---@param value number the value
---@return apo.Tensor # the tensor itself
function class_apo_Tensor:fill_(value) end

---Gathers elements along a dimension by position.
---
---For two dimensions and `dim` 2: `result[i][j] = self[i][index[i][j]]`. Token ids count from
---0: `logits:gather(2, ids + 1)`.
---@param dim integer the dimension
---@param index apo.Tensor positions from 1, with as many dimensions as this tensor and the shape of the result
---@return apo.Tensor # a new tensor
function class_apo_Tensor:gather(dim, index) end

---Returns 1 where this element is greater or equal, else 0.
---@param other apo.Tensor|number the other side, broadcast
---@return apo.Tensor # a new tensor
function class_apo_Tensor:ge(other) end

---Returns 1 where this element is greater, else 0.
---@param other apo.Tensor|number the other side, broadcast
---@return apo.Tensor # a new tensor
function class_apo_Tensor:gt(other) end

---Returns the only element as a number.
---
---Raises an error if there are several.
---@return number # the element
function class_apo_Tensor:item() end

---Returns 1 where this element is less or equal, else 0.
---@param other apo.Tensor|number the other side, broadcast
---@return apo.Tensor # a new tensor
function class_apo_Tensor:le(other) end

---Takes the natural logarithm: -inf at 0, NaN below.
---@return apo.Tensor # a new tensor
function class_apo_Tensor:log() end

---Computes x - ln Σ e^x.
---@param dim? integer the dimension; default: all elements
---@return apo.Tensor # a new tensor
function class_apo_Tensor:log_softmax(dim) end

---Computes ln Σ e^x without overflow.
---@param dim? integer the dimension; default: all elements
---@param keepdim? boolean keep the dimension, with size 1
---@return apo.Tensor # a new tensor
function class_apo_Tensor:logsumexp(dim, keepdim) end

---Returns 1 where this element is less, else 0.
---@param other apo.Tensor|number the other side, broadcast
---@return apo.Tensor # a new tensor
function class_apo_Tensor:lt(other) end

---Multiplies matrices.
---
---The last two dimensions are matrices; leading dimensions are broadcast. A one-dimensional
---tensor is a row on the left side and a column on the right.
---@param other apo.Tensor the right side
---@return apo.Tensor # a new tensor
function class_apo_Tensor:matmul(other) end

---Takes the largest element; NaN if there is one.
---@param dim? integer the dimension; default: all elements
---@param keepdim? boolean keep the dimension, with size 1
---@return apo.Tensor # a new tensor
function class_apo_Tensor:max(dim, keepdim) end

---Takes the elementwise maximum; NaN if either is NaN.
---@param other apo.Tensor|number the other side, broadcast
---@return apo.Tensor # a new tensor
function class_apo_Tensor:maximum(other) end

---Averages; NaN if there are no elements.
---@param dim? integer the dimension; default: all elements
---@param keepdim? boolean keep the dimension, with size 1
---@return apo.Tensor # a new tensor
function class_apo_Tensor:mean(dim, keepdim) end

---Takes the smallest element; NaN if there is one.
---@param dim? integer the dimension; default: all elements
---@param keepdim? boolean keep the dimension, with size 1
---@return apo.Tensor # a new tensor
function class_apo_Tensor:min(dim, keepdim) end

---Takes the elementwise minimum; NaN if either is NaN.
---@param other apo.Tensor|number the other side, broadcast
---@return apo.Tensor # a new tensor
function class_apo_Tensor:minimum(other) end

---Multiplies by a number.
---
---A tensor that requires a gradient can be changed only inside `apo.no_grad`.
---@param factor number the number
---@return apo.Tensor # the tensor itself
function class_apo_Tensor:mul_(factor) end

---Returns a range of positions along a dimension.
---@param dim integer the dimension
---@param start integer the first position, from 1, or from -1 at the end
---@param length integer how many positions
---@return apo.Tensor # a new tensor
function class_apo_Tensor:narrow(dim, start, length) end

---Returns 1 where the elements differ, else 0.
---@param other apo.Tensor|number the other side, broadcast
---@return apo.Tensor # a new tensor
function class_apo_Tensor:ne(other) end

---Returns the number of elements.
---@return integer # the number
function class_apo_Tensor:numel() end

---Raises each element to a power.
---@param other apo.Tensor|number the other side, broadcast
---@return apo.Tensor # a new tensor
function class_apo_Tensor:pow(other) end

---Computes max(x, 0); the derivative at 0 is 0.
---@return apo.Tensor # a new tensor
function class_apo_Tensor:relu() end

---Sets whether the tensor requires a gradient.
---@param flag? boolean whether it requires one
---@return apo.Tensor # the tensor itself
function class_apo_Tensor:requires_grad_(flag) end

---Returns the elements in another shape.
---@param ... integer|integer[] the sizes, or a list; one may be -1
---@return apo.Tensor # a tensor that shares its memory with this one
function class_apo_Tensor:reshape(...) end

---Returns the sizes of all dimensions.
---@return integer[] # the sizes, the outermost first
function class_apo_Tensor:shape() end

---Computes 1 / (1 + e^-x).
---@return apo.Tensor # a new tensor
function class_apo_Tensor:sigmoid() end

---Returns the size of a dimension.
---@param dim? integer the dimension; default: all
---@return integer|integer[] # the size, or all sizes
function class_apo_Tensor:size(dim) end

---Computes e^x / Σ e^x.
---@param dim? integer the dimension; default: all elements
---@return apo.Tensor # a new tensor
function class_apo_Tensor:softmax(dim) end

---Takes the square root; NaN below 0.
---@return apo.Tensor # a new tensor
function class_apo_Tensor:sqrt() end

---Removes a dimension of size 1, or all of them.
---@param dim? integer the dimension; default: all
---@return apo.Tensor # a new tensor
function class_apo_Tensor:squeeze(dim) end

---Computes the standard deviation.
---@param dim? integer the dimension; default: all elements
---@param keepdim? boolean keep the dimension, with size 1
---@param unbiased? boolean divide by the number of elements minus 1
---@return apo.Tensor # a new tensor
function class_apo_Tensor:std(dim, keepdim, unbiased) end

---Sums elements.
---@param dim? integer the dimension; default: all elements
---@param keepdim? boolean keep the dimension, with size 1
---@return apo.Tensor # a new tensor
function class_apo_Tensor:sum(dim, keepdim) end

---Takes the hyperbolic tangent.
---@return apo.Tensor # a new tensor
function class_apo_Tensor:tanh() end

---Returns the elements as nested lists.
---@return any # lists nested once per dimension; a number for a scalar
function class_apo_Tensor:totable() end

---Swaps two dimensions, the last two by default.
---@param dim1? integer one dimension
---@param dim2? integer the other one
---@return apo.Tensor # a new tensor
function class_apo_Tensor:transpose(dim1, dim2) end

---Inserts a dimension of size 1.
---@param dim integer the position of the new dimension
---@return apo.Tensor # a new tensor
function class_apo_Tensor:unsqueeze(dim) end

---Computes the variance.
---@param dim? integer the dimension; default: all elements
---@param keepdim? boolean keep the dimension, with size 1
---@param unbiased? boolean divide by the number of elements minus 1
---@return apo.Tensor # a new tensor
function class_apo_Tensor:var(dim, keepdim, unbiased) end

---Takes elements of `a` where this tensor is not 0, and of `b` elsewhere.
---@param a apo.Tensor|number taken where it is not 0
---@param b apo.Tensor|number taken where it is 0
---@return apo.Tensor # a new tensor
function class_apo_Tensor:where(a, b) end

---Frees its memory at once.
function class_apo_Tensor:free() end

---Turns text into token ids and back.
---
---Ids are the tokenizer's own numbers and count from 0. `#tok` is how many there are.
---@class apo.Tokenizer
---@field eos_id integer The token that ends a text, or nil.
---@field bos_id integer The token that begins a text, or nil.
---@field chat_template string The template of `apply_chat_template`, or nil; can be assigned.
---@field pad_id integer The padding token, or nil.
---@operator len: integer
local class_apo_Tokenizer = {}

---Renders messages with the model's chat template.
---
---As in Hugging Face's transformers, except that `tokenize` is off by default. The text contains
---the special tokens, so encode it with `add_special_tokens = false`, as `tokenize` does.
---@param messages table|string a list of tables with `role`, `content` and whatever the template reads; or its JSON text
---@param options? apo.Tokenizer.apply_chat_template.options
---@return string|integer[] # the text, or with `tokenize` its ids
function class_apo_Tokenizer:apply_chat_template(messages, options) end

---Decodes token ids to text.
---
---An id without a token, which a model with padded embeddings may sample, gives no text, as in `completion.text`. Ids below 0 or above 4294967295 are an error.
---@param ids integer[] the ids
---@param options? apo.Tokenizer.decode.options
---@return string # the text
function class_apo_Tokenizer:decode(ids, options) end

---Encodes a text as token ids.
---@param text string the text, UTF-8
---@param options? apo.Tokenizer.encode.options
---@return integer[] # the ids
function class_apo_Tokenizer:encode(text, options) end

---Returns the id of a token.
---@param token string the token as the vocabulary spells it
---@return integer # the id, or nil
function class_apo_Tokenizer:id(token) end

---Returns whether an id is a special token.
---@param id integer the id
---@return boolean # the answer
function class_apo_Tokenizer:is_special(id) end

---Returns a token as the vocabulary spells it.
---@param id integer its id
---@return string # the token
function class_apo_Tokenizer:token(id) end

---Frees its memory at once.
function class_apo_Tokenizer:free() end

---A critic: predicts the reward to come after a text.
---
---`values` returns one number per token of a rollout, with gradients.
---@class apo.ValueModel
local class_apo_ValueModel = {}

---Returns a hash of all weights.
---@return string # 16 hexadecimal digits
function class_apo_ValueModel:checksum() end

---Iterates over all weights.
---@return (fun(): string, apo.Tensor) # iterator of name and tensor, for `for name, tensor in …`
function class_apo_ValueModel:named_parameters() end

---Counts the weights.
---@return integer # their number
function class_apo_ValueModel:num_parameters() end

---Returns the weights with a given name.
---@param name string the name in the checkpoint, such as `score.weight`
---@return apo.Tensor # the tensor itself, not a copy
function class_apo_ValueModel:parameter(name) end

---Returns all weights.
---@return apo.Tensor[] # the tensors, the head's last
function class_apo_ValueModel:parameters() end

---Writes a Hugging Face folder for ForSequenceClassification.
---
---A crash leaves the old model, the new one or one that does not load; see `model:save`.
---@param path string the folder, created if missing
function class_apo_ValueModel:save(path) end

---Computes the value before each token of a rollout's completions.
---
---The value before a token is that of the text before it: the prompt and the earlier tokens
---of the completion. The first value is the prompt's.
---@param rollout apo.Rollout prompts and completions, with token ids
---@param options? apo.ValueModel.values.options
---@return apo.Tensor # [tokens], all completions concatenated
function class_apo_ValueModel:values(rollout, options) end

---Frees its memory at once.
function class_apo_ValueModel:free() end

---Values of rows, from recorded rewards of reference samples.
---
---`#values` is the number of prompts; `n`, `beta`, `mode` and `path` are the options. `print(values)` shows a summary.
---@class apo.Values
local class_apo_Values = {}

---Returns whether a row has a recorded value.
---@param row table a row of a dataset
---@return boolean # the answer
function class_apo_Values:has(row) end

---Returns the lengths of a row's reference samples.
---@param row table a row of the data
---@return integer[] # n lengths in tokens
function class_apo_Values:lengths(row) end

---Returns the values of rows.
---@param rows table[] rows of the data
---@return apo.Tensor # the values [B]
function class_apo_Values:of(rows) end

---Returns the fraction of a row's samples that were correct.
---
---Correct as defined by the option `correct` of apo.estimate_values.
---@param row table a row of the data
---@return number # from 0 (unsolved) to 1
function class_apo_Values:pass_rate(row) end

---Returns the rewards of a row's reference samples.
---@param row table a row of the data
---@return number[] # n rewards
function class_apo_Values:rewards(row) end

---Drops the rows that no reference sample solved.
---
---The authors' `filter_incorrect`. See `pass_rate`.
---@param data apo.Dataset rows that have values
---@return apo.Dataset # the rows solved at least once
function class_apo_Values:solvable(data) end

---Returns statistics over all rows of the data.
---@return table # `prompts`, `mean_reward`, `mean_value`, `unsolved` and `all_solved` (fractions), `mean_length` (nil if lengths are unknown), `histogram` of values (ten bins from 0 to 1)
function class_apo_Values:summary() end

---Returns values for another beta, from the same samples.
---@param beta number beta1
---@return apo.Values # new values; these do not change
function class_apo_Values:with_beta(beta) end

---Returns values in another mode, from the same samples.
---@param mode apo.values.mode the mode
---@return apo.Values # new values; these do not change
function class_apo_Values:with_mode(mode) end

---The value `null` of JSON.
---@class apo.json.Null
local class_apo_json_Null = {}

---Frees its memory at once.
function class_apo_json_Null:free() end

---Reinforcement learning of small language models.
---@class apo
---@field _VERSION string
local apo = {}

---Declares a training algorithm.
---
---Returns a function that checks the options and returns a table of these properties, for `apo.train{algorithm = …}`. The algorithms in `apo.algorithms` are declared this way; `apo-lua copy grpo` copies one into a file, to edit and use with `algorithm = dofile "grpo.lua"`.
---@param options apo.algorithm.options
---@return function # makes the algorithm from its options
function apo.algorithm(options) end

---Makes a tensor of the numbers from `start` up to, but excluding, `stop`.
---
---As in PyTorch, `apo.arange(3)` is 0, 1, 2.
---@param start number the first number; given alone, it is `stop`
---@param stop? number where to end
---@param step? number the distance; negative to count down
---@return apo.Tensor # a new tensor
function apo.arange(start, stop, step) end

---Concatenates tensors along a dimension.
---@param tensors apo.Tensor[] the tensors
---@param dim? integer the dimension to join along, where the sizes may differ
---@return apo.Tensor # a new tensor
function apo.cat(tensors, dim) end

---Makes a tokenizer whose tokens are single characters.
---
---For small models of your own. Special tokens get the first ids, the end token id 0. Without
---`unknown`, other characters are dropped.
---@param options apo.char_tokenizer.options
---@return apo.Tokenizer # the tokenizer
function apo.char_tokenizer(options) end

---Makes a data set from a file or a list of rows.
---
---Files: `.jsonl` (one object per line; the default for unknown extensions), `.json` (a list of objects), `.csv` (the first line names the columns; every value is a string, even 12 and 0.5). Blank lines are skipped. Each row needs a `prompt`: a string, a list of token ids, or a list of messages `{role = "user", content = …}`, which `generate` renders with the model's chat template.
---@param source string|table a path or a list of rows
---@param options? apo.dataset.options
---@return apo.Dataset # the rows
function apo.dataset(source, options) end

---Estimates V*(x), the value of the best policy near a reference, for every row.
---
---Stage 1 of A*-PO: samples n completions of the reference policy for each prompt. With `path` every reward is stored in a file; a second call resumes where the first one stopped, and gives the same bytes as an uninterrupted one. V* is computed from the file, so another beta needs no new samples.
---@param options apo.estimate_values.options
---@return apo.Values # the values
function apo.estimate_values(options) end

---Samples a model on a data set and scores it.
---@param options apo.evaluate.options
---@return table # `mean`, `pass_at[k]`, `maj_at[k]`, `mean_length`, `clipped_ratio`, `count`; `overlong`, how many prompts were too long; `rewards`, the mean of each named reward; `sources`, the same for each `data_source`; `rows`, each with `row`, `prompt` and `samples` (`text`, `reward`, `rewards`, `correct`, `answer`, `length`, `finish_reason`, `stop_reason`)
function apo.evaluate(options) end

---Starts another run from a kept checkpoint, with other settings.
---
---Runs the run's `script.lua` again. When it calls apo.train or apo.run for the run's folder, the changes replace its options, and the new run goes on after `step` in a folder of its own: with the weights, moments, state and row order of the checkpoint. What the script does before that, it does again; after apo.train it is left.
---@param run string the folder of the run
---@param step integer the step of a kept checkpoint
---@param changes? table options of apo.train or apo.run; `dir` is the new folder, by default RUN-fork-STEP; with `resume = true` a fork that was stopped goes on
---@return any # what apo.train or apo.run returned to the script
function apo.fork(run, step, changes) end

---Makes a tensor filled with one value.
---@param shape integer|integer[] the sizes, or one number for a one-dimensional tensor
---@param value number the value
---@return apo.Tensor # a new tensor
function apo.full(shape, value) end

---Shows the documentation of a function, an object, a class or a module.
---@param value? any a function, an object, a module, a full name as a string, or "/word" for all names and texts with that word
function apo.help(value) end

---Reads a model from a Hugging Face folder.
---
---Families: GPT-2, Llama, Mistral, OLMo 2, Qwen2, Qwen3, SmolLM3. Weights become float32. With `dtype = "bfloat16"` they are held in half the memory and computed with float32 sums: for a reference policy, or for sampling. With `kv_cache_dtype = "bfloat16"` the KV cache takes half the memory and is read faster; scoring and training round keys and values too, so results agree everywhere. Clones keep this setting; folders do not store it. A folder without tokenizer.json gives a model that works on token ids only.
---@param path string the folder: config.json, model.safetensors, tokenizer.json
---@param options? apo.load.options
---@return apo.Model # the model
function apo.load(path, options) end

---Reads a critic: a transformer whose head predicts the value of the text so far.
---
---The head is `score.weight`, as in Hugging Face's ForSequenceClassification with one label
---(TRL's value models); a `score.bias`, as in ForTokenClassification and verl, is kept if
---present. A language model gets a zero head: all values are initially 0.
---@param source string|apo.Model the folder of a value model or language model, or a language model, which is copied
---@return apo.ValueModel # the value model
function apo.load_value_model(source) end

---Takes the elementwise maximum; NaN if either is NaN.
---
---Operands are broadcast. Equal elements share the gradient.
---@param a apo.Tensor|number one side
---@param b apo.Tensor|number the other side
---@return apo.Tensor # a new tensor
function apo.maximum(a, b) end

---Estimates the memory of a run before it allocates.
---
---Completions count with `max_tokens`. In the line MB are 10^6 bytes and GB 10^9.
---`apo.train` shows the line and stops where the
---memory would not suffice.
---@param options apo.memory_estimate.options as for apo.train
---@return table # bytes: `weights`, `packed` (the copies that products use), `optimizer`, `snapshot`, `reference`, `sampler` (a copy of the policy), `critic` (with its optimizer), and of the three phases `generation` (of which `cache`), `scoring`, `update` (of which `gradients`, `activations`); `total`, all tensors at the worst moment; `resident`, the whole process then, with freed tensors that are kept for reuse; `needed`, `total` less what is allocated already; `available`; `fits`; `advice`, a list of changes
---@return string # the same as one line of text
function apo.memory_estimate(options) end

---Takes the elementwise minimum; NaN if either is NaN.
---
---Operands are broadcast. Equal elements share the gradient.
---@param a apo.Tensor|number one side
---@param b apo.Tensor|number the other side
---@return apo.Tensor # a new tensor
function apo.minimum(a, b) end

---Makes a model with random weights.
---
---Weights are normal with standard deviation `initializer_range` (0.02), drawn from the run's
---seed or from `seed`. With a tokenizer, `vocab_size` and special token ids default to the
---tokenizer's.
---@param config table the keys of a config.json, and `tokenizer`: an apo.Tokenizer or a path; `seed`: an integer; `kv_cache_dtype`: as for `load`
---@return apo.Model # the model
function apo.new_model(config) end

---Calls a function without recording operations for `backward`.
---
---Saves memory and time when no gradient is needed. Errors pass through.
---@param f function the function
---@param ... any its arguments
---@return any # what the function returns
function apo.no_grad(f, ...) end

---Makes a tensor of ones.
---@param ... integer|integer[] the sizes, or one list of them; none for a scalar
---@return apo.Tensor # a new tensor
function apo.ones(...) end

---Computes beta ln mean exp(r / beta), the optimal value of a prompt.
---
---Equation 3 of A*-PO (arXiv 2505.20686), computed without overflow for any beta.
---@param rewards apo.Tensor|number[] rewards of samples of the reference policy
---@param beta number 0 gives the maximum, math.huge the mean
---@param mode? apo.values.mode the estimator; only `optimal` uses beta
---@return number # the value
function apo.optimal_value(rewards, beta, mode) end

---Plots lines to an HTML page or an SVG file.
---
---A series is a table of `name`, lists `x` and `y`, and a `style`: `line` (the default), `dots` (a line with markers) or `faint` (a thin line without a name). With lists `low` and `high` the area between them is shaded. The page is one file without scripts; values appear on hover. NaN and infinite points are left out, and so are charts whose series are all empty.
---@param options apo.plot.options
function apo.plot(options) end

---Starts a progress bar on standard error.
---@param options apo.progress.options
---@return apo.Progress # the bar
function apo.progress(options) end

---Makes a tensor of random numbers, uniform in [0, 1).
---@param ... integer|integer[] the sizes, or one list of them; none for a scalar
---@return apo.Tensor # a new tensor
function apo.rand(...) end

---Makes a tensor of random numbers from the standard normal distribution.
---@param ... integer|integer[] the sizes, or one list of them; none for a scalar
---@return apo.Tensor # a new tensor
function apo.randn(...) end

---Iterates over the rollouts of a recorded run, step by step.
---
---Reads `completions.jsonl`: the logged steps, each with its recorded completions (see `log_every` and `log_completions` of apo.train).
---@param dir string the folder of the run
---@return function # iterator of step, apo.Rollout, and samples as a target function receives them, with the recorded `target`; `row` has only the prompt
function apo.recorded(dir) end

---Compares another target with that of a recorded run.
---
---Reads `completions.jsonl`, scores the completions with one set of weights, and returns for each logged step the loss, explained variance and gradient norm under the recorded and the other target, and the cosine between the two gradients. `print` shows a table. `drift` is the mean absolute difference of the log-probabilities from the recorded ones: 0 if these weights sampled the step; the recorded side is then exactly what the run computed. For a run of another algorithm the recorded targets are its advantages, if it logs them, and `base` gives its loss; completions that it dropped from the update are dropped here.
---@param dir string the folder of the run
---@param options? apo.replay.options
---@return table # `steps`, a list of {`step`, `count`, `drift`, `cosine`, `recorded` and `other`, each {`loss`, `explained_var`, `grad_norm`}}; `mean`, the same averaged over all steps; `model`, its checksum; `is_initial`, whether it is the run's initial model
function apo.replay(dir, options) end

---Makes a rollout of recorded prompts and completions.
---
---For supervised losses, evaluation and replay. Completions of other rollouts are valid records
---and keep their `temperature`, which must be the same for all (default 1), and their
---`logprobs`, one number per id. If both ids and text are given, the ids are used.
---@param records table[] tables with `prompt` or `prompt_ids`, and `text` or `ids`; `eos = true` appends an end token
---@param options? apo.rollout.options
---@return apo.Rollout # the rollout; each completion's `row` is its record
function apo.rollout(records, options) end

---Records a training loop of your own.
---
---The run folder, the lines on the terminal, checkpoints, resuming and stops are those of apo.train; see docs/runs.md.
---@param options? apo.run.options
---@return apo.Run # the run; `run:steps()` are its steps
function apo.run(options) end

---Scores every completion of a rollout.
---
---`reward(row, completion)` returns a number or a table of named numbers. Pass several functions as a list or a table by name. The result is their weighted sum; weights default to 1. Anything but a finite number, or a non-empty table of them by name, is an error that names the row.
---@param rollout any an apo.Rollout, or a list of completions
---@param reward (fun(row: table, completion: apo.Completion, state?: table): number|table<string, number>)|table one or several functions
---@param options? apo.score.options
---@return apo.Tensor # the rewards [B]
---@return table # `rewards`, the same as a list; `parts`, each completion's named rewards; `means`, `{mean, std}` for each name
function apo.score(rollout, reward, options) end

---Sets or returns the seed of everything random: samples, tensors, weights, `math.random`.
---
---A script that calls it first gives the same bytes in every run on the same machine.
---Otherwise the run uses a random seed drawn when `apo` was loaded: print `apo.seed()` to be
---able to repeat it.
---@param seed? integer the new seed; without it the current seed is returned
---@return integer # the seed in use
function apo.seed(seed) end

---Reseeds everything random for a step: `apo.rand`, `apo.randn`, samples without a seed, `math.random`.
---
---What a step draws then depends only on these two numbers, not on earlier steps, so a resumed
---run draws the same. `apo.train` calls it before each step and evaluation. `apo.seed()` does
---not change.
---@param seed integer the seed of a run
---@param step integer a step of the run
function apo.seed_step(seed, step) end

---Returns the settings of a script, which its arguments change.
---
---`apo-lua train.lua lr=1e-4 seed=2` changes `lr` and `seed`; that is how `apo.sweep` starts a script. A value has the type of its default; tables are written as JSON. Names that have no default are an error. `seed`, `dir` and `resume` need none and do not show in `pairs`: pass them to `apo.train` or `apo.run`. A given `seed` also seeds the process, as `apo.seed` does.
---@param defaults table values by name
---@return table # values by name
function apo.settings(defaults) end

---Stacks tensors of the same shape along a new dimension.
---@param tensors apo.Tensor[] the tensors
---@param dim? integer the position of the new dimension
---@return apo.Tensor # a new tensor
function apo.stack(tensors, dim) end

---Runs a script with several settings and seeds, and compares them.
---
---Each run is a process with the arguments `name=value` for its settings, `seed`, `dir` and `resume=true`, which `apo.settings` reads, and a run folder `NAME-seedN` in `dir` with its output in output.log. Called again, a sweep goes on: runs that are done are kept, others resume, new settings and seeds are added. A run that fails is shown with the end of its output, and the others go on. Ctrl-C stops all runs, which are saved. See docs/sweeps.md.
---@param options apo.sweep.options
---@return table # `runs`, a list with `name`, `dir`, `settings`, `seed`, `final`, `best` and, where it failed, `fault`; `settings`, a list with `name`, `settings`, `final` and `best` (each `mean`, `std`, `n`); `failed`, a number; `metric`; `report`, a path
function apo.sweep(options) end

---Makes a tensor from a number or nested lists of numbers.
---@param data number|table|apo.Tensor a number, nested lists (of equal length at each level), or a tensor to copy
---@return apo.Tensor # a new tensor
function apo.tensor(data) end

---Reads the tokenizer of a Hugging Face model.
---@param path string a model folder, or a tokenizer.json
---@return apo.Tokenizer # the tokenizer
function apo.tokenizer(path) end

---Trains a policy by A*-PO, or by another algorithm.
---
---Stage 2 of A*-PO: each step samples one completion per prompt of a batch, then makes an update that minimises `mean((beta * (logp - ref_logp) - target)^2)` with the target `reward - value`. `target` and `loss` replace these; `algorithm` replaces the whole step. With `dir` the run is recorded in a folder: `run.json`, `script.lua`, `metrics.jsonl`, `completions.jsonl`, `report.html`, `checkpoint/`; after a kill, `resume = true` continues from the last checkpoint and ends with the same bytes.
---@param options apo.train.options
---@return table # `steps`, `metrics` (of the last step), `history` (all logged records), `evaluation` (the last result of apo.evaluate), `dir`, `checkpoint` (the last checkpoint's folder), `best_checkpoint` (the best one's, with `keep.best`)
function apo.train(options) end

---Makes values from rewards in columns of the data.
---
---For the data published by the A*-PO authors: the rewards of the reference samples are in `eval_0`, `eval_1` …; nothing is sampled. Their `beta1 = 0` is `mode = "mean"` here, a negative one `mode = "zero"`, `filter_incorrect` is `drop_unsolved`.
---@param options apo.values_from.options
---@return apo.Values # the values
function apo.values_from(options) end

---Takes elements of `a` where the condition is not 0, and of `b` elsewhere.
---
---All three are broadcast. The condition gets no gradient.
---@param condition apo.Tensor|number the condition, such as `x:gt(0)`
---@param a apo.Tensor|number taken where the condition is not 0
---@param b apo.Tensor|number taken where it is 0
---@return apo.Tensor # a new tensor
function apo.where(condition, a, b) end

---Makes a tensor of zeros.
---@param ... integer|integer[] the sizes, or one list of them; none for a scalar
---@return apo.Tensor # a new tensor
function apo.zeros(...) end

---Training algorithms for apo.train.
---
---Each takes a table of options and returns an `algorithm` for apo.train. `apo-lua copy NAME` copies one into a file to read and edit.
---@class apo.algorithms
apo.algorithms = {}

---A*-PO: regression on optimal advantages (arXiv 2505.20686).
---
---Its options are part of apo.train: `values`, `beta`, `target`, `loss`.
---@param options? apo.algorithms.astarpo.options
---@return table # the algorithm, for apo.train
function apo.algorithms.astarpo(options) end

---DAPO: clip-higher, token mean, dynamic sampling (arXiv 2503.14476).
---@param options? apo.algorithms.dapo.options
---@return table # the algorithm, for apo.train
function apo.algorithms.dapo(options) end

---Dr. GRPO: GRPO without its biases (arXiv 2503.20783).
---@param options? apo.algorithms.dr_grpo.options
---@return table # the algorithm, for apo.train
function apo.algorithms.dr_grpo(options) end

---GRPO: rewards normalised within groups (arXiv 2402.03300).
---@param options? apo.algorithms.grpo.options
---@return table # the algorithm, for apo.train
function apo.algorithms.grpo(options) end

---OAPL: optimal advantages against a lagging sampler (arXiv 2602.19362).
---@param options? apo.algorithms.oapl.options
---@return table # the algorithm, for apo.train
function apo.algorithms.oapl(options) end

---Online DPO: the best of n against the worst (arXiv 2402.04792).
---@param options? apo.algorithms.online_dpo.options
---@return table # the algorithm, for apo.train
function apo.algorithms.online_dpo(options) end

---PPO with a critic (arXiv 1707.06347).
---@param options? apo.algorithms.ppo.options
---@return table # the algorithm, for apo.train
function apo.algorithms.ppo(options) end

---REBEL: regression of relative rewards (arXiv 2404.16767).
---@param options? apo.algorithms.rebel.options
---@return table # the algorithm, for apo.train
function apo.algorithms.rebel(options) end

---REINFORCE with a baseline (Williams 1992).
---@param options? apo.algorithms.reinforce.options
---@return table # the algorithm, for apo.train
function apo.algorithms.reinforce(options) end

---RLOO: REINFORCE with a leave-one-out baseline (arXiv 2402.14740).
---@param options? apo.algorithms.rloo.options
---@return table # the algorithm, for apo.train
function apo.algorithms.rloo(options) end

---Reads and writes JSON.
---
---Integers and floats keep their type. `null` members of objects are dropped, so `row.x` is nil; in lists they are `apo.json.null`. An empty table is written as `[]`.
---@class apo.json
---@field null apo.json.Null
apo.json = {}

---Parses a JSON text.
---@param text string the text
---@param options? apo.json.decode.options
---@return any # the value
function apo.json.decode(text, options) end

---Converts a value to JSON text.
---@param value any nil, booleans, numbers, strings, tables of them
---@param options? apo.json.encode.options
---@return string # the text; keys are sorted by their bytes
function apo.json.encode(value, options) end

---Reads a file that holds one JSON value.
---@param path string the file
---@param options? apo.json.read.options
---@return any # the value
function apo.json.read(path, options) end

---Iterates over a file with one JSON value per line.
---
---Blank lines are skipped, a line `null` gives `apo.json.null`. A line that is not JSON is an error with file and line.
---@param path string the file
---@param options? apo.json.read_lines.options
---@return any # an iterator of value and line number
function apo.json.read_lines(path, options) end

---Writes a value as an indented JSON file, atomically.
---@param path string the file
---@param value any the value
function apo.json.write(path, value) end

---Compiled losses.
---@class apo.loss
apo.loss = {}

---Computes the mean of (beta (logp - ref_logp) - target)².
---
---The loss of A*-PO (arXiv 2505.20686), which apo.train minimises. In Lua it is `((beta * (logp - ref_logp) - target) ^ 2):mean()`, with the same bits.
---@param options apo.loss.astarpo.options all [B], beta a number
---@return apo.Tensor # the loss, a scalar with gradients
function apo.loss.astarpo(options) end

---Measures how well a policy fits the optimal advantages.
---@param options apo.loss.fit.options all [B], beta a number
---@return table # `implicit_reward` and `advantage` (means), `residual_mean`, `residual_rms`, `explained_variance` (nil if all advantages are equal)
function apo.loss.fit(options) end

---Optimisers.
---@class apo.optim
apo.optim = {}

---Makes an AdamW optimizer with the arithmetic of torch.optim.AdamW.
---@param parameters apo.Model|apo.Tensor[] a model (its `model:parameters()`), or a list of tensors that require gradients
---@param options? apo.optim.adamw.options
---@return apo.Optimizer # the optimizer
function apo.optim.adamw(parameters, options) end

---The settings of published runs.
---
---From the code of the A*-PO authors, github ZhaolinGao/A-PO c8823a3.
---@class apo.presets
apo.presets = {}

---The authors' settings of apo.train on GSM8K.
---
---Returns a table of options; `changes` override them.
---@param changes? table options to override
---@return table # options
function apo.presets.gsm8k(changes) end

---The authors' prompt for a row of GSM8K.
---@param row table with the column `question`
---@return string # the prompt
function apo.presets.gsm8k_prompt(row) end

---Drops rows with long prompts.
---@param data apo.Dataset the rows
---@param tokenizer apo.Tokenizer of the model
---@param tokens? integer maximum number of tokens
---@return apo.Dataset # the rows whose prompts have at most that many tokens
function apo.presets.longest_prompt(data, tokenizer, tokens) end

---The authors' settings of apo.train on MATH.
---
---Returns a table of options; `changes` override them.
---@param changes? table options to override
---@return table # options
function apo.presets.math(changes) end

---The authors' prompt for a row of MATH.
---@param row table with the column `problem`
---@return string # the prompt
function apo.presets.math_prompt(row) end

---The authors' settings of apo.estimate_values.
---
---Returns a table of options; `changes` override them.
---@param changes? table options to override
---@return table # options
function apo.presets.values(changes) end

---Reward functions for known tasks.
---
---Each makes a function of (row, completion). Those for a data set agree with the A*-PO authors' scorers.
---@class apo.rewards
apo.rewards = {}

---Rewards an equation that reaches a target.
---
---Rows have `target` and `numbers`, or both in `ground_truth`. Prompt and completion are searched together: "Assistant:" or "<|im_start|>assistant" must be in one of them.
---@param options? apo.rewards.countdown.options
---@return function # the reward function
---@return function # extracts the equation from a completion, or nil
function apo.rewards.countdown(options) end

---Rewards a completion that is the right answer.
---
---Surrounding white space is ignored. A numeric column is compared as numbers: the text must be just a number.
---@param options? apo.rewards.exact.options
---@return function # the reward function
function apo.rewards.exact(options) end

---Rewards a completion with the right format.
---
---With `tags = {"think", "answer"}` it must be `<think>…</think>` and then `<answer>…</answer>`, each once, with only white space around them. With `pattern` all patterns must match; `^` and `$` anchor one. The pattern `^<think>.-</think>` is equivalent to TRL's think_format_reward.
---@param options? apo.rewards.format.options
---@return function # the reward function
function apo.rewards.format(options) end

---Rewards the right number in an answer to GSM8K.
---
---The right answer is the column `answer` (with or without its "#### "), `ground_truth` or `reward_model.ground_truth`; a column of numbers is compared as numbers. With a `format_score` f, an extractable answer gets f, and a right one 1 - f more; the two are named parts.
---@param options? apo.rewards.gsm8k.options
---@return function # the reward function
---@return function # extracts the answer from a completion, or nil
function apo.rewards.gsm8k(options) end

---Rewards a completion by its length.
---
---`overlong`: 0 up to `max_tokens - buffer` tokens, then falling to -1 at `max_tokens` (DAPO's soft overlong punishment); add it to another reward. `cosine`: replaces a reward: interpolates between the two numbers of `right` or `wrong` along half a cosine of the length.
---@param options apo.rewards.length.options
---@return function # the reward function
function apo.rewards.length(options) end

---Rewards the right boxed answer to a problem of MATH.
---
---The right answer is the column `answer`, `ground_truth` or `reward_model.ground_truth`. Answers are compared after the data set's normalisation: `\dfrac12` is `\frac{1}{2}`, `x=5` is `5`, `1,000` is not `1000`.
---@param options? apo.rewards.math.options
---@return function # the reward function
---@return function # extracts the answer from a completion, or nil
function apo.rewards.math(options) end

---Rewards the right whole number between tags.
---
---The right answer is the column `answer` or `ground_truth`. Prompt and completion are searched together: "Assistant:" or "<|im_start|>assistant" must be in one of them.
---@param options? apo.rewards.multiply.options
---@return function # the reward function
---@return function # extracts the number from a completion as text, or nil
function apo.rewards.multiply(options) end

---Declares which columns a reward needs.
---
---apo.train, apo.evaluate and apo.estimate_values check this before sampling and name the rows that fail. The rewards of apo.rewards declare their needs.
---@param reward function the reward
---@param columns function|string[] columns that every row must have; or a function of a row that returns nil, or a text that says what is missing
---@return function # the reward
function apo.rewards.needs(reward, columns) end

---Rewards a completion whose last number is the right one.
---
---docs/rewards.md defines what counts as a number, in completions and text columns alike. Integers of any length are compared exactly.
---@param options? apo.rewards.numeric.options
---@return function # the reward function
---@return function # extracts the number from a completion as text, or nil
function apo.rewards.numeric(options) end

---Learning-rate schedules.
---
---Call a schedule with the step number to get the rate: `optimizer.lr = rate(step)`. The
---formulas are those of transformers. `lr = 1` gives factors.
---@class apo.schedule
apo.schedule = {}

---Makes a rate that warms up to `lr` and stays there.
---@param options? apo.schedule.constant.options
---@return apo.Schedule # the schedule, called with a step
function apo.schedule.constant(options) end

---Makes a rate that warms up to `lr` and decays along half a cosine.
---@param options apo.schedule.cosine.options
---@return apo.Schedule # the schedule, called with a step
function apo.schedule.cosine(options) end

---Makes a rate that warms up to `lr` and decays linearly.
---@param options apo.schedule.linear.options
---@return apo.Schedule # the schedule, called with a step
function apo.schedule.linear(options) end

---Clocks, memory, the terminal and files.
---@class apo.system
apo.system = {}

---Appends text to a file and waits until it is on disk.
---
---On failure a partial write is cut off again. With `size` it is an error if another program removed or changed the file; 0 also allows a missing file.
---@param path string the file
---@param text string the bytes
---@param size? integer expected file size in bytes
function apo.system.append(path, text, size) end

---Raises the error that `write_file` would raise, without changing the file.
---@param path string the file
function apo.system.check_writable(path) end

---Returns the XXH64 of a file, as `xxh64sum` prints it.
---@param path string the file
---@return string # 16 hexadecimal digits
function apo.system.checksum(path) end

---Returns seconds of a monotonic clock.
---@return number # seconds
function apo.system.clock() end

---Returns how many columns of a terminal a text takes.
---
---East Asian wide characters and emoji take two, combining marks none.
---@param text string as `visible` returns it
---@return integer # columns
function apo.system.columns(text) end

---Returns the number of available processor cores.
---@return integer # the number
function apo.system.cores() end

---Opens a SQLite database, creating it if missing.
---
---Uses the system's libsqlite3 (Debian: libsqlite3-0).
---@param path string the file
---@return apo.Database # the database
function apo.system.database(path) end

---Truncates a file after its last newline, removing a partial line.
---@param path string the file
---@return integer # bytes cut off
function apo.system.drop_torn_line(path) end

---Returns the beginning of a text that fits into some columns of a terminal.
---@param text string as `visible` returns it
---@param columns integer how many columns there are
---@return string # the text, ending in `…` if it was too long
function apo.system.excerpt(text, columns) end

---Returns what is at a path.
---@param path string the file
---@return string # "file", "folder", "other" (a device, a pipe, a socket) or nil
function apo.system.exists(path) end

---Returns how much can still be written to a folder's file system.
---@param path string the folder
---@return integer # bytes, or nil if there is no such folder
function apo.system.free_space(path) end

---Returns a 64-bit hash of a text (FNV-1a).
---@param text string the text
---@return string # 16 hexadecimal digits
function apo.system.hash(text) end

---Defers the first signal until it is released.
---
---For code that must not be interrupted halfway. A second signal still ends the process.
---@param hold boolean true defers signals; false releases them
function apo.system.hold_stop(hold) end

---Whether a process holds the lock of a file, which stays as it is.
---@param path string the file
---@return boolean # false also where there is no such file
function apo.system.is_locked(path) end

---Whether two paths lead to the same file or folder.
---@param path string the file
---@param other string another one
---@return boolean # false also where one is missing
function apo.system.is_same(path, other) end

---Returns whether a stream is a terminal.
---@param stream? apo.values.stream the stream
---@return boolean # whether it is
function apo.system.is_terminal(stream) end

---Returns the names in a folder, sorted.
---@param path string the folder
---@return string[] # the names; empty if there is no such folder
function apo.system.list(path) end

---Locks a file, to exclude other processes.
---
---Does not wait: returns nil and a message if the lock is already held, even by this process under another path. On a file system without locks it has no effect.
---@param path string the file; created if missing, and kept
---@return apo.FileLock # the lock, held until it is freed or collected
function apo.system.lock(path) end

---Creates a folder and its parents.
---@param path string the folder
function apo.system.make_folder(path) end

---Returns the memory use of the process.
---@return integer # bytes in use now
---@return integer # peak bytes in use
function apo.system.memory() end

---Runs a function and stops it if Lua holds too much memory.
---
---Tables, strings, functions and coroutines count; tensors and garbage do not, which is collected before twice the limit is reached. It is stopped wherever it is, also in `pcall` and in coroutines. Other errors pass through.
---@param bytes number what Lua may allocate in addition to now; math.huge for no limit
---@param body function what to run, without arguments; its results are dropped
---@return boolean # whether it stayed within the limit
---@return string # where it was stopped, if it was
function apo.system.memory_limit(bytes, body) end

---Runs a function; if an error, a signal or a time limit ends it, runs a cleanup function before the error propagates.
---
---Neither a time limit nor a first signal stops the cleanup.
---@param body function what to run
---@param cleanup function receives the cause, `error`, `signal` or `time`, and the error; its own errors are dropped
function apo.system.on_failure(body, cleanup) end

---Runs a function; if Ctrl-C, SIGTERM or SIGHUP stops it, runs a cleanup function before stopping the rest.
---
---Other errors pass through. A second signal ends the process at once, even during the cleanup.
---@param body function what to run
---@param cleanup function what to run after it was stopped
function apo.system.on_interrupt(body, cleanup) end

---Reads a file, or its beginning.
---
---Returns nil and a message if it cannot be read. Pipes and devices are refused.
---@param path string the file
---@param count? integer maximum number of bytes
---@return string # its bytes
function apo.system.read_file(path, count) end

---Removes a folder and its contents.
---@param path string the folder; it may be missing
function apo.system.remove_folder(path) end

---Removes temporary files left in a folder by killed processes.
---@param path string the folder
---@param names? string[] files whose lock this process holds, so that only it writes them
function apo.system.remove_temporary(path, names) end

---Renames a file or folder; the change is on disk when the function returns.
---@param path string the file
---@param target string the new name; an existing file is replaced
function apo.system.rename(path, target) end

---Returns a path as errors show it: in one line, with control characters escaped.
---@param path string the file
---@return string # the text
function apo.system.shown(path) end

---Returns the size of a file.
---@param path string the file
---@return integer # bytes, or nil if there is no file
function apo.system.size(path) end

---Waits; Ctrl-C and a limit of time end it.
---@param seconds number how long
function apo.system.sleep(seconds) end

---Starts another apo-lua, or another program, which runs beside this one.
---
---There is no shell: arguments are passed as they are. Its standard input is empty. It does not get this terminal's Ctrl-C, but SIGTERM when the result is collected; an apo-lua gets that also when this process ends, however it does.
---@param arguments string[] its arguments
---@param options apo.system.start.options
---@return apo.Process # the running program
function apo.system.start(arguments, options) end

---Returns seconds since 1970, with fraction.
---@return number # seconds
function apo.system.time() end

---Runs a function and stops it if it takes too long.
---
---Loops are stopped wherever they are, also in `pcall` and in coroutines; in a finalizer, a message handler and a debug hook a second later. A single call of a compiled function such as `string.find` is not, and a line on standard error says so by the label. Other errors pass through.
---@param seconds number wall-clock time; math.huge for no limit
---@param body function what to run, without arguments; its results are dropped
---@param label? string its name, in case it gets stuck
---@param describe? function receives the function's error and returns the one to raise instead, with the same traceback
---@return boolean # whether it finished in time
---@return string # where it was stopped, if it was
function apo.system.time_limit(seconds, body, label, describe) end

---Truncates a file.
---@param path string the file
---@param size integer number of bytes to keep
function apo.system.truncate(path, size) end

---Returns a text that is safe to print on a terminal.
---
---Control characters, bidirectional marks and invalid UTF-8 become Lua escapes such as `\x1B`.
---The library prints everything this way; `print` writes texts unchanged.
---@param text string any bytes, such as model output
---@param keeps_lines? boolean keep line breaks and tabs
---@return string # the escaped text
function apo.system.visible(text, keeps_lines) end

---Returns the size of the terminal, or 80 columns and 24 lines without one.
---@return integer # columns
---@return integer # lines
function apo.system.width() end

---Returns the folder that relative paths begin at, or moves to another.
---@param path? string the folder to move to
---@return string # its full path
function apo.system.working_folder(path) end

---Writes a file atomically: after a crash the old or the new one exists.
---@param path string the file
---@param text string its bytes
function apo.system.write_file(path, text) end

---Terms of policy-gradient losses.
---
---Tensors hold one number per completion [B] or per token [tokens]. Values equal verl's (github volcengine/verl b178a3c, verl/trainer/ppo/core_algos.py).
---@class apo.terms
apo.terms = {}

---Puts each completion's reward on its last token, and 0 on the others.
---@param rollout apo.Rollout the completions
---@param reward apo.Tensor [B]
---@return apo.Tensor # [tokens]
function apo.terms.at_last_token(rollout, reward) end

---Computes PPO's surrogate: max(-A ratio, -A clip(ratio, 1 - low, 1 + high)).
---
---ratio = exp(logp - old_logp), at most e^20. Equation 7 of arXiv 1707.06347.
---@param logp apo.Tensor of the policy, with gradients
---@param old_logp apo.Tensor of the sampler
---@param advantage apo.Tensor of the same shape
---@param options? apo.terms.clipped.options
---@return apo.Tensor # the loss of each token
---@return number # the share of clipped tokens
---@return number # the mean of old_logp - logp, an estimate of the KL divergence
function apo.terms.clipped(logp, old_logp, advantage, options) end

---Computes PPO's value loss: max((v - R)², (clip(v, old - c, old + c) - R)²) / 2.
---@param value apo.Tensor of the critic, with gradients
---@param old_value apo.Tensor before the update
---@param returns apo.Tensor the target
---@param clip? number c, as in the authors' code and verl
---@return apo.Tensor # the loss of each token
---@return number # the share of clipped tokens
function apo.terms.clipped_value(value, old_value, returns, clip) end

---Returns the share of groups whose rewards are all equal, which carry no signal.
---@param reward apo.Tensor [B], grouped by prompt
---@param n integer completions per prompt
---@return number # from 0 to 1
function apo.terms.equal_groups(reward, n) end

---Measures how well values predict returns: 1 - var(returns - values) / var(returns).
---@param value apo.Tensor the predictions
---@param returns apo.Tensor the actual returns
---@return number # 1 is perfect; 0 is no better than the mean, or undefined
function apo.terms.explained_variance(value, returns) end

---Estimates the advantage of each token (arXiv 1506.02438).
---
---delta_t = r_t + gamma V_t+1 - V_t and A_t = delta_t + gamma lambda A_t+1, with 0 after the last token; V_t is the value before token t.
---@param rollout apo.Rollout the completions
---@param reward apo.Tensor of each token [tokens]
---@param value apo.Tensor before each token [tokens]
---@param options? apo.terms.gae.options
---@return apo.Tensor # advantages [tokens]
---@return apo.Tensor # returns, advantage + value [tokens]
function apo.terms.gae(rollout, reward, value, options) end

---Normalises each reward within its group: (r - mean) / (std + eps).
---
---`std` is the unbiased standard deviation; a group of one has mean 0 and standard deviation 1 (verl); a group of equal rewards has advantage 0.
---@param reward apo.Tensor [B], grouped by prompt
---@param n integer completions per prompt
---@param options? apo.terms.group_advantage.options
---@return apo.Tensor # of the same shape
function apo.terms.group_advantage(reward, n, options) end

---Estimates KL(policy, reference) per token.
---
---With d = logp - ref_logp: k1 = d, k2 = d²/2, k3 = e^-d + d - 1 (J. Schulman, joschu.net/blog/kl-approx.html). As in verl, d is clamped to ±20 for k3, and k3 to ±10.
---@param logp apo.Tensor of the policy
---@param ref_logp apo.Tensor of the reference
---@param kind? apo.values.kind the estimator
---@return apo.Tensor # of the same shape
function apo.terms.kl(logp, ref_logp, kind) end

---Subtracts from each reward the mean of the others in its group.
---@param reward apo.Tensor [B], grouped by prompt
---@param n integer completions per prompt
---@return apo.Tensor # of the same shape
function apo.terms.leave_one_out(reward, n) end

---Normalises numbers to mean 0 and variance 1.
---
---Uses the unbiased variance with 1e-8 under the root, as verl. A single number gives 0.
---@param t apo.Tensor [tokens] or [B]
---@return apo.Tensor # of the same shape
function apo.terms.whiten(t) end

return apo
