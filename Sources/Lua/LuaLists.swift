// Numbers in bulk: lists and nested lists, without a Swift value per element.

import CLua

extension LuaValue: LuaPushable {
  /// Pushes the value.
  public func push(onto state: LuaState) throws { try state.push(self, depth: 0) }
}

extension LuaReference: LuaPushable {}

extension Array: LuaPushable where Element: LuaListElement {
  /// Pushes a list.
  public func push(onto state: LuaState) throws {
    try state.reserve(3)
    try Element.pushList(self, onto: state)
  }
}

/// An element type whose arrays can be pushed as lists at once.
public protocol LuaListElement {
  /// Pushes a list.
  static func pushList(_ list: [Self], onto state: LuaState) throws
}

extension Float: LuaListElement {
  /// Pushes a list of floats.
  public static func pushList(_ list: [Float], onto state: LuaState) throws {
    guard cl_push_floats(state.current, list, list.count) else { throw LuaError.interrupted }
  }
}

extension Int: LuaListElement {
  /// Pushes a list of integers.
  public static func pushList(_ list: [Int], onto state: LuaState) throws {
    try state.checkRoom(list.count * 8)
    guard cl_push_integers(state.current, list.map(Int64.init), list.count) else {
      throw LuaError.interrupted
    }
  }
}

extension String: LuaListElement {
  /// Pushes a list of strings.
  public static func pushList(_ list: [String], onto state: LuaState) throws {
    try state.pushTable(list: list.count)
    for (position, text) in list.enumerated() {
      try LuaState.checkInterrupt(at: position)
      state.push(text)
      cl_set_index(state.current, -2, Int64(position + 1))
    }
  }
}

/// Numbers with the sizes of the lists they were nested in, the outermost first.
public struct NestedNumbers: LuaPushable {
  /// The size of each level; empty for a single number.
  public var shape: [Int]
  /// The numbers, the innermost level contiguous.
  public var values: [Float]

  /// Numbers in rows of rows.
  public init(shape: [Int], values: [Float]) {
    self.shape = shape
    self.values = values
  }

  /// Pushes nested lists, or one number when the shape is empty.
  public func push(onto state: LuaState) throws {
    guard shape.allSatisfy({ $0 >= 0 }),
      shape.reduce(1, { $0.multipliedReportingOverflow(by: $1).0 }) == values.count
    else { throw LuaError("\(values.count) numbers do not fill the shape \(shape)") }
    guard shape.count < LuaState.depthLimit else { throw LuaError("too many dimensions") }
    try state.reserve(Int32(shape.count + 4))
    guard !shape.isEmpty else { return cl_push_number(state.current, Double(values[0])) }
    try values.withUnsafeBufferPointer { try push(level: 0, of: $0, onto: state) }
  }

  private func push(
    level: Int, of values: UnsafeBufferPointer<Float>, onto state: LuaState
  ) throws {
    let (L, size) = (state.current, shape[level])
    guard level + 1 < shape.count else {
      guard cl_push_floats(L, values.baseAddress, size) else { throw LuaError.interrupted }
      if cl_lacks_memory(L) { throw LuaError.shortage }
      return
    }
    try state.pushTable(list: size)
    let stride = size == 0 ? 0 : values.count / size
    for i in 0..<size {
      let part = UnsafeBufferPointer(rebasing: values[i * stride..<(i + 1) * stride])
      try push(level: level + 1, of: part, onto: state)
      cl_set_index(L, -2, Int64(i + 1))
      if LuaState.isInterrupted { throw LuaError.interrupted }
    }
  }
}

extension Argument {
  /// A list of integers.
  public func integers() throws -> [Int] {
    try list("integer") { cl_is_integer(L, $0) ? Int(cl_integer(L, $0)) : nil }
  }

  /// A list of strings.
  public func strings() throws -> [String] {
    try list("string") { cl_type(L, $0) == LuaType.string.code ? state.text(at: $0) : nil }
  }

  /// A list of objects of a class.
  public func objects<Object: LuaObject>(_ type: Object.Type) throws -> [Object] {
    try list(type.luaName) { state.object(type, at: $0) }
  }

