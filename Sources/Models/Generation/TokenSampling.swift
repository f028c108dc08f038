import Kernels
import Tensors

/// A token to be sampled: the row of the logits it comes from and what its random number depends
/// on.
struct TokenPlace {
  let logits: Int
  /// Index of the prompt, for errors.
  let prompt: Int
  let row: UInt64
  let sample: Int
  let position: Int
}

/// A sampled token and its log-probability before any filter.
struct SampledToken {
  let id: Int
  let logProbability: Float
}

/// Samples a token for each of many rows of logits; its scratch memory is reused.
final class TokenSampler {
  private let options: SamplingOptions
  private let seed: UInt64
  private let step: UInt64
  private let scale: Float
  /// One for each share of the rows.
  private var distributions: [Distribution] = []

  init(_ options: SamplingOptions, seed: UInt64, step: UInt64) {
    self.options = options
    self.seed = seed
    self.step = step
    scale = options.logitScale
  }

  /// Samples one token for each place into `tokens`, from logits [R, V], in parallel and
  /// independently of each other.
  ///
  /// Throws the error of the first place whose logits are not numbers.
  func sample(
    _ logits: Tensor, _ places: [TokenPlace], into tokens: inout [SampledToken]
  ) throws {
    let vocabulary = logits.shape[1]
    let grain = max(1, 8_192 / vocabulary)
    let shares = max(1, min(4 * Team.shared.available, places.count / grain))
    while distributions.count < shares {
      distributions.append(Distribution(vocabularySize: vocabulary))
    }
    tokens.removeAll(keepingCapacity: true)
    for _ in places { tokens.append(SampledToken(id: -1, logProbability: 0)) }
    tokens.withUnsafeMutableBufferPointer { tokens in
      let tokens = tokens
      Team.shared.forEach(shares) { range in
        for share in range {
          for i in places.count * share / shares..<places.count * (share + 1) / shares {
            // The first error in order is thrown below.
            if let token = try? draw(logits, places[i], distributions[share]) { tokens[i] = token }
          }
        }
      }
    }
    if let failed = tokens.firstIndex(where: { $0.id < 0 }) {
      _ = try draw(logits, places[failed], distributions[0])
    }
  }

  private func draw(
    _ logits: Tensor, _ place: TokenPlace, _ distribution: Distribution
  ) throws(ModelError) -> SampledToken {
    let row = logits.pointer + place.logits * logits.shape[1]
    do {
      try distribution.set(row, options)
    } catch {
      throw .sampling(prompt: place.prompt, error)
    }
    let u = uniform(
      seed: seed, step: step, row: place.row, sample: place.sample, position: place.position)
    let id = distribution.sample(u)
    return SampledToken(
      id: id, logProbability: row[id] * scale - distribution.normaliser)
  }
}
