// `model:generate`: prompts and options in, a rollout out.

import Core
import Lua
import Models
import Tensors

/// What a sampled distribution is made of. Functions that sample for themselves declare the same
/// options: see `sharedDeclarations`.
let distributionOptions = [
  Parameter(
    "temperature", .number(), "divides the logits; 0 is greedy",
    default: .integer(SamplingOptions.Default.temperature)),
  Parameter(
    "top_k", .integer(),
    "sample from this many of the most likely tokens (and ties with the last); 0 for all",
    default: .integer(SamplingOptions.Default.topK)),
  Parameter(
    "top_p", .number(),
    "sample from the fewest most likely tokens whose probabilities add up to this",
    default: .integer(SamplingOptions.Default.topP)),
  Parameter(
    "min_p", .number(), "minimum probability of a token, relative to the most likely one",
    default: .integer(SamplingOptions.Default.minP)),
]

/// Where a completion ends, and how many are sampled at a time.
let completionOptions = [
  Parameter(
    "max_tokens", .oneOf([.integer(), .list(of: .integer())]),
    "maximum tokens per completion, or a list with one number per prompt",
    default: .integer(SamplingOptions.Default.maxTokens)),
  Parameter(
    "stop", .oneOf([.string, .list(of: .string)]),
    "texts that end a completion; `ids` includes the token that completed one, `text` ends "
      + "before it",
    optional: true),
  Parameter(
    "stop_token_ids", .list(of: .integer()),
    "tokens that end a completion; `ids` includes them, `text` does not", optional: true),
  Parameter("ignore_eos", .boolean, "continue after an end token", default: false),
  Parameter(
    "max_num_seqs", .integer(minimum: 1),
    "maximum number of completions sampled at a time; default: up to 256 that fit into 1 GiB of "
      + "cache",
    optional: true),
  Parameter(
    "overlong", .choice(Overlong.allCases.map(\.rawValue)),
    "what to do with a prompt that leaves no room for `max_tokens` in the model's context: "
      + "raise an error, or drop its first tokens", default: .string(Overlong.error.rawValue)),
]

private let generateOptions =
  [
    Parameter(
      "n", .integer(), "completions per prompt", default: .integer(SamplingOptions.Default.n))
  ] + distributionOptions + completionOptions + [
    Parameter("seed", .integer(), "the seed; default: the run's, see apo.seed", optional: true),
    Parameter(
      "step", .integer(),
      "distinguishes calls with the same seed; default: the number of the call since apo.seed",
      optional: true),
    Parameter(
      "first_sample", .list(of: .integer(minimum: 0, maximum: 1 << 40)),
      "the number of each prompt's first sample, from 0, which distinguishes samples of calls "
        + "with the same seed and step; default: n times the earlier occurrences of the row in "
        + "the call",
      optional: true),
    adapterOption,
  ]

/// `model:generate`; `rows` maps tables to dataset rows.
func generateMethod(_ run: RunState, _ rows: RowNumbers) -> Function {
  Function(
    "generate", "Samples completions of prompts.",
    [
      Parameter(
        "prompts", .oneOf([.table, .string]),
        "one or several rows with a `prompt`, texts, lists of token ids, or lists of messages"),
      Parameter("options", .options(generateOptions), "see below", optional: true),
    ],
    returns: [Returned(.object(Rollout.self), "n completions of each prompt, in order")],
    details: """
      Options have vLLM's names and meanings. A sample depends on the model, the prompt, the seed,
      the step, the row and its sample number, but not on the batch; if a row occurs several times
      in a call, `first_sample` tells them apart. A row is identified by its position in its
      dataset, other prompts by their tokens.

      Batching is continuous: finished completions leave the batch and waiting prompts enter, so
      `max_tokens` may vary: `{max_tokens = {8, 128}}` for two prompts.

      Messages are rendered with the tokenizer's chat template, up to the start of the assistant's
      answer. If the last message is the assistant's, it is continued. The template receives the
      row's `tools` and `chat_template_kwargs`.
      """,
    example: """
      local rollout = policy:generate(rows, {max_tokens = 12, temperature = 1.0})
      for _, completion in ipairs(rollout) do print(completion.prompt, completion.text) end
      """
  ) { call in
    let model = try call.this(Model.self)
    let limits = try tokenLimits(call[2].options()["max_tokens"])
    let options = try samplingOptions(call[2].options(), maxTokens: limits.map { $0.max() ?? 1 })
    if !options.stop.isEmpty {
      _ = try model.requireTokenizer(for: "generate: option 'stop'")
    }
    try checkStopTokens(options.stopTokenIDs, model)
    let reader = PromptReader(
      model: model, rows: rows,
      overlong: try Overlong(rawValue: call[2].options()["overlong"].string()) ?? .error)
    let prompts = try reader.read(call[1], limits: limits ?? [options.maxTokens])
    try checkSize(prompts.count, options.n)
    let firstSamples = try call[2].options()["first_sample"].ifPresent?.integers()
    if let firstSamples, firstSamples.count != prompts.count {
      throw LuaError(
        "generate: option 'first_sample': a number for each prompt expected, got "
          + "\(firstSamples.count) for \(prompts.count)")
    }
    let seed = try call[2].options()["seed"].ifPresent?.integer() ?? run.seed
    let step = try call[2].options()["step"].ifPresent?.integer() ?? run.nextStep()
    let isAdapted = try call[2].options()["adapter"].boolean()
    let transformer = try model.transformer(withAdapter: isAdapted)
    let generator = try Generator(
      transformer, options, endTokens: Set(model.endTokens),
      tokenizer: model.tokenizer?.tokenizer, seed: UInt64(bitPattern: Int64(seed)),
      step: UInt64(bitPattern: Int64(step)),
      maxSequences: call[2].options()["max_num_seqs"].ifPresent?.integer())
    let completions: [[Completion]]
    do {
      completions = try generator.generate(requests(prompts, n: options.n, limits, firstSamples))
    } catch ModelError.sampling(let prompt, let error) {
      guard let place = prompts[prompt].place else {
        throw ModelError.sampling(prompt: prompt, error)
      }
      throw LuaError("generate: \(place): \(error)")
    }
    let rollout = rollout(prompts, completions, options, model, origin: transformer.weightStamp)
    let kept = try call.state.reference(to: .list(prompts.map { .reference($0.row) }))
    return try call.result(rollout, keeping: kept)
  }
}

