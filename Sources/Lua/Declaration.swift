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

// MARK: - For tools

extension Documentation {
  /// The declaration with all its types as tables, for tools that read scripts.
  public var described: LuaValue {
    var fields: [LuaTable.Field] = [("name", .string(name))]
    switch self {
    case .function(let documented):
      let function = documented.function
      fields += [
        ("kind", "function"), ("summary", .string(function.summary)),
        ("parameters", .list(function.parameters.map(\.described))),
        ("returns", .list(function.returns.map { $0.type.described })),
        ("is_method", .boolean(documented.selfType != nil)),
      ]
    case .class(let declaration):
      let properties = declaration.properties.map { property in
        LuaTable.Field(name: property.name, value: property.type.described)
      }
      fields += [
        ("kind", "class"), ("summary", .string(declaration.summary)),
        ("properties", .table(LuaTable(fields: properties))),
        ("is_compiled", .boolean(declaration.isCompiled)),
      ]
      let index = declaration.methods.first { $0.name == "__index" }
      if let element = index?.returns.first { fields.append(("element", element.type.described)) }
    case .module(let module):
      fields += [("kind", "module"), ("summary", .string(module.summary))]
    }
    return .table(LuaTable(fields: fields))
  }
}

extension Parameter {
  fileprivate var described: LuaValue {
    [
      "name": .string(name), "text": .string(text), "type": type.described,
      "optional": .boolean(isOptional), "variadic": .boolean(isVariadic),
      "values": .list(values.map { .string($0) }), "signature": .string(signature),
    ]
  }
}

extension ValueType {
  /// The type as a table: `kind`, its words with an article, and what the kind has.
  fileprivate var described: LuaValue {
    let (kind, more): (String, [LuaTable.Field]) =
      switch self {
      case .any: ("any", [])
      case .boolean: ("boolean", [])
      case .number(let low, let high):
        ("number", limits(low.map { .number($0) }, high.map { .number($0) }))
      case .integer(let low, let high):
        ("integer", limits(low.map { .integer($0) }, high.map { .integer($0) }))
      case .string: ("string", [])
      case .table: ("table", [])
      case .function: ("function", [])
      case .choice(let names): ("choice", [("names", .list(names.map { .string($0) }))])
      case .list(let element): ("list", [("of", element.described)])
      case .oneOf(let types): ("one_of", [("types", .list(types.map(\.described)))])
      case .instance(let name, _): ("object", [("class", .string(name))])
      case .options(let fields): ("options", [("fields", .list(fields.map(\.described)))])
      }
    let common: [LuaTable.Field] = [("kind", .string(kind)), ("words", .string(withArticle))]
    return .table(LuaTable(fields: common + more))
  }
}
