import Glibc
import Synchronization

/// A fixed team of threads that runs one parallel loop at a time: the only owner of threads in the program.
///
/// A loop is cut into one contiguous range per thread. Callers write loops whose iterations do not depend on each
/// other, and cut reductions by shape (`blocks`), so that results depend neither on timing nor on the number of threads.
/// Workers spin for some microseconds after a loop, as the next one usually follows at once, and then sleep.
public final class Team: @unchecked Sendable {
  /// The team of the program: one thread per core, or `APO_THREADS`.
  public internal(set) nonisolated(unsafe) static var shared = Team(threads: configuredThreads())

  /// Threads that take part, the caller's included.
  public let threads: Int
  private var body: (Int) -> Void = { _ in }
  private let busy = Atomic(false)
  private let turn = Atomic(0)
  private let unfinished = Atomic(0)
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let wake = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

  /// Starts `threads - 1` workers, which live as long as the program.
  public init(threads: Int) {
    self.threads = max(1, threads)
    pthread_mutex_init(mutex, nil)
    pthread_cond_init(wake, nil)
    for index in 1..<self.threads where self.threads > 1 { spawn { self.work(index) } }
  }

  /// Calls `body` with the sub-ranges of `0..<count`, one per thread, and returns when all are done.
  ///
  /// `atLeast` is the smallest range worth a thread. A loop started inside another runs on the calling thread alone.
  public func forEach(_ count: Int, atLeast grain: Int = 1, _ body: (Range<Int>) -> Void) {
    let parts = min(threads, count / max(1, grain))
    guard parts > 1,
      busy.compareExchange(expected: false, desired: true, ordering: .acquiring).exchanged
    else {
      if count > 0 { body(0..<count) }
      return
    }
    withoutActuallyEscaping(body) { body in
      self.body = { part in
        if part < parts { body(count * part / parts..<count * (part + 1) / parts) }
      }
      unfinished.store(threads - 1, ordering: .relaxed)
      pthread_mutex_lock(mutex)
      turn.add(1, ordering: .releasing)
      pthread_cond_broadcast(wake)
      pthread_mutex_unlock(mutex)
      self.body(0)
      while unfinished.load(ordering: .acquiring) > 0 {}
      self.body = { _ in }
    }
    busy.store(false, ordering: .releasing)
  }

  private func work(_ index: Int) {
    var seen = 0
    while true {
      var patience = 20_000
      while turn.load(ordering: .acquiring) == seen {
        patience -= 1
        if patience > 0 { continue }
        pthread_mutex_lock(mutex)
        while turn.load(ordering: .acquiring) == seen { pthread_cond_wait(wake, mutex) }
        pthread_mutex_unlock(mutex)
      }
      seen = turn.load(ordering: .acquiring)
      body(index)
      unfinished.subtract(1, ordering: .releasing)
    }
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

private func spawn(_ body: @escaping @Sendable () -> Void) {
  final class Box {
    let body: () -> Void
    init(_ body: @escaping () -> Void) { self.body = body }
  }
  var attributes = pthread_attr_t()
  pthread_attr_init(&attributes)
  pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
  // Signals (Ctrl-C) belong to the thread that runs the script.
  var all = sigset_t()
  var old = sigset_t()
  sigfillset(&all)
  pthread_sigmask(SIG_SETMASK, &all, &old)
  var thread = pthread_t()
  let box = Unmanaged.passRetained(Box(body))
  pthread_create(
    &thread, &attributes,
    {
      Unmanaged<Box>.fromOpaque($0!).takeRetainedValue().body()
      return nil
    }, box.toOpaque())
  pthread_sigmask(SIG_SETMASK, &old, nil)
}
