import Core
import Glibc

/// Files with one JSON value a line.
public enum JSONLines {
  /// Reads every line; blank lines are skipped, a byte order mark and CR LF are accepted.
  ///
  /// The error names file, line and reason.
  public static func read(_ path: String) throws -> [JSON] {
    let reader = try JSONLinesReader(path)
    var rows: [JSON] = []
    while let row = try reader.next() { rows.append(row) }
    return rows
  }
}

/// Reads a file with one JSON value a line, a line at a time.
public final class JSONLinesReader {
  /// The number of the line that was read last, from 1.
  public private(set) var line = 0
  private let path: String
  private let deepest: Int
  /// Nil at the end of the file; an abandoned reader keeps the file open until it is collected.
  private var file: InputFile?
  /// Bytes read beyond the lines returned so far.
  private var buffer: [UInt8] = []
  private var position = 0
  /// Bytes of the file read so far.
  private var offset = 0

  /// Opens a file; throws if missing. Does not read what is appended later.
  public init(_ path: String, deepest: Int = 512) throws {
    (self.path, self.deepest) = (path, deepest)
    file = try InputFile(path)
  }

  /// The value of the next line that is not blank, nil at the end of the file.
  ///
  /// A byte order mark and CR LF are accepted. The error names file, line and reason.
  public func next() throws -> JSON? {
    while let place = try nextLine() {
      line += 1
      let value: JSON? = try buffer.withUnsafeBytes { bytes in
        let text = UnsafeRawBufferPointer(rebasing: bytes[place])
        return isBlank(text) ? nil : try parse(text)
      }
      if let value { return value }
    }
    return nil
  }

  /// The range of the next line in the buffer, without its newline; nil at the end of the file.
  private func nextLine() throws -> Range<Int>? {
    var searched = position
    while true {
      if let end = newline(from: searched) {
        defer { position = end + 1 }
        return position..<end
      }
      guard let file, offset < file.size else {
        self.file = nil
        defer { position = buffer.count }
        return position < buffer.count ? position..<buffer.count : nil
      }
      buffer.removeFirst(position)
      (searched, position) = (buffer.count, 0)
      // A line that is longer than the buffer doubles it.
      let count = min(max(1 << 16, buffer.count), file.size - offset)
      try Interrupt.check()
      try Memory.checkBuffer(bytes: 2 * (buffer.count + count), for: "JSON")
      buffer.append(contentsOf: repeatElement(0, count: count))
      try buffer.withUnsafeMutableBytes {
        guard let start = $0.baseAddress else { return }
        try file.read(offset..<offset + count, into: start + searched)
      }
      offset += count
      if offset == file.size { self.file = nil }
    }
  }

  private func newline(from start: Int) -> Int? {
    buffer.withUnsafeBytes { bytes in
      guard start < bytes.count, let base = bytes.baseAddress,
        let found = memchr(base + start, 10, bytes.count - start)
      else { return nil }
      return UnsafeRawPointer(found) - base
    }
  }

  private func isBlank(_ text: UnsafeRawBufferPointer) -> Bool {
    let skip = line == 1 && text.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
    return text[skip...].allSatisfy { $0 == 32 || $0 == 9 || $0 == 13 }
  }

  private func parse(_ text: UnsafeRawBufferPointer) throws -> JSON {
    var parser = JSONParser(text, deepest: deepest)
    do { return try parser.document() } catch let error as JSONError {
      let column = parser.place().column
      throw FileError(path, "line \(line), column \(column): not valid JSON: \(error)")
    }
  }
}
