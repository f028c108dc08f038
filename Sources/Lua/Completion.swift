// Completes `model:gen` by walking tables and objects without running their code.

import CLua

extension LuaState {
  private static let keywords = [
    "and", "break", "do", "else", "elseif", "end", "false", "for", "function", "goto", "if", "in",
    "local", "nil", "not", "or", "repeat", "return", "then", "true", "until", "while",
  ]

  /// Maximum length of a chain of `__index` tables.
  private static let chainLimit = 20

  /// The sorted completions of a name, a path of fields or a method.
  ///
  /// Functions end in `(`, tables in `.`, objects in `:`. Names that start with an underscore
  /// are offered only when it has been typed.
  public func completions(of text: String) -> [String] {
    guard cl_reserve(current, 64) else { return [] }
    let top = cl_top(current)
    defer { cl_set_top(current, top) }
    var path = Path(text)
    cl_push_globals(current)
    for name in path.owners {
      guard step(into: name) else { return [] }
    }
    var found = names(onlyFunctions: path.isMethod, path.tail)
    if path.owners.isEmpty {
      found.formUnion(Self.keywords.filter { $0.hasPrefix(path.tail) })
    }
    path.tail = ""
    return found.sorted().map { path.head + $0 }
  }

  /// The declaration of the function that a path of names leads to, found without running code.
  public func declaration(at text: String) -> FunctionDocumentation? {
    guard cl_reserve(current, 64) else { return nil }
    let top = cl_top(current)
    defer { cl_set_top(current, top) }
    let path = Path(text)
    cl_push_globals(current)
    for name in path.owners { guard step(into: name) else { return nil } }
    let owner = className(at: -1)
    guard step(into: path.tail) else { return nil }
    let value = LuaReference(poppingFrom: self)
    if case .function(let found)? = try? documentation(of: value) { return found }
    // A part of the library that is not loaded yet, and methods by their class.
    let names = [text, "\(owner):\(path.tail)"]
    for case .function(let found) in documentation where names.contains(found.name) {
      return found
    }
    return nil
  }

  /// The class of the object that a path of names leads to.
  public func className(at text: String) -> String? {
    guard cl_reserve(current, 64) else { return nil }
    let top = cl_top(current)
    defer { cl_set_top(current, top) }
    let path = Path(text + ".")
    cl_push_globals(current)
    for name in path.owners { guard step(into: name) else { return nil } }
    return className(at: -1)
  }

  /// The names in an element of a table, `list[3].na`: those that are there, as for a path.
  public func completions(ofElement index: Int, in text: String, _ prefix: String) -> [String] {
    guard cl_reserve(current, 64) else { return [] }
    let top = cl_top(current)
    defer { cl_set_top(current, top) }
    cl_push_globals(current)
    for name in Path(text + ".").owners { guard step(into: name) else { return [] } }
    guard type(at: -1) == .table else { return [] }
    cl_get_index(current, -1, Int64(index))
    return names(onlyFunctions: false, prefix).sorted()
  }

  /// What was typed, split at the last `.` or `:`.
  private struct Path {
    var owners: [String] = []
    var head = ""
    var tail: String
    var isMethod = false

    init(_ text: String) {
      tail = text
      guard let end = text.lastIndex(where: { $0 == "." || $0 == ":" }) else { return }
      isMethod = text[end] == ":"
      head = String(text[...end])
      tail = String(text[text.index(after: end)...])
      owners = text[..<end].split(omittingEmptySubsequences: false) { $0 == "." || $0 == ":" }
        .map(String.init)
    }
  }

  /// Replaces the value on top by its field; false if there is none, or it would run code.
  private func step(into name: String) -> Bool {
    for _ in 0..<Self.chainLimit {
      if type(at: -1) == .table {
        if LuaType(code: cl_get_field(current, -1, name)) != .nil {
          cl_remove(current, -2)
          return true
        }
        pop()
      }
      guard climb() else { return false }
    }
    return false
  }

  /// Replaces the value on top by the table in which its missing names are looked up.
  private func climb() -> Bool {
    guard cl_push_metatable(current, -1) else { return false }
    cl_remove(current, -2)
    if LuaType(code: cl_get_field(current, -1, "__methods")) == .table {
      cl_remove(current, -2)
      return true
    }
    pop()
    let type = LuaType(code: cl_get_field(current, -1, "__index"))
    cl_remove(current, -2)
    return type == .table
  }

  /// The names in the value on top and along its chain.
  private func names(onlyFunctions: Bool, _ prefix: String) -> Set<String> {
    var found: Set<String> = []
    if !onlyFunctions {
      addGetters(to: &found, prefix)
      addLazyFields(to: &found, prefix)
    }
    for _ in 0..<Self.chainLimit {
      if type(at: -1) == .table { addKeys(to: &found, prefix, onlyFunctions: onlyFunctions) }
      guard climb() else { break }
    }
    return found
  }

  private func addGetters(to found: inout Set<String>, _ prefix: String) {
    guard type(at: -1) == .userdata, cl_push_metatable(current, -1) else { return }
    if LuaType(code: cl_get_field(current, -1, "__getters")) == .table {
      cl_push_keys(current, -1)
      for position in 0..<cl_length(current, -1) {
        cl_get_index(current, -1, Int64(position + 1))
        if text(at: -1).hasPrefix(prefix) { found.insert(text(at: -1)) }
        pop()
      }
      pop()
    }
    pop(2)
  }

  /// The fields that a table of an object has before they are computed.
  private func addLazyFields(to found: inout Set<String>, _ prefix: String) {
    guard let lazy = lazyTables, (try? part(at: -1, lazy)) != nil else { return }
    found.formUnion(lazy.names.filter { $0.hasPrefix(prefix) })
  }

  private func addKeys(to found: inout Set<String>, _ prefix: String, onlyFunctions: Bool) {
    let table = cl_top(current)
    cl_push_keys(current, table)
    defer { cl_set_top(current, table) }
    for position in 0..<cl_length(current, table + 1) {
      cl_get_index(current, table + 1, Int64(position + 1))
      defer { pop(2) }
      cl_copy(current, -1)
      cl_get(current, table)
      guard type(at: -2) == .string else { continue }
      let name = text(at: -2)
      guard name.isIdentifier, name.hasPrefix(prefix), prefix.hasPrefix("_") || !name.hasPrefix("_")
      else { continue }  // a key that no name can be, as one of a data set's, cannot follow a dot
      let kind = type(at: -1)
      if kind == .function || !onlyFunctions { found.insert(name + suffix(of: kind)) }
    }
  }

  private func suffix(of type: LuaType) -> String {
    switch type {
    case .function: "("
    case .table: "."
    case .userdata: ":"
    default: ""
    }
  }
}

extension String {
  /// Whether a program can write it as a name.
  var isIdentifier: Bool {
    first.map { $0.isASCII && ($0.isLetter || $0 == "_") } == true
      && allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }
  }
}
