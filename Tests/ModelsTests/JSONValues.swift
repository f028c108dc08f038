@testable import Models

extension JSON {
  var string: String? { if case .string(let text) = self { text } else { nil } }
  var integer: Int? { if case .integer(let number) = self { number } else { nil } }
  var array: [JSON]? { if case .array(let list) = self { list } else { nil } }
  var integers: [Int]? { array?.compactMap(\.integer) }
}
