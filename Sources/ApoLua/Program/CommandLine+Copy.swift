// `apo-lua --copy`: writes an algorithm that is embedded in the program into a file, to be changed.

import Core
import Glibc
import Lua
import Models

/// Does what `--copy` asks for; the arguments are what follows it: a name and maybe a file.
///
/// Throws on an unknown name and on a file that exists.
func copyAlgorithm(_ arguments: [String]) throws {
  guard let name = arguments.first else {
    return print("algorithms: \(algorithmNames.joined(separator: ", "))")
  }
  guard arguments.count <= 2 else {
    throw LuaError("--copy: a name and a file expected, got \(arguments.count) arguments")
  }
  guard let script = embeddedScript(named: prefix + name), !name.isEmpty else {
    throw LuaError(
      "--copy: there is no algorithm '\(name)'; there are \(algorithmNames.joined(separator: ", "))"
    )
  }
  let path = arguments.count == 2 ? arguments[1] : name + ".lua"
  if let fault = pathFault(path) { throw LuaError("--copy: \(fault)") }
  guard !somethingIs(at: path) else {
    throw LuaError("\(path) exists already; choose another file: apo-lua --copy \(name) FILE")
  }
  try AtomicFile.write(path, script.text)
  print(visible("wrote \(path); it runs by apo.train{algorithm = dofile \"\(path)\", …}"))
}

/// Whether there is anything of that name, a link that leads nowhere included.
private func somethingIs(at path: String) -> Bool {
  var information = stat()
  return lstat(path, &information) == 0
}

private let prefix = "apo.algorithms."

var algorithmNames: [String] {
  embeddedScriptNames().filter { $0.hasPrefix(prefix) }.map { String($0.dropFirst(prefix.count)) }
}
