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

  /// The rows as text, one a line, keys sorted.
  public static func text(_ rows: [JSON]) throws -> String {
    try rows.map { try $0.text() + "\n" }.joined()
  }
}

/// Reads a file with one JSON value a line, a line at a time.
public final class JSONLinesReader {
  /// The number of the line that was read last, from 1.
  public private(set) var line = 0
  private let path: String
  private let deepest: Int
  private let file: MappedFile
  private var position = 0

  /// Opens a file; throws when there is none.
  public init(_ path: String, deepest: Int = 512) throws {
    (self.path, self.deepest) = (path, deepest)
    file = try MappedFile(path)
  }

  /// The value of the next line that is not blank, nil at the end of the file.
  ///
  /// A byte order mark and CR LF are accepted. The error names file, line and reason.
  public func next() throws -> JSON? {
    try file.withBytes { bytes in
      while position < bytes.count {
        line += 1
        let end = bytes[position...].firstIndex(of: 10) ?? bytes.count
        let text = UnsafeRawBufferPointer(rebasing: bytes[position..<end])
        position = min(end + 1, bytes.count)
        if !isBlank(text) { return try parse(text) }
      }
      return nil
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
