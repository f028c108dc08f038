// Completes inside calls: options of `apo.train{`, their values, fields of `rollout[1].`; anything
// else is completed by the names that there are.

import Lua
import Models

extension LuaState {
  /// The completions of a word, given the text of the chunk before it.
  func completions(of word: String, after before: String) -> [String] {
    if let fields = elementFields(of: word, after: before) { return fields }
    guard let place = CallPlace(before), let parameters = options(at: place) else {
      return CallPlace.isInString(before) ? [] : completions(of: word)
    }
    if let name = place.key, let parameter = parameters.first(where: { $0.name == name }) {
      let values = parameter.choices
      if place.quote { return values.filter { $0.hasPrefix(word) } }
      if word.isEmpty, !values.isEmpty { return values.map { "\"\($0)\"" } }
    }
    if place.quote { return [] }
    guard place.key == nil else { return completions(of: word) }
    let names = parameters.map(\.name).filter { $0.hasPrefix(word) && !place.used.contains($0) }
    return names.sorted().map { "\($0) = " }
  }

  /// The fields of `rollout[1].te`, of which the line editor's word may be `.te` or all.
  private func elementFields(of word: String, after before: String) -> [String]? {
    guard word.contains("."), !CallPlace.isInString(before),
      let match = (before + word).firstMatch(of: /([A-Za-z_][\w.]*)\[(-?\d+)\]\.(\w*)$/),
      let index = Int(match.2)
    else { return nil }
    let prefix = String(match.3)
    let names =
      className(at: String(match.1)) == Rollout.luaName
      ? Rollout.fieldNames.filter { $0.hasPrefix(prefix) }.sorted()
      : completions(ofElement: index, in: String(match.1), prefix)
    return names.map { word.dropLast(prefix.count) + $0 }
  }

  /// The options that can be given at a place; nil where there are none.
  private func options(at place: CallPlace) -> [Parameter]? {
    if place.callee.hasPrefix("apo.") { try? readWholeLibrary(in: self) }
    guard let function = declaration(at: place.callee)?.function,
      function.parameters.indices.contains(place.argument)
    else { return nil }
    var fields = function.parameters[place.argument].type.fields
    for key in place.path { fields = fields?.first { $0.name == key }?.type.fields }
    return fields
  }
}

extension Parameter {
  /// The strings that it can be.
  var choices: [String] {
    switch type {
    case .choice(let names): names
    case .boolean, .number, .integer: []
    default: values
    }
  }
}

/// Where in the tables of a call the end of a text is: in `apo.train{lr = 1, eval = {data = x, `
/// the callee is `apo.train`, the path `eval`, and `data` is used.
struct CallPlace {
  private(set) var callee = ""
  /// Which argument the outermost table is, from 0.
  private(set) var argument = 0
  /// The options that lead to the innermost table.
  private(set) var path: [String] = []
  private(set) var used: Set<String> = []
  /// The option whose value is being typed.
  private(set) var key: String?
  /// Whether a string has begun.
  private(set) var quote = false

  private struct Frame {
    let bracket: Character
    /// What stands before the bracket: a callee, or nothing.
    let head: String
    var commas = 0
    var key: String?
    var used: Set<String> = []
  }

  /// Nil where the text does not end inside a table that is an argument.
  init?(_ text: String) {
    var scanner = Scanner()
    for character in text { scanner.take(character) }
    let frames = scanner.frames
    guard let first = frames.lastIndex(where: { !$0.head.isEmpty }), let last = frames.last,
      frames[first...].dropFirst().allSatisfy({ $0.bracket == "{" }), last.bracket == "{"
    else { return nil }
    callee = frames[first].head
    argument = frames[first].bracket == "(" ? frames[first].commas : 0
    let tables = frames[first...].dropFirst(frames[first].bracket == "(" ? 1 : 0)
    for frame in tables.dropLast() {
      guard let key = frame.key else { return nil }
      path.append(key)
    }
    (used, key, quote) = (last.used, last.key, scanner.quote != nil)
  }

  static func isInString(_ text: String) -> Bool {
    var scanner = Scanner()
    for character in text { scanner.take(character) }
    return scanner.quote != nil
  }

  /// Keeps the brackets that are open.
  private struct Scanner {
    var frames: [Frame] = []
    var quote: Character?
    private var isEscaped = false
    private var isComment = false
    /// The path of names that ends here.
    private var name = ""
    private var previous: Character = " "

    mutating func take(_ character: Character) {
      defer { previous = character }
      if isComment {
        isComment = character != "\n"
      } else if let open = quote {
        if !isEscaped, character == open { quote = nil }
        isEscaped = !isEscaped && character == "\\"
      } else if character == "-", previous == "-" {
        isComment = true
      } else {
        takeCode(character)
      }
    }

    private mutating func takeCode(_ character: Character) {
      switch character {
      case "\"", "'":
        (quote, name) = (character, "")
      case "{", "(", "[":
        frames.append(Frame(bracket: character, head: character == "[" ? "" : name))
        name = ""
      case "}", ")", "]":
        _ = frames.popLast()
        name = ""
      case ",", ";":
        if let last = frames.indices.last {
          frames[last].commas += 1
          frames[last].key = nil
        }
        name = ""
      case "=":
        if let last = frames.indices.last, frames[last].bracket == "{", !name.isEmpty {
          frames[last].key = name
          frames[last].used.insert(name)
        }
        name = ""
      case _ where character.isWhitespace: break
      default:
        let isPart = character.isLetter || character.isNumber || "_.:".contains(character)
        let continues = !previous.isWhitespace || ".:".contains(character)
        name = isPart ? (continues ? name : "") + String(character) : ""
      }
    }
  }
}
