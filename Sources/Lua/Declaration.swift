// Declarations of compiled functions as scripts of the library take them over.

extension Parameter {
  /// The declaration as `documented` takes it, with what scripts note beside it.
  public func declaration(notes: [LuaTable.Field] = []) -> LuaValue {
    var fields: [LuaTable.Field] = [("name", .string(name)), ("text", .string(text))]
    fields += type.declaration
    if !defaultValue.isNil {
      fields.append(("default", defaultValue))
    } else if isOptional {
      fields.append(("optional", true))
    }
    fields.append(("notes", .table(LuaTable(fields: notes))))
    return .table(LuaTable(fields: fields))
  }
}

extension ValueType {
  fileprivate var declaration: [LuaTable.Field] {
    switch self {
    case .number(let low, let high):
      [("type", "number")] + limits(low.map { .number($0) }, high.map { .number($0) })
    case .integer(let low, let high):
      [("type", "integer")] + limits(low.map { .integer($0) }, high.map { .integer($0) })
    case .choice(let names): [("one_of", .list(names.map { .string($0) }))]
    case .options(let parameters): [("fields", .list(parameters.map { $0.declaration() }))]
    default: [("type", .string(name))]
    }
  }

  private func limits(_ low: LuaValue?, _ high: LuaValue?) -> [LuaTable.Field] {
    [("minimum", low), ("maximum", high)].compactMap { name, value in value.map { (name, $0) } }
  }
}
