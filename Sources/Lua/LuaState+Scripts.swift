// Lua files inside the binary: found by `require`, and documented like compiled functions.

import CLua

/// A Lua file of the script library.
public struct Script {
  /// The module's name for `require`, such as `apo.train`.
  public var name: String
  /// The file's text.
  public var text: [UInt8]

  /// A Lua file.
  public init(name: String, text: [UInt8]) {
    self.name = name
    self.text = text
  }

  /// Its name in tracebacks: `[apo] train/options.lua`. C recognises library chunks by this prefix.
  var chunkName: String {
    let file = name.hasPrefix("apo.") ? String(name.dropFirst(4)) : name
    return "=[apo] \(String(file.map { $0 == "." ? "/" : $0 })).lua"
  }
}

extension LuaState {
  /// Makes `require` find these scripts, before any file of the same name.
  ///
  /// They can require `apo.documented` and `apo.fail`; see docs/bridge.md.
  public func addLibrary(_ find: @escaping (String) -> Script?) throws {
    let name = Parameter("name", .string, "the module")
    let searcher = Function("searcher", "Finds a script of the library.", [name]) { call in
      let name = try call[1].string()
      guard let script = find(name) else {
        guard name.hasPrefix("apo.") else { return call.nothing }
        return call.result("no script '\(name)' in the library")
      }
      let chunk = try call.state.load(script.text, name: script.chunkName)
      return try call.results([.reference(chunk), .string(script.chunkName)])
    }
    let record = FunctionRecord(searcher, named: "searcher", self: nil, in: self)
    try insertSearcher(record)
    try preload("apo.documented", { try $0.makeFunction(documentedFunction) })
    try preload("apo.fail", { try $0.makeFunction(failFunction) })
  }

  /// Runs a script of the library with arguments.
  public func run(_ script: Script, _ arguments: [LuaValue] = []) throws {
    try call(load(script.text, name: script.chunkName), arguments)
  }

  /// Puts a searcher second, after `package.preload`.
  private func insertSearcher(_ record: FunctionRecord) throws {
    try reserve(8)
    let base = cl_top(current)
    defer { cl_set_top(current, base) }
    cl_push_loaded(current)
    cl_get_field(current, -1, "package")
    guard type(at: -1) == .table else { throw LuaError("'package' is not a table") }
    cl_get_field(current, -1, "searchers")
    guard type(at: -1) == .table else { throw LuaError("'package.searchers' is not a table") }
    let searchers = cl_top(current)
    for position in stride(from: Int64(cl_length(current, searchers)), to: 1, by: -1) {
      cl_get_index(current, searchers, position)
      cl_set_index(current, searchers, position + 1)
    }
    cl_push_function(current, adopt(record), record.cName)
    cl_set_index(current, searchers, 2)
  }
}

/// `require "apo.fail"`: raises at the line of the user's script, not of the library.
private let failFunction = Function(
  "fail", "Raises an error at the line of the script that called the library.",
  [Parameter("message", .string, "what went wrong")]
) { call in
  throw LuaError(try call[1].string())
}