/// The number for each prompt where there is a list of them.
private func tokenLimits(_ maxTokens: Argument) throws -> [Int]? {
  guard maxTokens.kind == .table else { return nil }
  let limits = try maxTokens.integers()
  for (index, limit) in limits.enumerated() {
    do {
      try SamplingOptions.check(maxTokens: limit)
    } catch {
      throw LuaError("generate: \(error) for prompt \(index + 1)")
    }
  }
  return limits
}

private func samplingOptions(_ options: Options, maxTokens: Int?) throws -> SamplingOptions {
  let stop = try options["stop"]
  do {
    return try SamplingOptions(
      n: options["n"].integer(), maxTokens: maxTokens ?? options["max_tokens"].integer(),
      temperature: options["temperature"].number(), topK: options["top_k"].integer(),
      topP: options["top_p"].number(), minP: options["min_p"].number(),
      stop: stop.isAbsent ? [] : stop.validTexts("generate: option 'stop'"),
      stopTokenIDs: options["stop_token_ids"].ifPresent?.integers() ?? [],
      ignoreEOS: options["ignore_eos"].boolean())
  } catch let error as ArgumentError {
    throw LuaError("generate: \(error)")
  }
}

private func checkStopTokens(_ ids: Set<Int>, _ model: Model) throws {
  let vocabulary = model.transformer.configuration.vocabularySize
  if let wrong = ids.filter({ $0 < 0 || $0 >= vocabulary }).min() {
    throw LuaError(
      "generate: option 'stop_token_ids': \(wrong) is outside of 0..\(vocabulary - 1)")
  }
}

private func checkSize(_ prompts: Int, _ n: Int) throws {
  let (count, overflow) = prompts.multipliedReportingOverflow(by: n)
  guard !overflow, count <= 1 << 24 else {
    throw LuaError("generate: \(prompts) prompts with n = \(n) are too many for one call")
  }
  try Memory.checkBuffer(bytes: count * 256, for: "generate")
}

/// A repeated prompt continues with further samples.
private func requests(
  _ prompts: [Prompt], n: Int, _ limits: [Int]?, _ firstSamples: [Int]?
) -> [GenerationRequest] {
  var occurrences: [UInt64: Int] = [:]
  return prompts.enumerated().map { index, prompt in
    let before = occurrences[prompt.key, default: 0]
    occurrences[prompt.key] = before + 1
    return GenerationRequest(
      prompt: prompt.ids, row: prompt.key, firstSample: firstSamples?[index] ?? before * n,
      maxTokens: limits?[index])
  }
}

private func rollout(
  _ prompts: [Prompt], _ completions: [[Completion]], _ options: SamplingOptions, _ model: Model,
  origin: Transformer.WeightStamp
) -> Rollout {
  let items = zip(prompts, completions).enumerated().flatMap { index, pair in
    pair.1.enumerated().map { sample, completion in
      Rollout.Item(
        promptIDs: pair.0.ids, prompt: pair.0.text, completion,
        textLength: model.textLength(completion, options.stopTokenIDs),
        row: index + 1, sample: sample + 1)
    }
  }
  return Rollout(
    items, temperature: options.temperature == 0 ? 1 : options.temperature, origin: origin,
    tokenizer: model.tokenizer?.tokenizer)
}

extension Model {
  /// Bytes of the text before the stop string; nil for all of it.
  fileprivate func textLength(_ completion: Completion, _ stopTokenIDs: Set<Int>) -> Int? {
    guard completion.finishReason == .stop, let last = completion.ids.last,
      stopTokenIDs.contains(last), let tokenizer = tokenizer?.tokenizer
    else { return completion.stoppedTextLength }
    let text = try? tokenizer.decode(
      completion.ids.dropLast(), skipSpecialTokens: true)
    return text?.utf8.count
  }
}
