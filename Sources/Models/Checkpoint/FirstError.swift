import Synchronization

/// Keeps the first error of a parallel loop, whose body cannot throw.
final class FirstError: Sendable {
  private let error = Mutex<(any Error)?>(nil)

  /// Runs work unless some has failed already.
  func catching(_ body: () throws -> Void) {
    guard error.withLock({ $0 == nil }) else { return }
    do { try body() } catch {
      let found = error
      self.error.withLock { $0 = $0 ?? found }
    }
  }

  /// Throws the error, if there was one.
  func check() throws {
    if let error = error.withLock({ $0 }) { throw error }
  }
}
