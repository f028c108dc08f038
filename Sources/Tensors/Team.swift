import Core
import Glibc
import Synchronization

/// A fixed team of threads that runs one parallel loop at a time: the only owner of threads in the
/// program.
///
/// A loop is cut into a few ranges per thread, which the caller and the workers claim one by one:
/// where the machine is busy with other work and a worker does not run, the caller does its share.
/// Iterations must not depend on each other, and reductions are cut by shape (`blocks`), so that
/// results depend neither on timing nor on the number of threads. Workers spin for some
/// microseconds after a loop, as the next one usually follows at once, and then sleep.
public final class Team: @unchecked Sendable {
  /// The team of the program: one thread per core, or `APO_THREADS`.
  public internal(set) nonisolated(unsafe) static var shared = Team(threads: configuredThreads())

  /// Threads that take part, the caller's included.
  public let threads: Int
  private var body: (Int) -> Void = { _ in }
  private let busy = Atomic(false)
  /// The loop that runs: its number, its ranges and the next range to be claimed, in one atomic
  /// word.
  private let ticket = Atomic(Ticket(loop: 0, ranges: 0).word)
  private let finished = Atomic(0)
  private let sleepers = Atomic(0)
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let wake = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

  private struct Ticket {
    var word: UInt64
    init(_ word: UInt64) { self.word = word }
    init(loop: UInt64, ranges: Int) { word = loop << 32 | UInt64(ranges) << 16 }
    var loop: UInt64 { word >> 32 }
    var ranges: Int { Int(word >> 16 & 0xFFFF) }
    var next: Int { Int(word & 0xFFFF) }
    var hasWork: Bool { next < ranges }
  }

  /// Starts `threads - 1` workers, which live as long as the program.
  public init(threads: Int) {
    self.threads = max(1, threads)
    pthread_mutex_init(mutex, nil)
    pthread_cond_init(wake, nil)
    for _ in 1..<self.threads where self.threads > 1 { startThread { self.work() } }
  }

  /// Threads that a loop started now would run on: one inside another loop.
  public var available: Int { threads == 1 || busy.load(ordering: .relaxed) ? 1 : threads }

  /// Calls `body` with sub-ranges of `0..<count` on several threads and returns when all are done.
  ///
  /// `atLeast` is the smallest range worth a thread. A loop started inside another runs on the
  /// calling thread alone.
  public func forEach(_ count: Int, atLeast grain: Int = 1, _ body: (Range<Int>) -> Void) {
    let parts = min(threads * 4, count / max(1, grain), 0xFFFF)
    guard parts > 1, available > 1,
      busy.compareExchange(expected: false, desired: true, ordering: .acquiring).exchanged
    else {
      if count > 0 { body(0..<count) }
      return
    }
    withoutActuallyEscaping(body) { body in
      // Claims interleave, so that the ranges that one thread claims are mostly adjacent.
      let turns = parts % threads == 0 ? threads : 1
      self.body = { claim in
        let part = claim % turns * (parts / turns) + claim / turns
        body(count * part / parts..<count * (part + 1) / parts)
      }
      finished.store(0, ordering: .relaxed)
      let loop = Ticket(ticket.load(ordering: .relaxed)).loop &+ 1
      ticket.store(
        Ticket(loop: loop & 0xFFFF_FFFF, ranges: parts).word, ordering: .sequentiallyConsistent)
      if sleepers.load(ordering: .sequentiallyConsistent) > 0 { wakeAll() }
      help()
      waitUntilFinished(parts)
      self.body = { _ in }
    }
    busy.store(false, ordering: .releasing)
  }

  /// Claims and runs ranges of the current loop until none is left.
  private func help() {
    var seen = Ticket(ticket.load(ordering: .acquiring))
    while seen.hasWork {
      let (claimed, now) = ticket.compareExchange(
        expected: seen.word, desired: seen.word + 1, ordering: .acquiringAndReleasing)
      if claimed {
        run(seen.next)
        finished.add(1, ordering: .releasing)
      }
      seen = Ticket(claimed ? ticket.load(ordering: .acquiring) : now)
    }
  }

  /// A separate function, so that the closure is held only while the range runs.
  @inline(never)
  private func run(_ part: Int) { body(part) }

  /// Waits for ranges that workers still run, and yields the core to a worker that was preempted.
  private func waitUntilFinished(_ parts: Int) {
    var spins = 0
    while finished.load(ordering: .acquiring) < parts {
      spins += 1
      if spins > 2_000 { sched_yield() }
    }
  }

  private func wakeAll() {
    pthread_mutex_lock(mutex)
    pthread_cond_broadcast(wake)
    pthread_mutex_unlock(mutex)
  }

  private func work() {
    while true {
      var patience = 100_000
      while !Ticket(ticket.load(ordering: .acquiring)).hasWork {
        patience -= 1
        if patience == 0 { sleep() }
      }
      help()
    }
  }

  private func sleep() {
    pthread_mutex_lock(mutex)
    sleepers.add(1, ordering: .sequentiallyConsistent)
    while !Ticket(ticket.load(ordering: .sequentiallyConsistent)).hasWork {
      pthread_cond_wait(wake, mutex)
    }
    sleepers.subtract(1, ordering: .relaxed)
    pthread_mutex_unlock(mutex)
  }
}

/// Cuts `0..<count` into ranges of `size`: the unit of reductions, whatever the number of threads.
public func blocks(_ count: Int, size: Int) -> [Range<Int>] {
  stride(from: 0, to: count, by: size).map { $0..<min(count, $0 + size) }
}

/// The number in `APO_THREADS` if it is one from 1 to 256, else the number of cores.
private func configuredThreads() -> Int {
  if let text = getenv("APO_THREADS"), let value = Int(String(cString: text)),
    (1...256).contains(value)
  {
    return value
  }
  let cores = Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))
  return min(256, max(1, cores))
}
