// The one error of the bridge: raised by Lua and caught in Swift, or thrown in Swift and
// raised in Lua.

/// An error on its way between Swift and Lua.
public struct LuaError: Error, CustomStringConvertible {
  /// What C puts before the message when the error is raised in Lua.
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
  var value: LuaReference?

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

  /// What a compiled loop throws when `LuaState.isInterrupted`.
  public static var interrupted: LuaError { LuaError("interrupted!") }

  /// The message, and the traceback when there is one.
  public var description: String {
    traceback.map { "\(message)\n\($0)" } ?? message
  }
}
