import Glibc

/// The open end of a file that `AtomicFile` is writing.
public struct AtomicFileOutput {
  let path: String
  let descriptor: Int32

  /// Appends bytes.
  public func append(_ bytes: UnsafeRawBufferPointer) throws {
    try writeAll(bytes, to: descriptor, path)
  }

  /// Appends the bytes of a collection.
  public func append(_ bytes: some Collection<UInt8>) throws {
    let written: Void? = try bytes.withContiguousStorageIfAvailable {
      try append(UnsafeRawBufferPointer($0))
    }
    if written == nil { try Array(bytes).withUnsafeBytes { try append($0) } }
  }
}

/// Writes all bytes, though the system may take a part at a time.
func writeAll(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32, _ path: String) throws {
  var rest = bytes
  while !rest.isEmpty {
    let count = Glibc.write(descriptor, rest.baseAddress, rest.count)
    if count < 0, errno == EINTR { continue }
    guard count > 0 else { throw FileError(path, "cannot be written: \(lastSystemError())") }
    rest = UnsafeRawBufferPointer(rebasing: rest[count...])
  }
}
