// Checks a Lua value against a declared type, and words the refusal.

import CLua

/// Why a value is refused.
enum Mismatch {
  /// `number expected, got string`, or `must be a number, got string` for an option.
  case unexpected(expected: String, got: String)
  /// A whole sentence, as for a field of an options table.
  case sentence(String)
  /// A note about the value, such as that it was freed.
  case remark(String)
}

extension LuaState {
  /// Throws with the wording of Lua's argument errors; a fault in an options table names the option
  /// instead.
  func checkArgument(
    at index: Int32, type: ValueType, isOptional: Bool, function: String = "",
    property: String? = nil
  ) throws {
    if isOptional, self.type(at: index) == .nil || self.type(at: index) == .none { return }
    guard let mismatch = try mismatch(at: index, type: type, path: "", function: function) else {
      return
    }
    switch mismatch {
    case .unexpected(_, let got) where property != nil:
      throw LuaError("field '\(property ?? "")' must be \(type.withArticle), got \(got)")
    case .unexpected(let expected, let got):
      throw LuaError.argument(at: Int(index), "\(expected) expected, got \(got)")
    case .remark(let text): throw LuaError.argument(at: Int(index), text)
    case .sentence(let text): throw LuaError(text)
    }
  }

  /// Nil when the value at a positive index has the type.
  func mismatch(
    at index: Int32, type: ValueType, path: String, function: String
  ) throws -> Mismatch? {
    let actual = self.type(at: index)
    switch type {
    case .any: return nil
    case .boolean: return actual == .boolean ? nil : unexpected(type, at: index)
    case .string: return actual == .string ? nil : unexpected(type, at: index)
    case .table: return actual == .table ? nil : unexpected(type, at: index)
    case .function: return actual == .function ? nil : unexpected(type, at: index)
    case .number(let low, let high): return numberMismatch(at: index, type, low, high)
    case .integer(let low, let high): return integerMismatch(at: index, type, low, high)
    case .choice(let names): return choiceMismatch(at: index, type, names)
    case .list(let element): return try listMismatch(at: index, type, element)
    case .oneOf(let types):
      return try alternativeMismatch(at: index, type, types, path: path, function: function)
    case .instance(let name, let tag): return instanceMismatch(at: index, type, name, tag)
    case .options(let fields):
      guard actual == .table else { return unexpected(type, at: index) }
      return try optionsMismatch(at: index, fields, path: path, function: function)
    }
  }

  private func unexpected(_ type: ValueType, at index: Int32, got: String? = nil) -> Mismatch {
    .unexpected(expected: type.name, got: got ?? typeName(at: index))
  }

  private func numberMismatch(
    at index: Int32, _ type: ValueType, _ low: Double?, _ high: Double?
  ) -> Mismatch? {
    guard self.type(at: index) == .number else { return unexpected(type, at: index) }
    let value = cl_number(current, index)
    let inside = value >= (low ?? -.infinity) && value <= (high ?? .infinity)
    return inside || (low == nil && high == nil)
      ? nil : unexpected(type, at: index, got: display(at: index))
  }

  private func integerMismatch(
    at index: Int32, _ type: ValueType, _ low: Int?, _ high: Int?
  ) -> Mismatch? {
    guard self.type(at: index) == .number else { return unexpected(type, at: index) }
    guard cl_is_integer(current, index) else {
      return unexpected(type, at: index, got: display(at: index))
    }
    let value = Int(cl_integer(current, index))
    let inside = value >= (low ?? .min) && value <= (high ?? .max)
    return inside ? nil : unexpected(type, at: index, got: display(at: index))
  }

  private func choiceMismatch(
    at index: Int32, _ type: ValueType, _ names: [String]
  ) -> Mismatch? {
    guard self.type(at: index) == .string else { return unexpected(type, at: index) }
    let value = text(at: index)
    return names.contains { $0.utf8.elementsEqual(value.utf8) }
      ? nil : unexpected(type, at: index, got: "'\(value)'")
  }

  private func listMismatch(
    at index: Int32, _ type: ValueType, _ element: ValueType
  ) throws -> Mismatch? {
    guard self.type(at: index) == .table else { return unexpected(type, at: index) }
    if case .any = element { return nil }
    try reserve(1)
    let slot = cl_top(current) + 1
    for position in 0..<cl_length(current, index) {
      try Self.checkInterrupt(at: position)
      cl_get_index(current, index, Int64(position + 1))
      let mismatch = try mismatch(at: slot, type: element, path: "", function: "")
      let got = mismatch.map { "\(refused($0, at: slot)) at position \(position + 1)" }
      pop()
      if let got { return unexpected(type, at: index, got: got) }
    }
    return nil
  }

  private func refused(_ mismatch: Mismatch, at index: Int32) -> String {
    switch mismatch {
    case .unexpected(_, let got): got
    case .remark(let text), .sentence(let text): text
    }
  }

  private func alternativeMismatch(
    at index: Int32, _ type: ValueType, _ types: [ValueType], path: String, function: String
  ) throws -> Mismatch? {
    var got: String?
    for type in types {
      let mismatch = try mismatch(at: index, type: type, path: path, function: function)
      switch mismatch {
      case nil: return nil
      // A freed object, or an options table with a fault: the most specific message.
      case .remark, .sentence: return mismatch
      // A wrong element or an out-of-range number is more specific than the type.
      case .unexpected(_, let part): if part != typeName(at: index) { got = got ?? part }
      }
    }
    return unexpected(type, at: index, got: got)
  }

  private func instanceMismatch(
    at index: Int32, _ type: ValueType, _ name: String, _ tag: UnsafeRawPointer?
  ) -> Mismatch? {
    if let tag {
      if cl_object(current, index, tag) != nil { return nil }
      if cl_is_freed(current, index, tag) { return .remark("\(name) was freed") }
      return unexpected(type, at: index)
    }
    let actual = self.type(at: index)
    let isObject = actual == .userdata || actual == .table
    return isObject && typeName(at: index) == name ? nil : unexpected(type, at: index)
  }
}
