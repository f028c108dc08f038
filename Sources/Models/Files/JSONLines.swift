/// Files with one JSON value a line.
public enum JSONLines {
  /// Reads every line; blank lines are skipped, a byte order mark and CR LF are accepted.
  ///
  /// The error names file, line and reason.
  public static func read(_ path: String) throws -> [JSON] {
    let file = try MappedFile(path)
    var rows: [JSON] = []
    var line = 0
    var rest = file.bytes[...]
    while !rest.isEmpty {
      line += 1
      let end = rest.firstIndex(of: 10) ?? rest.endIndex
      let text = UnsafeRawBufferPointer(rebasing: rest[rest.startIndex..<end])
      if !isBlank(text, first: line == 1) {
        rows.append(try parse(text, file: path, line: line))
      }
      rest = rest[min(end + 1, rest.endIndex)...]
    }
    return rows
  }

  /// The rows as text, one a line, keys sorted.
  public static func text(_ rows: [JSON]) throws -> String {
    try rows.map { try $0.text() + "\n" }.joined()
  }

  private static func isBlank(_ line: UnsafeRawBufferPointer, first: Bool) -> Bool {
    let skip = first && line.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
    return line[skip...].allSatisfy { $0 == 32 || $0 == 9 || $0 == 13 }
  }

  private static func parse(
    _ text: UnsafeRawBufferPointer, file: String, line: Int
  ) throws -> JSON {
    var parser = JSONParser(text)
    do { return try parser.document() } catch let error as JSONError {
      let column = parser.place().column
      throw FileError(file, "line \(line), column \(column): not valid JSON: \(error)")
    }
  }
}
