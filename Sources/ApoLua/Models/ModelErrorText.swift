// Error texts of models and training for scripts, which count positions from 1.

import Models
import Training

extension RolloutError: CustomStringConvertible {
  /// The text as scripts see it.
  public var description: String {
    switch self {
    case .unknownIDs(let index):
      "rollout: the token ids of completion \(index + 1) are not known yet; pass "
        + "{tokenizer = …} to apo.rollout"
    case .noEndToken: "there is no end token to append (eos = true)"
    case .record(let index, let error): "rollout: record \(index + 1): \(error)"
    }
  }
}

extension ModelError: CustomStringConvertible {
  /// The text as scripts see it.
  public var description: String {
    switch self {
    case .ids(.empty): "logits: at least one token id expected"
    case .ids(.unknownToken(let id, let position, let vocabulary)):
      "logits: token id \(id) at position \(position + 1) is outside of 0..\(vocabulary - 1)"
    case .ids(let fault): "logits: \(fault.text)"
    case .prompt(let index, .empty):
      "generate: prompt \(index + 1) is empty; at least one token expected"
    case .prompt(let index, .noRoom(let tokens, let maxTokens, let context, let setting)):
      "generate: prompt \(index + 1) has \(tokens) tokens, which with max_tokens = \(maxTokens) "
        + "exceeds the model's context of \(context) (\(setting))"
    case .prompt(let index, let fault): "generate: prompt \(index + 1): \(fault.text)"
    case .completion(let index, let function, let fault):
      "\(function): completion \(index + 1): \(fault.text)"
    case .sampling(let prompt, let error): "generate: prompt \(prompt + 1): \(error)"
    case .sampledCount(let count, let function, let tokens):
      "\(function): \(count) sampled values for \(tokens) tokens"
    case .recomputed(let value, let function, let before):
      "backward: '\(function)' gave \(before) for a token and computes \(value) now; please report "
        + "this. With all sequences in one micro_batch nothing is computed twice"
    case .weightsChanged(let function):
      "backward: weights of the model were changed in place after '\(function)'"
    case .trainabilityChanged(let weight, let isFrozen, let function):
      "backward: \(weight) was \(isFrozen ? "frozen" : "unfrozen") after '\(function)', whose "
        + "layers backward() recomputes with the current weights; call \(function) again"
    case .tooLarge(let folder, let weights, let type, let bytes, let available, let halves):
      "\(folder): the \(weights) weights need \(bytes / 1_000_000) MB of memory "
        + "as \(type.rawValue), \(available / 1_000_000) MB available"
        + (halves.map {
          "; held as bfloat16 they need \($0 / 1_000_000) MB: "
            + "load(path, {dtype = \"bfloat16\"}) loads a model for sampling and scoring, but "
            + "not for training"
        } ?? "")
    case .notTrainable("load_value_model"):
      "load_value_model: the model is held as bfloat16, which cannot be trained"
    case .notTrainable(let operation):
      "\(operation): the model's weights are held as bfloat16 and collect no gradients; "
        + "clone{dtype = \"float32\"} gives a copy that does"
    }
  }
}

extension ModelError.SequenceFault {
  fileprivate var text: String {
    switch self {
    case .empty: "the prompt is empty"
    case .unknownToken(let id, _, let vocabulary):
      "token id \(id) is outside of 0..\(vocabulary - 1)"
    case .tooLong(let tokens, let context, let setting),
      .noRoom(let tokens, _, let context, let setting):
      "the sequence has \(tokens) tokens and the model's context is \(context) (\(setting))"
    }
  }
}

extension LogitsError: CustomStringConvertible {
  /// The text as scripts see it.
  public var description: String {
    switch self {
    case .notFinite(let token, let value): "the logit of token \(token) is \(value)"
    case .allImpossible: "all logits are -inf"
    case .overflow(let logit, let temperature):
      "the logit \(logit) over temperature \(temperature) overflows"
    }
  }
}

extension TrainingError: CustomStringConvertible {
  /// The text as scripts see it.
  public var description: String {
    switch self {
    case .lossShape(let name, let shape, let logp):
      "astarpo: logp, ref_logp and target of one shape [B] expected, got \(name) \(shape) and "
        + "logp \(logp)"
    case .lossValue(let name, let sample, let value):
      "astarpo: \(name) of sample \(sample + 1) is \(value)"
    case .gradientShape(let parameter, let shape, let expected):
      "adamw: the gradient of '\(parameter)' has shape \(shape), the parameter \(expected)"
    case .noGradient(let isFrozen):
      "adamw: no parameter has a gradient; "
        + (isFrozen ? "none requires one (is the model frozen?)" : "call loss:backward() first")
    case .gradientValue(let parameter, let element, let value):
      "adamw: the gradient of '\(parameter)' is not finite (element \(element + 1) is \(value)); "
        + "nothing was changed"
    case .gradientNorm:
      "adamw: the norm of the gradients is not finite; nothing was changed"
    case .maxGradNorm(let limit):
      "max_grad_norm: a number above 0 expected (math.huge for no clipping), got "
        + (limit == 0 ? "0" : "\(limit)")
    }
  }
}

extension MemoryPlanTooLarge: CustomStringConvertible {
  /// The text as scripts see it.
  public var description: String {
    "memory_estimate: batch_size = \(plan.batchSize), n = \(plan.samples), prompt_tokens = "
      + "\(plan.promptTokens) and max_tokens = \(plan.maxTokens) with models of \(weights) weights "
      + "may come to more than 2^60 bytes; smaller ones expected"
  }
}
