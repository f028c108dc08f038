// Paths as scripts give them.

import Lua

extension Argument {
  /// A non-empty path without NUL bytes, at which the system would truncate it.
  ///
  /// Invalid UTF-8 is refused: repaired, it would name another file. Errors do not name the
  /// argument, because scripted functions pass on their options.
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

/// What is wrong with a path, or nil.
func pathFault(_ path: String) -> String? {
  if path.isEmpty { return "a path must not be empty" }
  return path.utf8.contains(0) ? "a path must not contain NUL bytes" : nil
}

/// Throws if the extension of a path belongs to another weight format than the one written.
func checkFormat(_ path: String, writes formats: [String], what: String) throws {
  let known = ["safetensors", "gguf", "bin", "pt", "pth", "npz", "npy", "pkl"]
  guard let end = path.split(separator: "/").last?.split(separator: ".").dropFirst().last,
    known.contains(end.lowercased()), !formats.contains(end.lowercased())
  else { return }
  throw LuaError("\(what) is written, but \(path) ends in .\(end)")
}
