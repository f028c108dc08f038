// Parameters of documented functions: names, types, documentation and defaults as data.

/// The type of an argument, an option or a result.
public indirect enum ValueType: @unchecked Sendable {
  // Sendable: the tag is compared and never followed.
  /// Anything, nil included.
  case any
  /// `true` or `false`; nothing else.
  case boolean
  /// A number, never a string that looks like one.
  case number(minimum: Double? = nil, maximum: Double? = nil)
  /// A number without fraction: `2.0` is one, `2.5` is not.
  case integer(minimum: Int? = nil, maximum: Int? = nil)
  /// A string.
  case string
  /// A table of any content.
  case table
  /// A function.
  case function
  /// One of these strings.
  case choice([String])
  /// A table with values of one type at 1, 2, …
  case list(of: ValueType)
  /// The first of these types that fits.
  case oneOf([ValueType])
  /// An object of the class with this name; see `object(_:)`.
  case instance(name: String, tag: UnsafeRawPointer?)
  /// A table whose keys are declared. Others raise an error that lists them.
  case options([Parameter])

  /// An object of a Swift class.
  public static func object(_ type: (some LuaObject).Type) -> ValueType {
    .instance(name: type.luaName, tag: type.tag)
  }

  /// An object by the name of its class, which may be a Swift or a Lua class.
  public static func object(named name: String) -> ValueType {
    .instance(name: name, tag: nil)
  }
}

/// One argument or option of a documented function.
public final class Parameter: @unchecked Sendable {
  // Sendable: nothing in it changes.

  /// The name in the manual, and the key if it is an option.
  public let name: String
  /// What is accepted.
  public let type: ValueType
  /// What it means, in a phrase that starts in lower case.
  public let text: String
  /// The default of an absent argument.
  public let defaultValue: LuaValue
  /// Whether it may be omitted.
  public let isOptional: Bool
  /// Whether it stands for all remaining arguments.
  public let isVariadic: Bool
  /// The strings that are taken where the type says no more than `string`; checked elsewhere.
  public let values: [String]
  /// What a function is called with and returns, as language servers write it: `fun(row: table)`.
  public let signature: String

  /// A parameter; it may be omitted if it has a default.
  ///
  /// `nil` counts as absent, `false` does not. A variadic parameter comes last.
  public init(
    _ name: String, _ type: ValueType, _ text: String, default defaultValue: LuaValue = .nil,
    optional: Bool = false, variadic: Bool = false, values: [String] = [], signature: String = ""
  ) {
    self.name = name
    self.type = type
    self.text = text
    self.defaultValue = defaultValue
    self.isOptional = optional || variadic || !defaultValue.isNil
    self.isVariadic = variadic
    self.values = values
    self.signature = signature
  }
}

/// One result of a documented function.
public struct Returned: Sendable {
  /// Its type.
  public let type: ValueType
  /// What it means, in a phrase that starts in lower case.
  public let text: String
  /// What a function is called with and returns, as for `Parameter`.
  public let signature: String

  /// A result.
  public init(_ type: ValueType, _ text: String, signature: String = "") {
    self.type = type
    self.text = text
    self.signature = signature
  }
}

extension ValueType {
  /// The type in words, without article: `integer of at least 1`, `number or apo.Tensor`.
  public var name: String {
    switch self {
    case .any: "any value"
    case .boolean: "boolean"
    case .number(let low, let high):
      Self.ranged("number", low.map(Self.digits), high.map(Self.digits))
    case .integer(let low, let high): Self.ranged("integer", low, high)
    case .string: "string"
    case .table: "table"
    case .function: "function"
    case .choice(let names): "one of \(names.map { "'\($0)'" }.joined(separator: ", "))"
    case .list(let element): "list of \(element.plural)"
    case .oneOf(let types): types.map(\.name).joined(separator: " or ")
    case .instance(let name, _): name
    case .options: "table"
    }
  }

  private var plural: String {
    switch self {
    case .any: "values"
    case .boolean, .string, .table, .function, .options, .number(nil, nil), .integer(nil, nil):
      name + "s"
    case .list(let element): "lists of \(element.plural)"
    default: name
    }
  }

  /// A bound, without a fraction if it is a whole number.
  private static func digits(_ value: Double) -> String {
    Int(exactly: value).map { "\($0)" } ?? "\(value)"
  }

  private static func ranged<T>(_ name: String, _ low: T?, _ high: T?) -> String {
    switch (low, high) {
    case (nil, nil): name
    case (let low?, nil): "\(name) of at least \(low)"
    case (nil, let high?): "\(name) of at most \(high)"
    case (let low?, let high?): "\(name) from \(low) to \(high)"
    }
  }
}
