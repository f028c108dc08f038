// The functions of `apo.system` for files. Files are replaced atomically; an appended line is on
// disk when the function returns.

import Core
import Glibc
import Lua
import Models
import Tensors

private let path = Parameter("path", .string, "the file")

let fileFunctions = [
  Function(
    "read_file", "Reads a file, or its beginning.",
    [
      path,
      Parameter("count", .integer(minimum: 0), "maximum number of bytes", optional: true),
    ], returns: [Returned(.string, "its bytes")],
    details: "Returns nil and a message if it cannot be read. Pipes and devices are refused."
  ) { call in
    do {
      let count = try call[2].ifPresent?.integer() ?? .max
      return try call.result(LuaValue(bytes: readFile(call.path(), atMost: count)))
    } catch { return call.failure("\(error)") }
  },
  Function(
    "write_file", "Writes a file atomically: after a crash the old or the new one exists.",
    [path, Parameter("text", .string, "its bytes")]
  ) { call in
    try AtomicFile.write(call.path(), call[2].bytes())
    return call.nothing
  },
  Function(
    "check_writable", "Raises the error that `write_file` would raise, without changing the file.",
    [path]
  ) { call in
    try AtomicFile.check(call.path())
    return call.nothing
  },
  Function(
    "append", "Appends text to a file and waits until it is on disk.",
    [
      path, Parameter("text", .string, "the bytes"),
      Parameter(
        "size", .integer(minimum: 0), "expected file size in bytes", optional: true),
    ],
    details: "On failure a partial write is cut off again. With `size` it is an error if "
      + "another program removed or changed the file; 0 also allows a missing file."
  ) { call in
    let size = try call[3].ifPresent?.integer()
    try AppendedFile.append(call[2].bytes(), to: call.path(), size: size)
    return call.nothing
  },
  Function(
    "size", "Returns the size of a file.", [path],
    returns: [Returned(.integer(), "bytes, or nil if there is no file")]
  ) { call in
    var status = stat()
    guard try stat(call.path(), &status) == 0 else { return try call.result(LuaValue.nil) }
    return call.result(Int(status.st_size))
  },
  Function(
    "checksum", "Returns the XXH64 of a file, as `xxh64sum` prints it.", [path],
    returns: [Returned(.string, "16 hexadecimal digits")]
  ) { call in
    call.result(try XXHash64.ofFile(call.path()).hexadecimal(16))
  },
  Function(
    "truncate", "Truncates a file.",
    [path, Parameter("size", .integer(minimum: 0), "number of bytes to keep")]
  ) { call in
    try AppendedFile.truncate(call.path(), to: call[2].integer())
    return call.nothing
  },
  Function(
    "drop_torn_line", "Truncates a file after its last newline, removing a partial line.",
    [path], returns: [Returned(.integer(), "bytes cut off")]
  ) { call in
    try call.result(AppendedFile.dropTornLine(call.path()))
  },
  Function(
    "exists", "Returns what is at a path.", [path],
    returns: [
      Returned(.string, "\"file\", \"folder\", \"other\" (a device, a pipe, a socket) or nil")
    ]
  ) { call in
    guard let mode = try mode(of: call.path()) else { return try call.result(LuaValue.nil) }
    switch mode & S_IFMT {
    case S_IFREG: return call.result("file")
    case S_IFDIR: return call.result("folder")
    default: return call.result("other")
    }
  },
  Function(
    "list", "Returns the names in a folder, sorted.", [Parameter("path", .string, "the folder")],
    returns: [Returned(.list(of: .string), "the names; empty if there is no such folder")]
  ) { call in
    try call.result(names(in: call.path()))
  },
  Function(
    "is_same", "Whether two paths lead to the same file or folder.",
    [path, Parameter("other", .string, "another one")],
    returns: [Returned(.boolean, "false also where one is missing")]
  ) { call in
    let identity = FileIdentity(try call.path())
    return try call.result(identity != nil && identity == FileIdentity(call.path(2)))
  },
  Function(
    "working_folder", "Returns the folder that relative paths begin at, or moves to another.",
    [Parameter("path", .string, "the folder to move to", optional: true)],
    returns: [Returned(.string, "its full path")]
  ) { call in
    if let path = try call[1].ifPresent.map({ _ in try call.path() }), chdir(path) != 0 {
      throw systemError(path)
    }
    guard let folder = getcwd(nil, 0) else { throw systemError(".") }
    defer { free(folder) }
    return try call.result(
      LuaValue(bytes: UnsafeRawBufferPointer(start: folder, count: strlen(folder))))
  },
  Function(
    "make_folder", "Creates a folder and its parents.", [Parameter("path", .string, "the folder")]
  ) { call in
    try makeFolder(call.path())
    return call.nothing
  },
  Function(
    "rename", "Renames a file or folder; the change is on disk when the function returns.",
    [path, Parameter("target", .string, "the new name; an existing file is replaced")]
  ) { call in
    let path = try call.path()
    try moveEntry(path, to: call.path(2))
    return call.nothing
  },
  Function(
    "remove_folder", "Removes a folder and its contents.",
    [Parameter("path", .string, "the folder; it may be missing")]
  ) { call in
    if !DryRun.isOn { try remove(call.path()) }
    return call.nothing
  },
  Function(
    "shown", "Returns a path as errors show it: in one line, with control characters escaped.",
    [path],
    returns: [Returned(.string, "the text")]
  ) { call in
    try call.result(shown(call[1].string()))
  },
  Function(
    "remove_temporary", "Removes temporary files left in a folder by killed processes.",
    [
      Parameter("path", .string, "the folder"),
      Parameter(
        "names", .list(of: .string),
        "files whose lock this process holds, so that only it writes them",
        default: []),
    ]
  ) { call in
    let folder = try call.path()
    AtomicFile.removeLeftovers(in: folder)
    for name in try call[2].value().asTable?.list.compactMap(\.asString) ?? [] {
      AtomicFile.removeLeftovers(in: folder, of: name, isAlone: true)
    }
    return call.nothing
  },
  lockFunction,
  isLockedFunction,
  databaseFunction,
]

