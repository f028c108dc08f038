// Swift objects for scripts.

import CLua

/// A Swift class whose instances can be passed to Lua.
///
/// The instance lives as long as Lua or Swift refers to it. `free()`, the end of a
/// `local x <close>` and the collector drop Lua's reference, once.
public protocol LuaObject: AnyObject, LuaPushable {
  /// The name in messages and in the manual, such as `apo.Tensor`.
  static var luaName: String { get }
}

extension LuaObject {
  /// The address that stands for the class in C.
  static var tag: UnsafeRawPointer {
    UnsafeRawPointer(bitPattern: UInt(bitPattern: ObjectIdentifier(Self.self)))
      .unsafelyUnwrapped
  }

  /// Pushes the object in a new userdata.
  public func push(onto state: LuaState) throws {
    try state.push(object: self)
  }
}

extension LuaState {
  func push(object: any LuaObject) throws {
    let type = Swift.type(of: object)
    try reserve(4)
    let pointer = Unmanaged.passRetained(object as AnyObject)
    guard cl_push_object(current, type.tag, pointer.toOpaque()) else {
      pointer.release()
      throw LuaError("the class \(type.luaName) is not registered with this state")
    }
  }

  /// The object at an index; nil if the value is something else or was freed.
  func object<Object: LuaObject>(_ type: Object.Type, at index: Int32) -> Object? {
    guard let pointer = cl_object(current, index, type.tag) else { return nil }
    // Cheaper than Unmanaged, whose metadata would be looked up at each call.
    return unsafeBitCast(pointer, to: Object.self)
  }
}

/// A function that `for` can call: returns results until it returns none.
public final class LuaIterator: LuaObject {
  /// The name in messages.
  public static let luaName = "apo.Iterator"

  let next: () throws -> [LuaValue]?

  /// An iterator that ends at the first nil.
  public init(_ next: @escaping () throws -> [LuaValue]?) {
    self.next = next
  }

  static let declaration = Class(
    LuaIterator.self, "What a `for` loop walks over.",
    methods: [
      Function("__call", "The next results, or nil at the end.", returns: [Returned(.any, "")]) {
        call in
        guard let values = try call.this(LuaIterator.self).next() else {
          return try call.result(LuaValue.nil)
        }
        return try call.results(values)
      }
    ])
}
