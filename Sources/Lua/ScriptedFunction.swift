// Documented functions written in Lua: `documented{name = …, parameters = …, call = f}` gives
// a function that checks its arguments as a compiled one does, fills in defaults, then runs f.

import CLua

/// `require "apo.documented"`.
let documentedFunction = Function(
  "documented", "Declares a function, a class or a module that is written in Lua.",
  [
    Parameter(
      "declaration",
      .options([
        Parameter("name", .string, "full name, `apo.train` or `apo.Dataset:map`", optional: true),
        Parameter("class", .string, "full name of a class", optional: true),
        Parameter("module", .string, "full name of a table of functions", optional: true),
        Parameter("summary", .string, "what it does, in one sentence"),
        Parameter("details", .string, "further text for the reference", default: ""),
        Parameter("example", .string, "lines that show its use", default: ""),
        Parameter("since", .string, "the version that brought it", default: "0.1"),
        Parameter("fields", .list(of: .table), "the fields of a class", default: []),
        Parameter("parameters", .list(of: .table), "the arguments", default: []),
        Parameter("options", .list(of: .table), "fields of a last table argument", optional: true),
        Parameter("returns", .list(of: .table), "the results", default: []),
        Parameter("call", .function, "the function", optional: true),
        Parameter(
          "internal", .boolean, "whether it is made only to check options, and not documented",
          default: false),
      ]), "what it is")
  ],
  returns: [Returned(.any, "the function, or the table of the class or module")]
) { call in
  let options = try call[1].options()
  if let name = try options["class"].ifPresent?.string() {
    return try call.state.declareClass(named: name, options, call)
  }
  if let name = try options["module"].ifPresent?.string() {
    return try call.state.declareModule(named: name, options)
  }
  return try call.state.declareFunction(options, call)
}

extension LuaState {
  /// Returns a table for use as metatable and `__index` of the class's objects.
  fileprivate func declareClass(
    named name: String, _ options: Options, _ call: Call
  ) throws -> Results {
    let fields = try options["fields"].parameters(of: name)
    let declaration = Class(
      name: name, summary: try options["summary"].string(),
      details: try options["details"].string(),
      properties: fields.map { field in
        Property(field.name, field.type, field.text, values: field.values) { $0.nothing }
      })
    try reserve(4)
    cl_new_table(current, 0, 8)
    push(name)
    cl_set_field(current, -2, "__name")
    cl_copy(current, -1)
    cl_set_field(current, -2, "__index")
    document(.class(declaration), at: -1)
    return Results(count: 1)
  }

  /// Returns an empty table, to fill with functions.
  fileprivate func declareModule(named name: String, _ options: Options) throws -> Results {
    let declaration = Module(
      name, try options["summary"].string(), details: try options["details"].string())
    try reserve(4)
    cl_new_table(current, 0, 8)
    document(.module(declaration), at: -1)
    return Results(count: 1)
  }

  fileprivate func declareFunction(_ options: Options, _ call: Call) throws -> Results {
    let name = try options["name"].string()
    let parts = name.split(whereSeparator: { $0 == "." || $0 == ":" })
    let owner = name.lastIndex(of: ":").map { String(name[..<$0]) }
    var parameters = try options["parameters"].parameters(of: name)
    if let fields = try options["options"].ifPresent?.parameters(of: name) {
      let optional = fields.allSatisfy(\.isOptional)
      parameters.append(Parameter("options", .options(fields), "see below", optional: optional))
    }
    let function = Function(
      parts.last.map(String.init) ?? name, try options["summary"].string(), parameters,
      returns: try options["returns"].returned(of: name),
      details: try options["details"].string(), example: try options["example"].string(),
      since: try options["since"].string()
    ) { try $0.fillDefaults() }
    let record = FunctionRecord(
      function, named: name, self: owner.map { .object(named: $0) }, in: self)
    let isInternal = try options["internal"].boolean()
    let body = try options["call"]
    guard body.kind == .function else { throw LuaError("\(name): option 'call' is missing") }
    try reserve(6)
    cl_copy(current, body.index)
    cl_push_checked(current, adopt(record), record.cName)
    if !isInternal { document(.function(record.declaration), at: -1) }
    return Results(count: 1)
  }
}

extension Call {
  /// Rewrites the arguments on the stack: absent ones become their defaults, options tables become
  /// copies with all defaults.
  fileprivate func fillDefaults() throws -> Results {
    try state.reserve(8)
    let parameters = record.function.parameters
    for (position, parameter) in parameters.enumerated() where !parameter.isVariadic {
      let slot = Int32(position + 1) + offset
      if cl_top(L) < slot { cl_set_top(L, slot) }
      if case .options(let fields) = parameter.type {
        try state.pushFilled(fields, from: slot)
      } else if self[position + 1].isAbsent {
        try state.push(parameter.defaultValue)
      } else {
        continue
      }
      cl_replace(L, slot)
    }
    return Results(count: 0)
  }
}