/// The errno error for a path.
func systemError(_ path: String) -> LuaError {
  LuaError("\(shown(path)): \(String(cString: strerror(errno)))")
}

/// The bytes of a file, or its first ones.
func readFile(_ path: String, atMost limit: Int = .max) throws -> [UInt8] {
  let descriptor = try openForReading(path)
  defer { close(descriptor) }
  var status = stat()
  // The bytes are copied and pushed as a Lua string.
  let size = fstat(descriptor, &status) == 0 ? min(limit, Int(status.st_size)) : 0
  try Memory.checkBuffer(bytes: 3 * size, for: path)
  var bytes: [UInt8] = []
  bytes.reserveCapacity(size)
  var buffer = [UInt8](repeating: 0, count: 1 << 16)
  while bytes.count < limit {
    try Interrupt.check()
    if bytes.count + buffer.count > bytes.capacity {
      try Memory.checkBuffer(bytes: 4 * bytes.count, for: path)
    }
    let count = read(descriptor, &buffer, min(buffer.count, limit - bytes.count))
    if count < 0, errno == EINTR { continue }
    guard count >= 0 else { throw systemError(path) }
    if count == 0 { break }
    bytes += buffer[..<count]
  }
  return bytes
}

/// Kind and permissions of a path, following links; nil if missing.
private func mode(of path: String) -> mode_t? {
  var status = stat()
  return stat(path, &status) == 0 ? status.st_mode : nil
}

/// The names in a folder, sorted; none if it cannot be read.
func names(in folder: String) -> [String] {
  guard let directory = opendir(folder) else { return [] }
  defer { closedir(directory) }
  var names: [String] = []
  while let entry = readdir(directory) {
    let name = withUnsafeBytes(of: &entry.pointee.d_name) {
      String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
    }
    if name != ".", name != ".." { names.append(name) }
  }
  return names.sorted()
}

/// Removes a file, a link, or a folder with its contents.
private func remove(_ path: String) throws {
  var status = stat()
  guard lstat(path, &status) == 0 else { return }
  if status.st_mode & S_IFMT == S_IFDIR {
    for name in names(in: path) { try remove("\(path)/\(name)") }
    guard rmdir(path) == 0 else { throw systemError(path) }
  } else if unlink(path) != 0 {
    throw systemError(path)
  }
}
