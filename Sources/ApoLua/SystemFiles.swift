// The functions of `apo.system` for files. Whatever is replaced is replaced as a whole; a line
// that is appended is on the disk when the function returns.

import Foundation
import Lua
import Models

private let path = Parameter("path", .string, "the file")

let fileFunctions = [
  Function(
    "read_file", "Reads a whole file.", [path], returns: [Returned(.string, "its bytes")],
    details: "Gives nil and a message when it cannot be read."
  ) { call in
    let path = try call[1].string()
    do {
      let data = try Data(contentsOf: URL(fileURLWithPath: path))
      return try call.result(LuaValue(bytes: data))
    } catch { return call.failure("\(path): cannot be read") }
  },
  Function(
    "write_file", "Writes a whole file: after a crash the old one or the new one is there.",
    [path, Parameter("text", .string, "its bytes")]
  ) { call in
    try AtomicFile.write(call[1].string(), call[2].bytes())
    return call.nothing
  },
  Function(
    "append", "Appends text to a file and waits until it is on the disk.",
    [path, Parameter("text", .string, "the bytes")]
  ) { call in
    try append(call[2].bytes(), to: call[1].string())
    return call.nothing
  },
  Function(
    "size", "The size of a file.", [path],
    returns: [Returned(.integer(), "bytes, or nil when there is no file")]
  ) { call in
    var status = stat()
    guard try stat(call[1].string(), &status) == 0 else { return try call.result(LuaValue.nil) }
    return call.result(Int(status.st_size))
  },
  Function(
    "truncate", "Cuts a file off.",
    [path, Parameter("size", .integer(minimum: 0), "how many bytes are kept")]
  ) { call in
    let path = try call[1].string()
    guard Glibc.truncate(path, try call[2].integer()) == 0 else { throw systemError(path) }
    return call.nothing
  },
  Function(
    "drop_torn_line", "Cuts off what follows the last newline: a line that was not written whole.",
    [path], returns: [Returned(.integer(), "bytes cut off")]
  ) { call in
    let path = try call[1].string()
    let text = try Data(contentsOf: URL(fileURLWithPath: path))
    let kept = text.lastIndex(of: 10).map { $0 + 1 } ?? 0
    if kept < text.count, Glibc.truncate(path, kept) != 0 { throw systemError(path) }
    return call.result(text.count - kept)
  },
  Function(
    "exists", "What is at a path.", [path],
    returns: [Returned(.string, "\"file\" or \"folder\", or nil")]
  ) { call in
    var isFolder = ObjCBool(false)
    guard FileManager.default.fileExists(atPath: try call[1].string(), isDirectory: &isFolder)
    else { return try call.result(LuaValue.nil) }
    return call.result(isFolder.boolValue ? "folder" : "file")
  },
  Function(
    "list", "The names in a folder, sorted.", [Parameter("path", .string, "the folder")],
    returns: [Returned(.list(of: .string), "the names; none when there is no such folder")]
  ) { call in
    let names = try? FileManager.default.contentsOfDirectory(atPath: call[1].string())
    return try call.result((names ?? []).sorted())
  },
  Function(
    "make_folder", "Makes a folder and those above it.", [Parameter("path", .string, "the folder")]
  ) { call in
    try makeFolder(call[1].string())
    return call.nothing
  },
  Function(
    "rename", "Gives a file or a folder another name.",
    [path, Parameter("target", .string, "the new name; an existing file is replaced")]
  ) { call in
    let path = try call[1].string()
    guard Glibc.rename(path, try call[2].string()) == 0 else { throw systemError(path) }
    return call.nothing
  },
  Function(
    "remove_folder", "Removes a folder with all that is in it.",
    [Parameter("path", .string, "the folder; nothing happens when there is none")]
  ) { call in
    let path = try call[1].string()
    if FileManager.default.fileExists(atPath: path) {
      try FileManager.default.removeItem(atPath: path)
    }
    return call.nothing
  },
]

private func systemError(_ path: String) -> LuaError {
  LuaError("\(path): \(String(cString: strerror(errno)))")
}

private func append(_ bytes: [UInt8], to path: String) throws {
  let descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o666)
  guard descriptor >= 0 else { throw systemError(path) }
  defer { close(descriptor) }
  var written = 0
  while written < bytes.count {
    let count = bytes[written...].withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
    if count < 0, errno == EINTR { continue }
    guard count > 0 else { throw systemError(path) }
    written += count
  }
  guard fsync(descriptor) == 0 else { throw systemError(path) }
}
