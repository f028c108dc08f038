// Runs Lua code from Swift, always in protected mode.

import CLua

extension LuaState {
  /// Loads text as a chunk.
  ///
  /// - Parameter name: Lua's chunk name; `=stdin` shows as `stdin`, `@file` as `file`.
  /// - Throws: `LuaError` with the parser's message; `isIncompleteInput` says that the text
  ///   ended too early.
  public func load(_ text: [UInt8], name: String) throws -> LuaReference {
    try reserve(4)
    let status = text.withUnsafeBytes {
      cl_load_text(current, $0.bindMemory(to: CChar.self).baseAddress, $0.count, name)
    }
    return try loaded(status)
  }

  /// Loads text as a chunk.
  public func load(_ text: String, name: String) throws -> LuaReference {
    try load(Array(text.utf8), name: name)
  }

  /// Loads a file, or standard input when the path is nil. The chunk may be compiled.
  public func load(file path: [UInt8]?) throws -> LuaReference {
    try reserve(4)
    guard let path else { return try loaded(cl_load_file(current, nil)) }
    let name = path.map { CChar(bitPattern: $0) } + [0]
    return try loaded(cl_load_file(current, name))
  }

  /// Loads a file.
  public func load(file path: String) throws -> LuaReference {
    try load(file: Array(path.utf8))
  }

  private func loaded(_ status: Int32) throws -> LuaReference {
    guard status != 0 else { return LuaReference(poppingFrom: self) }
    var error = LuaError(text(at: -1))
    error.keepBytes(bytes(at: -1), [])
    error.isIncompleteInput = cl_is_incomplete(current)
    error.origin = .lua
    error.value = LuaReference(poppingFrom: self)
    throw error
  }

  /// Calls a Lua value and reads its results as plain data.
  @discardableResult
  public func call(_ function: LuaReference, _ arguments: [LuaValue] = []) throws -> [LuaValue] {
    try withResults(of: function, arguments) { count in
      try (0..<count).map { try value(at: $0 - count) }
    }
  }

  /// Calls a Lua value and keeps references to its results.
  public func callKeepingResults(
    _ function: LuaReference, _ arguments: [LuaValue] = []
  ) throws -> [LuaReference] {
    try withResults(of: function, arguments) { count in
      try (0..<count).map { try reference(at: $0 - count) }
    }
  }

  /// Calls a Lua value; the results are on top of the stack while the body runs.
  private func withResults<Output>(
    of function: LuaReference, _ arguments: [LuaValue], _ body: (Int32) throws -> Output
  ) throws -> Output {
    let L = current
    let base = cl_top(L)
    defer { cl_set_top(L, base) }
    try reserve(Int32(clamping: arguments.count + 8))
    function.push(onto: self)
    for argument in arguments { try push(argument) }
    try check(cl_call(L, Int32(arguments.count), Int32(CL_ALL_RESULTS)))
    let count = cl_top(L) - base
    try reserve(count + 4)
    return try body(count)
  }

  /// Converts a failed call, whose error value is on top of the stack, to a Swift error.
  private func check(_ status: Int32) throws {
    guard status != 0 else { return }
    try reserve(4)
    var length = 0
    let start = cl_push_message(current, -1, &length)
    let message = Array(UnsafeRawBufferPointer(start: start, count: length))
    var error = LuaError(String(decoding: message, as: UTF8.self))
    pop()
    error.origin = .lua
    cl_push_traceback(current)
    if type(at: -1) == .string { error.traceback = text(at: -1) }
    error.keepBytes(message, bytes(at: -1))
    pop()
    error.value = LuaReference(poppingFrom: self)
    throw error
  }

  /// Runs text: loads it and calls it.
  @discardableResult
  public func run(_ text: String, name: String = "=(swift)") throws -> [LuaValue] {
    try call(load(text, name: name))
  }

  // MARK: Globals

  /// The value of a global variable.
  public func global(_ name: String) throws -> LuaValue {
    try reserve(4)
    cl_push_globals(current)
    cl_get_field(current, -1, name)
    defer { pop(2) }
    return try value(at: -1)
  }

  /// The global variable as it is; nil when it is nil.
  public func globalReference(_ name: String) throws -> LuaReference? {
    try reserve(4)
    cl_push_globals(current)
    cl_get_field(current, -1, name)
    defer { pop(2) }
    return type(at: -1) == .nil ? nil : try reference(at: -1)
  }

  /// Sets a global variable.
  public func setGlobal(_ name: String, to value: LuaValue) throws {
    try reserve(4)
    cl_push_globals(current)
    try push(value)
    cl_set_field(current, -2, name)
    pop()
  }

  /// The text that `tostring` gives for a value.
  public func display(_ reference: LuaReference) -> String {
    reference.description
  }
}

// MARK: Interrupts

extension LuaState {
  /// Whether Ctrl-C was typed; compiled loops poll it and throw `LuaError.interrupted`.
  public static var isInterrupted: Bool { cl_interrupted() }

  /// What a loop over a list calls at each position: throws, at some, when it is to stop.
  @inline(__always)
  static func checkInterrupt(at position: Int) throws {
    if position & 0xFFFF == 0xFFFF, isInterrupted { throw LuaError.interrupted }
  }

  /// Makes Ctrl-C, SIGTERM and SIGHUP stop this state, and clears an earlier signal. A second
  /// signal ends the process.
  public func watchInterrupt() { cl_watch_interrupt(current) }

  /// Restores the previous signal handlers.
  public func unwatchInterrupt() { cl_unwatch_interrupt(current) }

  /// Acts like Ctrl-C.
  public func interrupt() { cl_interrupt(current) }

  /// The signal that is stopping this state, or nil.
  public static var stopSignal: Int32? {
    let number = cl_stop_signal()
    return number == 0 ? nil : number
  }

  /// Makes writing to a closed pipe, or beyond the file-size limit, an error of the write instead
  /// of the end of the process.
  public static func ignoreFileSignals() { cl_ignore_file_signals() }

  /// Defers the first signal, or releases it.
  public func holdStop(_ isHeld: Bool) {
    if isHeld { cl_hold_stop() } else { cl_release_stop(current) }
  }

  /// Runs cleanup after a stop: neither a time limit nor a first signal interrupts it. Afterwards
  /// the stop remains in effect.
  public func withoutStop<Output>(_ body: () throws -> Output) rethrows -> Output {
    var pause = cl_pause()
    cl_pause_stop(&pause)
    defer { cl_resume_stop(current, &pause) }
    return try body()
  }

  /// Runs `body` and stops it, as Ctrl-C would, if it takes too long.
  ///
  /// - Parameters:
  ///   - seconds: Wall-clock time; no limit from 1e9 on. An enclosing limit may end it earlier.
  ///   - label: What it is. Standard error names it where one call of a compiled function keeps
  ///     it from being stopped.
  /// - Returns: The error that stopped it; nil if it finished in time.
  /// - Throws: What `body` throws in time, and Ctrl-C.
  public func withTimeLimit(
    _ seconds: Double, label: String = "a function", _ body: () throws -> Void
  ) throws -> LuaError? {
    let L = current
    var before = cl_limit()
    let name = label
    return try label.withCString { label in
      cl_begin_limit(L, seconds, label, &before)
      do {
        try body()
      } catch {
        let isOver = cl_end_limit(L, &before)
        guard let error = error as? LuaError else { throw error }
        guard isOver, !Self.isInterrupted else { throw error.naming(name) }
        return error
      }
      _ = cl_end_limit(L, &before)
      return nil
    }
  }
}
