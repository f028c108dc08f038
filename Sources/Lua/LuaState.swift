// A Lua interpreter: lifetime, libraries, memory.
//
// Values go through the interpreter's stack; the methods that touch it are in LuaState+Stack.swift,
// those that run code in LuaState+Running.swift. A state belongs to the thread that created it and
// must not be used from another.

import CLua

/// A Lua 5.4 interpreter with generational collection and its own allocator.
public final class LuaState {
  /// How a state is set up.
  public struct Configuration {
    /// Leaves `LUA_PATH`, `LUA_CPATH` and `LUA_INIT` unread.
    public var ignoresEnvironment = false
    /// Replaces `pairs` and `table.sort` with deterministic versions.
    public var isDeterministic = true

    /// The settings of `apo-lua` without options.
    public init() {}
  }

  let main: OpaquePointer
  /// The link from references to this state.
  let home = LuaReference.Home()
  private(set) var records: [FunctionRecord] = []
  var documentation: [Documentation] = []
  var documentationTable: LuaReference?
  var lazyTables: LazyTables?
  /// Explains an unknown option, given the known ones; nil for a name that it does not know either.
  public var explainOption: ((_ name: String, _ known: [String]) -> String?)?

  /// The coroutine that runs now; every stack operation works on it.
  var current: OpaquePointer { cl_current(main) }

  /// Opens a state with Lua's standard libraries.
  ///
  /// - Throws: `LuaError` when memory is short.
  public init(_ configuration: Configuration = Configuration()) throws {
    guard let main = cl_open(runFunction, releaseObject) else {
      throw LuaError("not enough memory for a Lua state")
    }
    self.main = main
    home.state = self
    guard cl_open_libraries(main, configuration.ignoresEnvironment),
      !configuration.isDeterministic || cl_open_deterministic(main)
    else { throw LuaError("not enough memory for Lua's libraries") }
    try openDocumentation()
    try registerSilently(LuaIterator.declaration)
  }

  /// Whether finalizers may no longer call bound functions, because these could keep the state
  /// alive.
  private(set) var isReleased = false
  private var isClosed = false

  /// Closes the state. Finalizers run first, while everything still works.
  public func close() {
    guard !isClosed else { return }
    isClosed = true
    cl_close(main)
    home.state = nil
  }

  deinit {
    isReleased = true
    if !isClosed { cl_close(main) }
    home.state = nil
  }

  /// Keeps a record alive as long as the state; C holds its address.
  func adopt(_ record: FunctionRecord) -> UnsafeMutableRawPointer {
    records.append(record)
    return Unmanaged.passUnretained(record).toOpaque()
  }

  /// Reports bytes that Lua cannot see to the collector; queried after every bound call.
  ///
  /// The source returns the bytes of live storage and the total allocated.
  public func setMemoryUsage(
    _ source: @escaping @convention(c) () -> cl_usage
  ) {
    cl_set_usage(main, source)
  }

  /// Sets how Lua checks whether the machine has memory for more bytes.
  public func setMemoryRoom(_ source: @escaping @convention(c) (Int) -> Bool) {
    cl_set_room(main, source)
  }

  /// Throws if there is no memory for `bytes` more: called before copying a large Lua value.
  func checkRoom(_ bytes: Int) throws {
    guard cl_has_room(main, bytes) else { throw LuaError.shortage }
  }

  /// Runs a full collection.
  public func collectGarbage() { cl_collect(current) }

  /// Bytes in use by Lua itself.
  public var heapBytes: Int { Int(cl_heap_bytes(main)) }

  /// Seeds `math.random`.
  public func seedRandom(_ seed: Int) { cl_seed(current, Int64(seed)) }

  /// Where `math.random` is in its sequence; nil if that cannot be told.
  public var randomState: RandomState? {
    get {
      var state = cl_random()
      return (try? reserve(4)) != nil && cl_random_state(current, &state, false) ? state : nil
    }
    set {
      guard var state = newValue, (try? reserve(4)) != nil else { return }
      _ = cl_random_state(current, &state, true)
    }
  }

  /// Turns the messages of `warn` on or off.
  public func setWarnings(_ on: Bool) { cl_set_warnings(main, on) }

  /// The interpreter's own name and release, such as `Lua 5.4.4`.
  public static var version: String { String(cString: cl_lua_version()) }
}

/// A position in the sequence of `math.random`.
public typealias RandomState = cl_random

/// Bytes of live storage, and total allocated.
public typealias MemoryUsage = cl_usage

/// Drops the reference that a userdata held.
private func releaseObject(_ object: UnsafeMutableRawPointer?) {
  if let object { Unmanaged<AnyObject>.fromOpaque(object).release() }
}
