import Core
import Synchronization
import Tensors

// Decoding in lanes: each thread runs whole decoding steps on its own sequences.
//
// Threads that share the loops of one pass synchronise dozens of times a step, and all read keys
// and values at the same time, while products hardly use memory bandwidth. Lanes synchronise only
// when one has no sequences left or when there is room for new prompts. Each lane reads all
// weights, so it needs enough rows to amortise them. A token does not depend on the rest of the
// batch: lanes do not change a bit of a completion.

extension Generator {
  /// A lower bound of the last-level cache of a few cores, in bytes.
  private static let lastCache = 32 << 20

  /// The least number of sequences worth a lane.
  static func rowsPerLane(_ model: Transformer) -> Int {
    let bytes = model.weights.reduce(0) { $0 + $1.weight.count * ($1.weight.tensor == nil ? 2 : 4) }
    // Weights that do not fit into the cache are read from memory once for each lane.
    return bytes <= lastCache ? 8 : 32
  }

  /// Whether all lanes have work before other prompts can enter.
  func hasWorkForLanes(_ capacity: Int) -> Bool {
    lanes.count > 1 && min(running.count, capacity) >= lanes.count * rowsPerLane
      && (waiting.isEmpty || running.count >= capacity)
  }

  /// Distributes the running sequences over the lanes, which decode until one is empty or waiting
  /// prompts can enter.
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

/// Steps of all lanes between two synchronisations.
private final class Round: Sendable {
  private let isOver = Atomic(false)
  private let ended = Atomic(0)
  /// Finished sequences that end the round.
  private let places: Int
  private let error = Mutex<(lane: Int, error: any Error)?>(nil)

  init(places: Int) { self.places = places }

  /// Decodes with a lane's sequences, at least one step, until this or another lane ends the round.
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
