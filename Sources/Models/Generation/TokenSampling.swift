import Kernels
import Tensors

/// A token to be sampled: the row of the logits it comes from and what its random number depends on.
struct TokenPlace {
  let logits: Int
  /// Number of the prompt, for error texts.
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

/// Samples one token for each place from logits [R, V], in parallel and independently of each other.
func sampleTokens(
  _ logits: Tensor, _ places: [TokenPlace], _ options: SamplingOptions, seed: UInt64, step: UInt64
) throws -> [SampledToken] {
  let vocabulary = logits.shape[1]
  let scale = options.temperature == 0 ? 1 : 1 / Float(options.temperature)
  var results = [Result<SampledToken, any Error>](
    repeating: .success(SampledToken(id: 0, logProbability: 0)), count: places.count)
  results.withUnsafeMutableBufferPointer { results in
    let results = results
    Team.shared.forEach(places.count, atLeast: max(1, 8_192 / vocabulary)) { range in
      let distribution = Distribution(vocabularySize: vocabulary)
      for i in range {
        let place = places[i]
        let row = logits.pointer + place.logits * vocabulary
        results[i] = Result {
          let u = uniform(
            seed: seed, step: step, row: place.row, sample: place.sample, position: place.position)
          do {
            try distribution.set(row, options)
          } catch {
            throw TensorError("generate: prompt \(place.prompt): \(error)")
          }
          let id = distribution.sample(u)
          let normaliser = logSumExp(row, vocabulary, scale: scale)
          return SampledToken(id: id, logProbability: row[id] * scale - normaliser)
        }
      }
    }
  }
  return try results.map { try $0.get() }
}
