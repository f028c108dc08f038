import Text

extension JSON {
  package var string: String? { if case .string(let text) = self { text } else { nil } }
  package var integer: Int? { if case .integer(let number) = self { number } else { nil } }
  package var array: [JSON]? { if case .array(let list) = self { list } else { nil } }
  package var integers: [Int]? { array?.compactMap(\.integer) }
}
