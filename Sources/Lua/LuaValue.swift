// Plain Lua data as Swift values. Anything else (a function, a coroutine, a table whose identity
// matters) is a `LuaReference`.

/// A Lua value.
public enum LuaValue {
  /// Absence.
  case `nil`
  /// `true` or `false`.
  case boolean(Bool)
  /// A number of subtype integer.
  case integer(Int)
  /// A number of subtype float.
  case number(Double)
  /// A string that is valid UTF-8.
  case string(String)
  /// A string that is not valid UTF-8.
  case bytes([UInt8])
  /// A list, fields, or both.
  case table(LuaTable)
  /// A value that stays in Lua.
  case reference(LuaReference)
  /// A Swift object.
  case object(any LuaObject)
}

/// The data of a Lua table: a list and named fields.
public struct LuaTable {
  /// One named entry.
  public typealias Field = (name: String, value: LuaValue)

  /// The values at 1, 2, …
  public var list: [LuaValue]
  /// The named entries; read ones are sorted by name.
  public var fields: [Field]

  /// A table with a list, with fields, or with both.
  public init(list: [LuaValue] = [], fields: [Field] = []) {
    self.list = list
    self.fields = fields
  }

  /// The field of that name, nil when there is none.
  public subscript(name: String) -> LuaValue {
    fields.first { $0.name.utf8.elementsEqual(name.utf8) }?.value ?? .nil
  }
}

extension LuaValue {
  /// A table with the values at 1, 2, …
  public static func list(_ values: [LuaValue]) -> LuaValue { .table(LuaTable(list: values)) }

  /// A string of arbitrary bytes.
  public init(bytes: some Sequence<UInt8>) {
    let bytes = Array(bytes)
    self = String(validating: bytes, as: UTF8.self).map { .string($0) } ?? .bytes(bytes)
  }

  /// The bytes of a string.
  public var stringBytes: [UInt8]? {
    switch self {
    case .string(let text): Array(text.utf8)
    case .bytes(let bytes): bytes
    default: nil
    }
  }

  /// The number, whatever its subtype.
  public var asNumber: Double? {
    switch self {
    case .integer(let value): Double(value)
    case .number(let value): value
    default: nil
    }
  }

  /// The number as an integer, if it is exactly one.
  public var asInteger: Int? {
    switch self {
    case .integer(let value): value
    case .number(let value): Int(exactly: value)
    default: nil
    }
  }

  /// The text of a string that is valid UTF-8.
  public var asString: String? {
    if case .string(let text) = self { text } else { nil }
  }

  /// The boolean.
  public var asBoolean: Bool? {
    if case .boolean(let value) = self { value } else { nil }
  }

  /// The table's data.
  public var asTable: LuaTable? {
    if case .table(let table) = self { table } else { nil }
  }

  /// Whether the value is nil.
  public var isNil: Bool {
    if case .nil = self { true } else { false }
  }
}

extension LuaValue: ExpressibleByNilLiteral, ExpressibleByBooleanLiteral,
  ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral, ExpressibleByStringLiteral,
  ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
  /// Nil.
  public init(nilLiteral: ()) { self = .nil }
  /// A boolean.
  public init(booleanLiteral value: Bool) { self = .boolean(value) }
  /// An integer.
  public init(integerLiteral value: Int) { self = .integer(value) }
  /// A float.
  public init(floatLiteral value: Double) { self = .number(value) }
  /// A string.
  public init(stringLiteral value: String) { self = .string(value) }
  /// A list.
  public init(arrayLiteral elements: LuaValue...) { self = .table(LuaTable(list: elements)) }
  /// Named fields in the order given.
  public init(dictionaryLiteral elements: (String, LuaValue)...) {
    self = .table(LuaTable(fields: elements.map { (name: $0.0, value: $0.1) }))
  }
}

extension LuaValue: CustomStringConvertible {
  /// The value as Lua source writes it.
  public var description: String {
    switch self {
    case .nil: "nil"
    case .boolean(let value): "\(value)"
    case .integer(let value): "\(value)"
    case .number(let value): "\(value)"
    case .string(let text): "\"\(text)\""
    case .bytes(let bytes): "\"\(String(decoding: bytes, as: UTF8.self))\""
    case .table(let table): table.description
    case .reference(let reference): reference.description
    case .object(let object): type(of: object).luaName
    }
  }
}

extension LuaTable: CustomStringConvertible {
  /// The table as Lua source writes it.
  public var description: String {
    let items = list.map(\.description) + fields.map { "\($0.name) = \($0.value)" }
    return "{\(items.joined(separator: ", "))}"
  }
}
