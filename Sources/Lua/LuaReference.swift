// A Lua value that Swift holds on to.

import CLua

/// Keeps a Lua value alive: a function to call later, a table to return unchanged.
///
/// A Swift object that Lua owns must not store one: the object and the value may refer to each
/// other, and neither collector sees that cycle. Such a value belongs in the object's user
/// value (`LuaState.setUserValue`).
public final class LuaReference: @unchecked Sendable {
  // Sendable because errors must be; used on the state's thread only.
  private let home: Home
  private let key: Int32

  /// The state of the values, nil once it is closed.
  ///
  /// Not a weak reference, which would make every use of the state slower.
  final class Home {
    unowned(unsafe) var state: LuaState?
  }

  private var state: LuaState? { home.state }

  /// Takes the value on top of the stack.
  init(poppingFrom state: LuaState) {
    home = state.home
    key = cl_keep(state.current)
  }

  deinit {
    if let state { cl_drop(state.main, key) }
  }

  /// Pushes the value; nil in a state that is not its own.
  public func push(onto state: LuaState) {
    if self.state === state { cl_push_kept(state.current, key) } else { state.pushNil() }
  }
}

extension LuaReference: CustomStringConvertible {
  /// The value as `tostring` shows it.
  public var description: String {
    guard let state else { return "(closed)" }
    push(onto: state)
    defer { state.pop() }
    return state.display(at: -1)
  }
}

extension LuaReference {
  /// The Swift object if the value is of that class, else nil.
  public func object<Object: LuaObject>(_ type: Object.Type) -> Object? {
    guard let state, cl_reserve(state.current, 1) else { return nil }
    push(onto: state)
    defer { state.pop() }
    return state.object(type, at: -1)
  }
}
