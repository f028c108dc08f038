import Tensors

// Copies in memory of what an optimiser changes, so that a step of several updates that is
// abandoned half way leaves the step before it. 12 bytes per weight; the copy's storage is reused.

extension AdamW {
  /// Weights, averages and counts at one moment.
  struct Snapshot {
    var weights: [Tensor]
    var states: [State?]
  }

  /// Copies all weights and their state; a copy that was made before is replaced.
  ///
  /// - Throws: `TensorError` where memory is short; there is no copy then.
  public func snapshot() throws {
    let old = copy
    copy = nil
    var pairs: [(from: Tensor, into: Tensor)] = []
    var new = Snapshot(weights: [], states: [])
    for (index, (_, tensor)) in parameters.enumerated() {
      let weights = try old?.weights[index] ?? .result(tensor.shape, for: "snapshot")
      new.weights.append(weights)
      pairs.append((tensor, weights))
      guard let state = states[index] else {
        new.states.append(nil)
        continue
      }
      let room = old?.states[index]
      let mean = try room?.mean ?? .result(tensor.shape, for: "snapshot")
      let square = try room?.square ?? .result(tensor.shape, for: "snapshot")
      new.states.append(State(step: state.step, mean: mean, square: square))
      pairs += [(state.mean, mean), (state.square, square)]
    }
    copyAll(pairs)
    copy = new
  }

  /// Frees what `snapshot` copied.
  public func dropSnapshot() { copy = nil }

  /// Puts back what `snapshot` copied, which is gone then. Gives whether there was a copy.
  public func rollBack() -> Bool {
    guard let old = copy else { return false }
    copy = nil
    copyAll(zip(parameters, old.weights).map { ($1, $0.tensor) })
    for (_, tensor) in parameters { tensor.storage.didChange() }
    states = old.states
    zeroGradients()
    return true
  }
}

/// Floats that a thread copies at a time.
private let chunkSize = 1 << 16

private func copyAll(_ pairs: [(from: Tensor, into: Tensor)]) {
  let chunks = pairs.flatMap { pair in
    blocks(pair.from.count, size: chunkSize).map {
      (from: pair.from.pointer, into: pair.into.pointer, range: $0)
    }
  }
  Team.shared.forEach(chunks.count) { range in
    for (from, into, part) in chunks[range] {
      (into + part.lowerBound).update(from: from + part.lowerBound, count: part.count)
    }
  }
  withExtendedLifetime(pairs) {}
}