  private func list<Element>(
    _ expected: String, _ read: (Int32) -> Element?
  ) throws -> [Element] {
    if isAbsent, let values = parameter?.defaultValue.asTable?.list, values.isEmpty { return [] }
    guard cl_type(L, index) == LuaType.table.code else { throw unreadable(as: "list") }
    try state.reserve(1)
    try state.checkRoom(cl_length(L, index) * MemoryLayout<Element>.stride)
    return try (0..<cl_length(L, index)).map { position in
      try LuaState.checkInterrupt(at: position)
      cl_get_index(L, index, Int64(position + 1))
      defer { state.pop() }
      guard let element = read(-1) else {
        let got = "\(state.typeName(at: -1)) at position \(position + 1)"
        throw LuaError("list of \(expected) values expected, got \(got)")
      }
      return element
    }
  }

  /// A list of numbers.
  public func numbers() throws -> [Double] {
    guard cl_type(L, index) == LuaType.table.code else { throw unreadable(as: "list") }
    try state.reserve(1)
    let count = cl_length(L, index)
    try state.checkRoom(count * 8)
    var read = 0
    let values = [Double](unsafeUninitializedCapacity: count) { buffer, filled in
      read = cl_read_doubles(L, index, buffer.baseAddress, count)
      filled = read
    }
    if read < count, LuaState.isInterrupted { throw LuaError.interrupted }
    guard read == count else { throw LuaError("list of numbers: position \(read + 1) is not one") }
    return values
  }

  /// A number, or lists of numbers nested to any depth, each level of one size.
  public func nestedNumbers() throws -> NestedNumbers {
    if cl_type(L, index) == LuaType.number.code {
      return NestedNumbers(shape: [], values: [Float(cl_number(L, index))])
    }
    var reader = NestedReader(state: state, L: L)
    try reader.measure(at: index)
    try reader.read(at: index, path: [])
    return NestedNumbers(shape: reader.shape, values: reader.values)
  }
}

/// Walks nested lists of numbers.
private struct NestedReader {
  let state: LuaState
  let L: OpaquePointer
  var shape: [Int] = []
  var values: [Float] = []

  /// Takes the shape from the first element of each level.
  mutating func measure(at index: Int32) throws {
    let top = cl_top(L)
    defer { cl_set_top(L, top) }
    var slot = index
    while cl_type(L, slot) == LuaType.table.code {
      guard shape.count < LuaState.depthLimit else { throw LuaError("lists nested too deeply") }
      try state.reserve(3)
      shape.append(Int(cl_length(L, slot)))
      cl_get_index(L, slot, 1)
      slot = cl_top(L)
    }
  }

  mutating func read(at index: Int32, path: [Int]) throws {
    let level = path.count
    guard cl_type(L, index) == LuaType.table.code else {
      throw fault(path, "is a \(state.typeName(at: index)), expected a list")
    }
    let size = Int(cl_length(L, index))
    guard size == shape[level] else {
      throw fault(path, "has \(size) elements, expected \(shape[level])")
    }
    try state.reserve(3)
    if values.count + size > values.capacity { try state.checkRoom((values.count + size) * 8) }
    if LuaState.isInterrupted { throw LuaError.interrupted }
    if level + 1 == shape.count { return try readNumbers(at: index, path: path) }
    for position in 0..<size {
      cl_get_index(L, index, Int64(position + 1))
      try read(at: cl_top(L), path: path + [position + 1])
      state.pop()
    }
  }

  private mutating func readNumbers(at index: Int32, path: [Int]) throws {
    let size = shape[path.count]
    var count = 0
    values += [Float](unsafeUninitializedCapacity: size) { buffer, filled in
      count = cl_read_floats(L, index, buffer.baseAddress, size)
      filled = count
    }
    if count < size, LuaState.isInterrupted { throw LuaError.interrupted }
    guard count == size else {
      cl_get_index(L, index, Int64(count + 1))
      throw fault(path + [count + 1], "is a \(state.typeName(at: -1)), expected a number")
    }
  }

  private func fault(_ path: [Int], _ text: String) -> LuaError {
    let place = path.isEmpty ? "the table" : "element " + path.map { "[\($0)]" }.joined()
    return LuaError("\(place) \(text)")
  }
}
