// Texts that go into the engine must be UTF-8; the bridge would replace what is not.

import Lua

extension Argument {
  /// The text of a string; throws, naming what it is, when it is not valid UTF-8.
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
