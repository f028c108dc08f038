import Glibc

// Making folders and listing what is in them.

/// Creates a folder and its parents if missing.
public func makeFolder(_ path: String) throws {
  if DryRun.isOn { return }
  if mkdir(path, 0o777) == 0 { return try AtomicFile.flush(folder: parentFolder(path)) }
  if errno == EEXIST { return try checkIsFolder(path) }
  guard errno == ENOENT, let slash = path.lastIndex(of: "/"), slash > path.startIndex else {
    throw FileError(path, "the folder cannot be made: \(lastSystemError())")
  }
  try makeFolder(String(path[..<slash]))
  guard mkdir(path, 0o777) == 0 || errno == EEXIST else {
    throw FileError(path, "the folder cannot be made: \(lastSystemError())")
  }
  try AtomicFile.flush(folder: parentFolder(path))
}

/// Renames a file or folder; the change is on disk on return.
public func moveEntry(_ path: String, to target: String) throws {
  if DryRun.omits(target) { return }
  guard rename(path, target) == 0 else { throw FileError(path, lastSystemError()) }
  try AtomicFile.flush(folder: parentFolder(target))
  if parentFolder(path) != parentFolder(target) {
    try AtomicFile.flush(folder: parentFolder(path))
  }
}

/// The folder that an entry is in, by the path of the entry.
public func parentFolder(_ path: String) -> String {
  guard let slash = path.lastIndex(of: "/") else { return "." }
  return slash == path.startIndex ? "/" : String(path[..<slash])
}

private func checkIsFolder(_ path: String) throws {
  var status = stat()
  guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
    throw FileError(path, "is not a folder")
  }
}

/// Names in a folder, unordered, including hidden ones.
package func folderEntries(_ folder: String) throws -> [String] {
  guard let entries = opendir(folder) else {
    throw FileError(folder, "cannot be read: \(lastSystemError())")
  }
  defer { closedir(entries) }
  var names: [String] = []
  while let entry = readdir(entries) {
    names.append(
      withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      })
  }
  return names
}
