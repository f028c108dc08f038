// A limit on what Lua itself may hold, and what a state asks of the machine's memory.

import CLua

extension LuaState {
  /// Runs `body`, and stops what it runs when Lua holds more than `bytes` beyond what it holds now.
  ///
  /// Garbage does not count: Lua collects before it gives up. An enclosing limit may be reached
  /// earlier.
  /// - Returns: Where it was stopped, perhaps empty; nil when the limit sufficed.
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
    // What goes on within the limit may have gone beyond it on its way.
    return cl_end_memory_limit(L, &before).map { String(cString: $0) }
  }
}