extension LuaState {
  /// Pushes a copy of the options at a slot, with defaults; the slot may hold nil.
  fileprivate func pushFilled(_ fields: [Parameter], from slot: Int32) throws {
    try reserve(6)
    try pushTable(fields: fields.count)
    let copy = cl_top(current)
    let given = type(at: slot) == .table
    for field in fields {
      if given { cl_get_field(current, slot, field.name) } else { cl_push_nil(current) }
      if type(at: -1) == .nil {
        pop()
        try push(field.defaultValue)
      } else if case .options(let inner) = field.type {
        try pushFilled(inner, from: cl_top(current))
        cl_remove(current, -2)
      }
      cl_set_field(current, copy, field.name)
    }
  }
}

extension Argument {
  /// The parameters that a Lua declaration lists.
  fileprivate func parameters(of name: String) throws -> [Parameter] {
    try (value().asTable?.list ?? []).map { try Parameter($0.asTable ?? LuaTable(), of: name) }
  }

  fileprivate func returned(of name: String) throws -> [Returned] {
    try (value().asTable?.list ?? []).map { entry in
      let table = entry.asTable ?? LuaTable()
      return Returned(
        try ValueType(table, of: name), table["text"].asString ?? "",
        signature: table["signature"].asString ?? "")
    }
  }
}

extension Parameter {
  /// `notes` is what a script keeps beside a declaration for itself.
  private static let known = [
    "name", "type", "text", "default", "optional", "variadic", "minimum", "maximum", "one_of",
    "fields", "notes", "values", "signature",
  ]

  fileprivate convenience init(_ table: LuaTable, of function: String) throws {
    guard let name = table["name"].asString else {
      throw LuaError("\(function): a parameter has no name")
    }
    if let odd = table.fields.first(where: { !Self.known.contains($0.name) }) {
      throw LuaError("\(function): parameter '\(name)' has an unknown field '\(odd.name)'")
    }
    self.init(
      name, try ValueType(table, of: function), table["text"].asString ?? "",
      default: table["default"], optional: table["optional"].asBoolean ?? false,
      variadic: table["variadic"].asBoolean ?? false,
      values: table["values"].asTable?.list.compactMap(\.asString) ?? [],
      signature: table["signature"].asString ?? "")
  }
}

extension ValueType {
  /// The type that a Lua declaration names, with its limits or fields.
  fileprivate init(_ table: LuaTable, of function: String) throws {
    let limits = (table["minimum"], table["maximum"])
    if let fields = table["fields"].asTable {
      self = .options(
        try fields.list.map { try Parameter($0.asTable ?? LuaTable(), of: function) })
    } else if let names = table["one_of"].asTable {
      self = .choice(names.list.compactMap(\.asString))
    } else {
      let text = table["type"].asString ?? "any"
      guard let type = ValueType(named: text, limits.0, limits.1) else {
        throw LuaError("\(function): unknown type '\(text)'")
      }
      self = type
    }
  }

  /// The type of that name: `integer`, `list of strings`, `number or apo.Tensor`.
  init?(named name: String, _ minimum: LuaValue = .nil, _ maximum: LuaValue = .nil) {
    if name.hasPrefix("list of ") {
      let inner = String(name.dropFirst(8))
      let singular = inner.hasSuffix("s") ? String(inner.dropLast()) : inner
      guard let type = ValueType(named: singular) ?? ValueType(named: inner) else { return nil }
      self = .list(of: type)
      return
    }
    var alternatives: [ValueType] = []
    for part in name.alternatives {
      guard let type = ValueType(simple: part, minimum, maximum) else { return nil }
      alternatives.append(type)
    }
    self = alternatives.count == 1 ? alternatives[0] : .oneOf(alternatives)
  }

  private init?(simple name: String, _ minimum: LuaValue, _ maximum: LuaValue) {
    if name.hasPrefix("list of "), let list = ValueType(named: name) {
      self = list
      return
    }
    switch name {
    case "any", "value": self = .any
    case "boolean": self = .boolean
    case "number": self = .number(minimum: minimum.asNumber, maximum: maximum.asNumber)
    case "integer": self = .integer(minimum: minimum.asInteger, maximum: maximum.asInteger)
    case "string": self = .string
    case "table": self = .table
    case "function": self = .function
    default:
      guard name.contains("."), !name.contains(" ") else { return nil }
      self = .object(named: name)
    }
  }
}

extension String {
  /// The parts between ` or `.
  fileprivate var alternatives: [String] {
    var parts = [""]
    for word in split(separator: " ") {
      if word == "or" {
        parts.append("")
      } else {
        parts[parts.count - 1] += (parts[parts.count - 1].isEmpty ? "" : " ") + word
      }
    }
    return parts
  }
}
