import CMemory

/// Why a computation stops before its end.
public enum Interrupted: Error, Equatable, Sendable {
  /// The user stopped it (Ctrl-C).
  case byUser
  /// The memory reserve is in use.
  case memoryIsShort
}

/// Whether the user has asked to stop; long computations check between steps.
public enum Interrupt {
  /// Set once at start by whoever handles signals; must be cheap.
  public nonisolated(unsafe) static var isRequested: @convention(c) () -> Bool = { false }

  /// How many cheap steps, such as bytes of a text, may pass between two checks.
  public static let interval = 1 << 16

  /// Throws if the user has asked to stop, or if the memory reserve is in use.
  public static func check() throws(Interrupted) {
    if isRequested() { throw .byUser }
    if cm_is_short() { throw .memoryIsShort }
  }
}
