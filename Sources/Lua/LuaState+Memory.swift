// A limit on Lua's own memory, and checks of the machine's memory.

import CLua

extension LuaState {
  /// Runs `body` and stops it if Lua allocates more than `bytes` in addition to now.
  ///
  /// Garbage does not count: Lua collects before it gives up. An enclosing limit may be reached
  /// earlier.
  /// - Returns: Where it was stopped, possibly empty; nil if it stayed within the limit.
  /// - Throws: What `body` throws within the limit, and Ctrl-C.
  public func withMemoryLimit(_ bytes: Int, _ body: () throws -> Void) throws -> String? {
    let L = current
    var before = cl_memory_limit()
    cl_begin_memory_limit(L, bytes, &before)
    do {
      try body()
    } catch {
      guard let place = cl_end_memory_limit(L, &before), !Self.isInterrupted else { throw error }
      return String(cString: place)
    }
    // Usage may have exceeded the limit temporarily.
    return cl_end_memory_limit(L, &before).map { String(cString: $0) }
  }
}
