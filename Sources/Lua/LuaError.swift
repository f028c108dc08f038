// The one error of the bridge: raised by Lua and caught in Swift, or thrown in Swift and
// raised in Lua.

import CLua

/// An error passing between Swift and Lua.
public struct LuaError: Error, CustomStringConvertible {
  /// What C prepends to the message when it raises the error in Lua.
  enum Origin {
    /// Thrown by Swift: the script's file and line.
    case swift
    /// Thrown by Swift about an argument, counted with self: `bad argument #1 to 'dot' (…)`.
    case argument(Int)
    /// Raised by Lua earlier: nothing, the message has its position.
    case lua
  }

  /// What went wrong.
  public var message: String
  /// The calls that led to it, where Lua raised it.
  public var traceback: String?
  /// Whether the text ended too early, so that another line may complete it.
  public var isIncompleteInput = false

  var origin = Origin.swift
  /// The error value itself, which a script may have made a table.
  public internal(set) var value: LuaReference?

  /// An error that Lua will raise at the script's line.
  public init(_ message: String) {
    self.message = message
  }

  /// An error about the argument at a position, not counting self.
  public static func argument(_ position: Int, _ message: String, in call: Call) -> LuaError {
    argument(at: position + Int(call.offset), message)
  }

  static func argument(at index: Int, _ message: String) -> LuaError {
    var error = LuaError(message)
    error.origin = .argument(index)
    return error
  }

  /// Message and traceback as Lua's bytes, kept if they are not UTF-8.
  private var bytes: [UInt8]?

  mutating func keepBytes(_ message: [UInt8], _ traceback: [UInt8]) {
    let all = traceback.isEmpty ? message : message + [UInt8(ascii: "\n")] + traceback
    if String(validating: all, as: UTF8.self) == nil { bytes = all }
  }

  /// The bytes of `description`, including invalid UTF-8.
  public var outputBytes: [UInt8] { bytes ?? Array(description.utf8) }

  /// Thrown when out of memory.
  static var shortage: LuaError { LuaError("not enough memory") }

  /// Thrown by compiled loops when `LuaState.isInterrupted`.
  public static var interrupted: LuaError { LuaError(String(cString: cl_stop_reason())) }

  /// The same error and traceback with another value.
  public func raising(_ value: LuaReference) -> LuaError {
    var other = self
    (other.value, other.message) = (value, "\(value)")
    return other
  }

  /// The message, and the traceback when there is one.
  public var description: String {
    traceback.map { "\(message)\n\($0)" } ?? message
  }
}

extension LuaError {
  private static let yields = [
    "attempt to yield across a C-call boundary", "attempt to yield from outside a coroutine",
  ]

  /// Names the function when a coroutine cannot yield because compiled code waits for it.
  func naming(_ function: @autoclosure () -> String) -> LuaError {
    guard case .lua = origin, Self.yields.contains(message) else { return self }
    return LuaError("\(function()) cannot yield, because compiled code waits for it (\(message))")
  }
}
