import Synchronization
import Tensors

// Decoding in lanes: each thread takes whole steps with sequences of its own.
//
// Threads that share the loops of one pass wait for each other some dozens of times a step, and read keys and values all at
// the same time, while products need next to nothing from memory. In lanes they meet only when one has nothing left to
// do or when there is room for new prompts. Each lane reads all weights, so it must have enough rows to compute
// meanwhile. A token does not depend on what is computed beside it: lanes change no bit of a completion.

extension Generator {
  /// Bytes that the last cache of a few cores holds at least.
  private static let lastCache = 32 << 20

  /// Sequences that each of several lanes must have at least.
  static func rowsPerLane(_ model: Transformer) -> Int {
    let bytes = model.weights.reduce(0) { $0 + $1.weight.count * ($1.weight.tensor == nil ? 2 : 4) }
    // Weights that come from memory come once for each lane.
    return bytes <= lastCache ? 8 : 32
  }

  /// Whether there is something to do for all lanes before other prompts can enter.
  func hasWorkForLanes(_ capacity: Int) -> Bool {
    lanes.count > 1 && min(running.count, capacity) >= lanes.count * rowsPerLane
      && (waiting.isEmpty || running.count >= capacity)
  }

  /// Shares the running sequences out and lets each lane go on until one of them has none, or others can take the places of
  /// those that ended.
  func decodeInLanes(_ capacity: Int) throws {
    let all = lanes[0].leave()
    let decoded = min(all.count, capacity)
    let othersWait = !waiting.isEmpty || decoded < all.count
    let round = Round(places: othersWait ? max(1, capacity / 8) : .max)
    for (index, lane) in lanes.enumerated() {
      let share = decoded * index / lanes.count..<decoded * (index + 1) / lanes.count
      lane.running = Array(all[share])
    }
    let lanes = lanes
    Team.shared.forEach(lanes.count) { for index in $0 { round.run(lanes[index], index) } }
    running = lanes.flatMap { $0.leave() } + all[decoded...]
    try round.check()
  }
}

/// Steps that lanes take without waiting for each other.
private final class Round: Sendable {
  private let isOver = Atomic(false)
  private let ended = Atomic(0)
  /// Sequences that end before the round does.
  private let places: Int
  private let error = Mutex<(lane: Int, error: any Error)?>(nil)

  init(places: Int) { self.places = places }

  /// Takes steps with a lane's sequences, at least one, until this or another lane ends the round.
  func run(_ lane: DecodingLane, _ index: Int) {
    do {
      repeat {
        try Interrupt.check()
        let before = lane.running.count
        try lane.step(decoded: before)
        let ended = before - lane.running.count
        if lane.running.isEmpty || self.ended.add(ended, ordering: .relaxed).newValue >= places {
          isOver.store(true, ordering: .relaxed)
        }
      } while !isOver.load(ordering: .relaxed)
    } catch {
      isOver.store(true, ordering: .relaxed)
      self.error.withLock { if index < $0?.lane ?? .max { $0 = (index, error) } }
    }
  }

  /// Throws the first lane's error.
  func check() throws {
    if let (_, error) = error.withLock({ $0 }) { throw error }
  }
}
