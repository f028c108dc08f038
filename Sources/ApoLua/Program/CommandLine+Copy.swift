// `apo-lua copy`: copies an embedded algorithm to a file, to edit.

import Core
import Glibc
import Lua
import Models

/// Runs `apo-lua copy` with the arguments after it: a name and optionally a file.
///
/// Throws on an unknown name or an existing file.
func copyAlgorithm(_ arguments: [String]) throws {
  guard let name = arguments.first else {
    return print("algorithms: \(algorithmNames.joined(separator: ", "))")
  }
  guard arguments.count <= 2 else {
    throw LuaError("copy: a name and a file expected, got \(arguments.count) arguments")
  }
  let isOne = !name.isEmpty && !name.hasSameBytes(as: list)
  guard isOne, let script = embeddedScript(named: prefix + name) else {
    throw LuaError(
      "copy: there is no algorithm '\(name)'; there are \(algorithmNames.joined(separator: ", "))"
    )
  }
  let path = arguments.count == 2 ? arguments[1] : name + ".lua"
  if let fault = pathFault(path) { throw LuaError("copy: \(fault)") }
  guard !somethingIs(at: path) else {
    throw LuaError("\(path) already exists; choose another file: apo-lua copy \(name) FILE")
  }
  try AtomicFile.write(path, script.text)
  print(visible("wrote \(path); use it with apo.train{algorithm = dofile \"\(path)\", …}"))
}

/// Whether anything exists at the path, including a dangling link.
private func somethingIs(at path: String) -> Bool {
  var information = stat()
  return lstat(path, &information) == 0
}

private let prefix = "apo.algorithms."

/// The list of shipped algorithms, which lies beside them.
private let list = "shipped"

var algorithmNames: [String] {
  embeddedScriptNames().filter { $0.hasPrefix(prefix) && $0 != prefix + list }
    .map { String($0.dropFirst(prefix.count)) }
}
