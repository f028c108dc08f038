// Values between Swift and the stack. Everything here is raw: no metamethod runs, nothing
// raises. Indices are Lua's: from 1, or from -1 at the top.

import CLua

/// A value that can be pushed onto the stack.
public protocol LuaPushable {
  /// Pushes one value.
  func push(onto state: LuaState) throws
}

extension LuaState {
  /// Maximum nesting of tables that are read or pushed.
  public static let depthLimit = 100

  func pushNil() { cl_push_nil(current) }
  func pop(_ count: Int32 = 1) { cl_set_top(current, -count - 1) }

  func reserve(_ slots: Int32) throws {
    guard cl_reserve(current, slots) else { throw LuaError("stack overflow") }
  }

  /// Pushes an empty table with preallocated space.
  func pushTable(list: Int = 0, fields: Int = 0) throws {
    guard cl_new_table(current, Int32(clamping: list), Int32(clamping: fields)) else {
      throw LuaError.shortage
    }
  }

  /// Throws if there is no memory to read a Lua string as bytes and as text, and to convert it.
  func checkRoom(ofString index: Int32) throws {
    var length = 0
    if cl_string(current, index, &length) != nil { try checkRoom(length * 4) }
  }

  func push(_ text: String) {
    var text = text
    text.withUTF8 { bytes in
      bytes.withMemoryRebound(to: CChar.self) {
        cl_push_string(current, $0.baseAddress, $0.count)
      }
    }
  }

  func push(bytes: [UInt8]) {
    bytes.withUnsafeBytes {
      cl_push_string(current, $0.bindMemory(to: CChar.self).baseAddress, $0.count)
    }
  }

  func push(_ value: LuaValue, depth: Int = 0) throws {
    try reserve(4)
    switch value {
    case .nil: cl_push_nil(current)
    case .boolean(let value): cl_push_boolean(current, value)
    case .integer(let value): cl_push_integer(current, Int64(value))
    case .number(let value): cl_push_number(current, value)
    case .string(let text): push(text)
    case .bytes(let bytes): push(bytes: bytes)
    case .table(let table): try push(table, depth: depth)
    case .reference(let reference): reference.push(onto: self)
    case .object(let object): try push(object: object)
    }
  }

  private func push(_ table: LuaTable, depth: Int) throws {
    guard depth < Self.depthLimit else { throw LuaError("a table is nested too deeply") }
    if Self.isInterrupted { throw LuaError.interrupted }
    try pushTable(list: table.list.count, fields: table.fields.count)
    for (position, value) in table.list.enumerated() {
      try Self.checkInterrupt(at: position)
      try push(value, depth: depth + 1)
      cl_set_index(current, -2, Int64(position + 1))
    }
    for field in table.fields {
      push(field.name)
      try push(field.value, depth: depth + 1)
      cl_set(current, -3)
    }
  }

  /// Reads the value at an index; tables are copied, other than plain data becomes references.
  func value(at index: Int32, depth: Int = 0) throws -> LuaValue {
    switch type(at: index) {
    case .none, .nil: return .nil
    case .boolean: return .boolean(cl_boolean(current, index))
    case .number:
      return cl_is_float(current, index)
        ? .number(cl_number(current, index)) : .integer(Int(cl_integer(current, index)))
    case .string:
      try checkRoom(ofString: index)
      return LuaValue(bytes: bytes(at: index))
    case .table: return .table(try table(at: index, depth: depth))
    default: return .reference(try reference(at: index))
    }
  }

  func bytes(at index: Int32) -> [UInt8] {
    var length = 0
    guard let start = cl_string(current, index, &length) else { return [] }
    return Array(UnsafeRawBufferPointer(start: start, count: length))
  }

  /// The text at an index, with invalid UTF-8 replaced.
  func text(at index: Int32) -> String {
    var length = 0
    guard let start = cl_string(current, index, &length) else { return "" }
    return String(decoding: UnsafeRawBufferPointer(start: start, count: length), as: UTF8.self)
  }

  func reference(at index: Int32) throws -> LuaReference {
    try reserve(1)
    cl_copy(current, index)
    return LuaReference(poppingFrom: self)
  }

  /// The index from the bottom of the stack, which stays when more is pushed.
  func absolute(_ index: Int32) -> Int32 { index > 0 ? index : cl_top(current) + index + 1 }

  private func table(at index: Int32, depth: Int) throws -> LuaTable {
    guard depth < Self.depthLimit else {
      throw LuaError("a table is nested too deeply, or contains itself")
    }
    if cl_lacks_memory(current) { throw LuaError.shortage }  // many small tables use the reserve
    try reserve(4)
    let table = absolute(index)
    try fillLazyTable(at: table)
    let count = cl_length(current, table)
    if cl_is_list(current, table), let list = try list(at: table, count, depth: depth) {
      return LuaTable(list: list)
    }
    cl_push_keys(current, table)
    let keys = cl_top(current)
    defer { cl_set_top(current, keys - 1) }
    var result = LuaTable()
    let size = cl_length(current, keys)
    try checkRoom(size * MemoryLayout<LuaTable.Field>.stride)
    if Self.isInterrupted { throw LuaError.interrupted }
    result.list.reserveCapacity(count)
    for position in 0..<size {
      try Self.checkInterrupt(at: position)
      cl_get_index(current, keys, Int64(position + 1))
      cl_copy(current, -1)
      cl_get(current, table)
      try append(to: &result, count: count, depth: depth)
      pop(2)
    }
    return result
  }

  /// The values at 1, 2, … of the table at an index; nil where one of them is nil.
  private func list(at table: Int32, _ count: Int, depth: Int) throws -> [LuaValue]? {
    try checkRoom(count * MemoryLayout<LuaValue>.stride)
    var list: [LuaValue] = []
    list.reserveCapacity(count)
    for position in 0..<count {
      try Self.checkInterrupt(at: position)
      cl_get_index(current, table, Int64(position + 1))
      defer { pop() }
      if type(at: -1) == .nil { return nil }
      list.append(try value(at: -1, depth: depth + 1))
    }
    return list
  }

  /// Adds the entry whose key and value are on top of the stack.
  private func append(to table: inout LuaTable, count: Int, depth: Int) throws {
    if type(at: -2) == .string {
      table.fields.append((text(at: -2), try value(at: -1, depth: depth + 1)))
    } else if cl_is_integer(current, -2), cl_integer(current, -2) == table.list.count + 1 {
      table.list.append(try value(at: -1, depth: depth + 1))
    } else {
      throw LuaError("a table with the key \(display(at: -2)) is neither a list nor has names only")
    }
  }

  /// The value as `tostring` shows it; a metamethod may run, an error becomes text.
  func display(at index: Int32) -> String {
    guard cl_reserve(current, 4) else { return "?" }
    var length = 0
    let start = cl_push_display(current, index, &length)
    defer { pop() }
    return String(decoding: UnsafeRawBufferPointer(start: start, count: length), as: UTF8.self)
  }

  /// The type for error texts; freed objects are marked.
  func typeName(at index: Int32) -> String {
    className(at: index) + (cl_was_freed(current, index) ? " that was freed" : "")
  }

  /// The name of the value's type, or of its class.
  func className(at index: Int32) -> String { String(cString: cl_type_name(current, index)) }
}
