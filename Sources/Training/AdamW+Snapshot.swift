import Tensors

// In-memory snapshots of an optimizer's weights and state, to undo a step of several updates that
// is stopped midway. 12 bytes per weight; the snapshot's storage is reused.

extension AdamW {
  /// Weights, moments and step counts at one time.
  struct Snapshot {
    var weights: [Tensor]
    var states: [State?]
  }

  /// Copies all weights and their state, replacing an earlier snapshot.
  ///
  /// - Throws: `TensorError` if memory is short; there is no snapshot then.
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

  /// Frees the snapshot.
  public func dropSnapshot() { copy = nil }

  /// Restores and frees the snapshot. Returns whether there was one.
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

/// Floats per copy task.
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
