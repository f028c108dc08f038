// The values of templates, which are Python's as far as templates can tell: text counts in code
// points, lists and dictionaries cannot be changed in place (transformers' sandbox forbids it too),
// and missing values are a separate case.

/// A value of a template.
indirect enum TemplateValue: Sendable {
  /// A name, attribute or element that is not there; the text says which.
  case undefined(String)
  case none
  case boolean(Bool)
  case integer(Int)
  case float(Double)
  case string(String)
  /// A text marked `safe`: whatever is joined to it is escaped, and derived texts are marked too.
  case markup(String)
  case list(TemplateList)
  case tuple(TemplateList)
  case dictionary(TemplateDictionary)
  /// What `range` and a dictionary's `items`, `keys` and `values` give.
  case view(TemplateView)
  /// The result of filters such as `select`: always true, and empty after one iteration.
  case iterator(TemplateIterator)
  case namespace(TemplateNamespace)
  case loop(TemplateLoop)
  case macro(TemplateMacro)
  /// A function such as `range`.
  case function(String)
  /// An attribute that is a function: `text.strip`.
  case method(TemplateMethod)
}

/// The elements of a list or tuple, and how deeply values nest in it.
struct TemplateList: Sendable {
  let items: [TemplateValue]
  let depth: Int
  /// Whether it is a pair of `groupby`, whose parts have names.
  let isGroup: Bool

  /// Throws when values nest too deeply.
  init(_ items: [TemplateValue], isGroup: Bool = false) throws {
    (self.items, self.isGroup) = (items, isGroup)
    depth = try items.reduce(0) { max($0, $1.depth) }.increased()
  }
}

extension Int {
  /// One level more; throws beyond the limit.
  fileprivate func increased() throws -> Int {
    guard self < TemplateLimits.nesting else {
      throw TemplateFault("a value is nested deeper than \(TemplateLimits.nesting) levels")
    }
    return self + 1
  }
}

/// Sequences that print and index differently from a list: Python's `range` and `dict_items`.
struct TemplateView: Sendable {
  /// Python's name of the type.
  let type: String
  /// The bounds of a range; nil for others.
  let bounds: (start: Int, stop: Int, step: Int)?
  let list: TemplateList

  init(_ type: String, _ items: [TemplateValue]) throws {
    (self.type, bounds, list) = (type, nil, try TemplateList(items))
  }

  /// The numbers of a range.
  init(start: Int, stop: Int, step: Int, _ items: [TemplateValue]) throws {
    (type, bounds, list) = ("range", (start, stop, step), try TemplateList(items))
  }

  /// How a range is printed; nil for others, which print their elements.
  var text: String? {
    bounds.map { "range(\($0.start), \($0.stop)" + ($0.step == 1 ? ")" : ", \($0.step))") }
  }
}

/// Keys and values in the order they were put in.
struct TemplateDictionary: Sendable {
  private(set) var keys: [TemplateValue] = []
  private(set) var values: [TemplateValue] = []
  private(set) var depth = 0
  private var index: [TemplateKey: Int] = [:]

  /// An empty dictionary.
  init() {}

  subscript(key: TemplateKey) -> TemplateValue? { index[key].map { values[$0] } }

  subscript(name: String) -> TemplateValue? { self[.text(Array(name.utf8))] }

  /// Puts a value at a key, in the place of the one that was there; throws when a list is the key.
  mutating func set(_ key: TemplateValue, _ value: TemplateValue) throws {
    depth = try max(depth, max(key.depth, value.depth).increased())
    let name = try TemplateKey(key)
    if let place = index[name] {
      values[place] = value
    } else {
      index[name] = keys.count
      keys.append(key)
      values.append(value)
    }
  }

  mutating func set(_ name: String, _ value: TemplateValue) throws {
    try set(.string(name), value)
  }

  var pairs: [(key: TemplateValue, value: TemplateValue)] {
    zip(keys, values).map { ($0, $1) }
  }
}

/// The identity of a key: 1, 1.0 and true are the same, and texts are compared by bytes.
enum TemplateKey: Hashable, Sendable {
  case none
  case integer(Int)
  case float(Double)
  case text([UInt8])
  case tuple([TemplateKey])

