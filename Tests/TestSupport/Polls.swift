import Core
import Glibc

/// Counts how often this thread asks whether to stop, and says yes from a number on.
public enum Polls {
  nonisolated(unsafe) private static var thread: pthread_t?
  nonisolated(unsafe) private static var count = 0
  nonisolated(unsafe) private static var limit = Int.max

  /// How often `body` asks; it is told to stop when it has asked `limit` times.
  public static func during(limit: Int = .max, _ body: () throws -> Void) rethrows -> Int {
    let before = Interrupt.isRequested
    (thread, count, Polls.limit) = (pthread_self(), 0, limit)
    Interrupt.isRequested = {
      guard let thread = Polls.thread, pthread_equal(thread, pthread_self()) != 0 else {
        return false
      }
      Polls.count += 1
      return Polls.count > Polls.limit
    }
    defer { (thread, Interrupt.isRequested) = (nil, before) }
    try body()
    return count
  }
}
