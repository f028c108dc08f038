// A Lua interpreter: its life, its libraries, its memory.
//
// Values go through the interpreter's stack; the methods that touch it are in
// LuaState+Stack.swift, those that run code in LuaState+Running.swift. A state belongs to the
// thread that made it, and nothing here is meant for another.

import CLua

/// A Lua 5.4 interpreter with generational collection and its own allocator.
public final class LuaState {
  /// How a state is set up.
  public struct Configuration {
    /// Leaves `LUA_PATH`, `LUA_CPATH` and `LUA_INIT` unread.
    public var ignoresEnvironment = false
    /// Replaces `pairs` and `table.sort` by versions that give the same order in every run.
    public var isDeterministic = true

    /// The settings of `apo-lua` without options.
    public init() {}
  }

  let main: OpaquePointer
  /// What references to Lua values know of this state.
  let home = LuaReference.Home()
  private(set) var records: [FunctionRecord] = []
  var documentation: [Documentation] = []
  var documentationTable: LuaReference?
  var lazyTables: LazyTables?

  /// The coroutine that runs now; every stack operation works on it.
  var current: OpaquePointer { cl_current(main) }

  /// Opens a state with Lua's standard libraries.
  ///
  /// - Throws: `LuaError` when memory is short.
  public init(_ configuration: Configuration = Configuration()) throws {
    guard let main = cl_open(nil, runFunction, releaseObject) else {
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

  /// Whether finalizers may no longer call bound functions, since these may keep the state.
  private(set) var isReleased = false
  private var isClosed = false

  /// Ends the state, which must not be used any more. Finalizers run now, and find all as it was.
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

  /// Keeps a record as long as the state lives; C holds its address.
  func adopt(_ record: FunctionRecord) -> UnsafeMutableRawPointer {
    records.append(record)
    return Unmanaged.passUnretained(record).toOpaque()
  }

  /// Tells the collector of bytes that Lua cannot see; asked after every bound call.
  ///
  /// The source gives the bytes of storage alive now and those allocated since the start.
  public func setMemoryUsage(
    _ source: @escaping @convention(c) () -> cl_usage
  ) {
    cl_set_usage(main, source)
  }

  /// Tells Lua how to find out whether the machine has room for so many more bytes.
  public func setMemoryRoom(_ source: @escaping @convention(c) (Int) -> Bool) {
    cl_set_room(main, source)
  }

  /// Throws where there is no room for `bytes` more: before a large value of Lua's is copied.
  func checkRoom(_ bytes: Int) throws {
    guard cl_has_room(main, bytes) else { throw LuaError.shortage }
  }

  /// Runs a full collection.
  public func collectGarbage() { cl_collect(current) }

  /// Bytes in use by Lua itself.
  public var heapBytes: Int { Int(cl_heap_bytes(main)) }

  /// Seeds `math.random`.
  public func seedRandom(_ seed: Int) { cl_seed(current, Int64(seed)) }

  /// Turns the messages of `warn` on or off.
  public func setWarnings(_ on: Bool) { cl_set_warnings(main, on) }

  /// The interpreter's own name and release, such as `Lua 5.4.4`.
  public static var version: String { String(cString: cl_lua_version()) }
}

/// Bytes of storage alive now, and allocated since the start.
public typealias MemoryUsage = cl_usage

/// Drops the reference that a userdata held.
private func releaseObject(_ object: UnsafeMutableRawPointer?) {
  if let object { Unmanaged<AnyObject>.fromOpaque(object).release() }
}