  init(_ value: TemplateValue) throws {
    switch value {
    case .none: self = .none
    case .boolean(let value): self = .integer(value ? 1 : 0)
    case .integer(let value): self = .integer(value)
    case .float(let value): self = Int(exactly: value).map { .integer($0) } ?? .float(value)
    case .string(let text), .markup(let text): self = .text(Array(text.utf8))
    case .tuple(let list): self = .tuple(try list.items.map { try TemplateKey($0) })
    default: throw TemplateFault("a \(value.typeName) cannot be a key")
    }
  }
}

/// Elements that can be walked over once.
final class TemplateIterator: @unchecked Sendable {
  // Sendable: lives in one run of a template, as all the classes below.
  private var items: ArraySlice<TemplateValue>
  let depth: Int

  init(_ items: [TemplateValue]) throws {
    depth = try TemplateList(items).depth
    self.items = items[...]
  }

  /// All that is left.
  func takeAll() -> [TemplateValue] {
    defer { items = [] }
    return Array(items)
  }

  /// The next element.
  func take() -> TemplateValue? { items.popFirst() }
}

/// What `namespace(…)` gives: the one value whose attributes can be set.
final class TemplateNamespace: @unchecked Sendable {
  var attributes: TemplateDictionary
  init(_ attributes: TemplateDictionary) { self.attributes = attributes }
}

/// The variable `loop`.
final class TemplateLoop: @unchecked Sendable {
  let items: [TemplateValue]
  let depth: Int
  var index = 0

  /// What `loop(…)` runs again, where the loop is recursive.
  let recursion: (loop: TemplateForLoop, scope: TemplateScope)?
  /// How many loops of a recursion are around this one.
  let level: Int
  /// What `loop.changed` was given last.
  var last: [TemplateValue]?

  init(
    _ list: TemplateList, level: Int = 0,
    recursion: (loop: TemplateForLoop, scope: TemplateScope)? = nil
  ) throws {
    (self.level, self.recursion) = (level, recursion)
    items = list.items
    depth = try list.depth.increased()
  }
}

/// A macro with the variables around it.
final class TemplateMacro: @unchecked Sendable {
  let definition: TemplateMacroDefinition
  let scope: TemplateScope
  init(_ definition: TemplateMacroDefinition, in scope: TemplateScope) {
    self.definition = definition
    self.scope = scope
  }
}

/// A value with the name of one of its functions.
final class TemplateMethod: @unchecked Sendable {
  let receiver: TemplateValue
  let name: String
  let depth: Int
  init(_ receiver: TemplateValue, _ name: String) throws {
    (self.receiver, self.name) = (receiver, name)
    depth = try receiver.depth.increased()
  }
}

extension TemplateValue {
  /// The text, marked `safe` or not.
  var string: String? {
    switch self {
    case .string(let text), .markup(let text): text
    default: nil
    }
  }

  /// Whether it is a text marked `safe`.
  var isMarkup: Bool { if case .markup = self { true } else { false } }

  /// How deeply values nest.
  var depth: Int {
    switch self {
    case .list(let list), .tuple(let list): list.depth
    case .view(let view): view.list.depth
    case .dictionary(let dictionary): dictionary.depth
    case .iterator(let iterator): iterator.depth
    case .loop(let loop): loop.depth
    case .method(let method): method.depth
    default: 0
    }
  }

  /// A list; throws when values nest too deeply.
  static func list(of items: [TemplateValue]) throws -> TemplateValue {
    .list(try TemplateList(items))
  }

  /// Python's name of the type.
  var typeName: String {
    switch self {
    case .undefined: "undefined value"
    case .none: "None"
    case .boolean: "bool"
    case .integer: "int"
    case .float: "float"
    case .string: "str"
    case .markup: "Markup"
    case .list: "list"
    case .tuple: "tuple"
    case .dictionary: "dict"
    case .view(let view): view.type
    case .iterator: "generator"
    case .namespace: "namespace"
    case .loop: "loop"
    case .macro: "macro"
    case .function, .method: "function"
    }
  }

  /// What `if` makes of the value.
  var isTrue: Bool {
    switch self {
    case .undefined, .none: false
    case .boolean(let value): value
    case .integer(let value): value != 0
    case .float(let value): value != 0
    case .string(let text), .markup(let text): !text.isEmpty
    case .list(let list), .tuple(let list): !list.items.isEmpty
    case .view(let view): !view.list.items.isEmpty
    case .dictionary(let dictionary): !dictionary.keys.isEmpty
    case .iterator, .namespace, .macro, .function, .method: true
    case .loop(let loop): !loop.items.isEmpty
    }
  }
}
