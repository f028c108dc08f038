/// A piece of a template.
struct TemplateToken {
  enum Kind: Equatable {
    case text(String)
    case blockStart, blockEnd, variableStart, variableEnd
    case name(String)
    case string(String)
    case integer(Int)
    case float(Double)
    case symbol(String)
    case end
  }
  let kind: Kind
  let line: Int
}

extension TemplateToken.Kind {
  /// The token as an error text says it.
  var words: String {
    switch self {
    case .text: "text"
    case .blockStart: "'{%'"
    case .blockEnd: "'%}'"
    case .variableStart: "'{{'"
    case .variableEnd: "'}}'"
    case .name(let name): "'\(name)'"
    case .string: "a string"
    case .integer(let value): "'\(value)'"
    case .float(let value): "'\(value)'"
    case .symbol(let symbol): "'\(symbol)'"
    case .end: "the end of the template"
    }
  }
}
