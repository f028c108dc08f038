// Paths as scripts give them.

import Lua

extension Argument {
  /// A path that is not empty, and text without NUL bytes, at which the system would cut it off.
  ///
  /// Bytes that are no UTF-8 are refused: repaired, they would name another file. Errors do not
  /// name the argument, for scripted functions pass on what their options hold.
  func path() throws -> String {
    let bytes = try bytes()
    guard let path = String(validating: bytes, as: UTF8.self) else {
      let shown = String(decoding: bytes, as: UTF8.self)
      throw LuaError("a path must be valid UTF-8, got '\(shown)'")
    }
    if let fault = pathFault(path) { throw LuaError(fault) }
    return path
  }
}

extension Call {
  /// The path at a position; see `Argument.path`.
  func path(_ position: Int = 1) throws -> String { try self[position].path() }
}

/// What is wrong with a path, nil for nothing.
func pathFault(_ path: String) -> String? {
  if path.isEmpty { return "a path must not be empty" }
  return path.utf8.contains(0) ? "a path must not contain NUL bytes" : nil
}

/// Throws where the end of a path promises another format of weights than what is written.
func checkFormat(_ path: String, writes formats: [String], what: String) throws {
  let known = ["safetensors", "gguf", "bin", "pt", "pth", "npz", "npy", "pkl"]
  guard let end = path.split(separator: "/").last?.split(separator: ".").dropFirst().last,
    known.contains(end.lowercased()), !formats.contains(end.lowercased())
  else { return }
  throw LuaError("\(what) is written, and \(path) promises a file .\(end)")
}
