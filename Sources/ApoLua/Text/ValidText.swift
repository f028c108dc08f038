// Checks that texts for the engine are UTF-8, because the bridge would replace invalid bytes.

import Lua

extension Argument {
  /// The text of a string; throws an error that names it unless it is valid UTF-8.
  func validText(_ name: String) throws -> String {
    guard let text = String(validating: try bytes(), as: UTF8.self) else {
      throw LuaError("\(name) is not valid UTF-8")
    }
    return text
  }

  /// One text or a list of them.
  func validTexts(_ name: String) throws -> [String] {
    if kind == .string { return [try validText(name)] }
    return try (1..<length + 1).map { position in
      try withElement(position) { try $0.validText("\(name): text \(position)") }
    }
  }
}
