// Paths as scripts give them.

import Lua

extension Call {
  /// A path that is not empty and has no NUL byte, at which the system would cut it off.
  ///
  /// Errors do not name the argument, for scripted functions pass on what their options hold.
  func path(_ position: Int = 1) throws -> String {
    let path = try self[position].string()
    if let fault = pathFault(path) { throw LuaError(fault) }
    return path
  }
}

/// What is wrong with a path, nil for nothing.
func pathFault(_ path: String) -> String? {
  if path.isEmpty { return "a path must not be empty" }
  return path.utf8.contains(0) ? "a path must not contain NUL bytes" : nil
}
