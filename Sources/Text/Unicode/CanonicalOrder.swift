@_spi(_Unicode) import Swift

/// Long runs of combining marks, brought into canonical order (Unicode 3.11, D109).
///
/// The standard library orders them by insertion, which takes a time that is quadratic in their
/// number, but no time where they are in order already. And it takes three characters that are made
/// of marks, such as U+0F73, for the end of a run.
enum CanonicalOrder {
  /// Shorter runs are left to the standard library.
  private static let shortest = 17

  /// The text with decomposed, ordered marks where there are many in a row; canonically the same.
  static func apply(_ text: [UInt8]) throws -> [UInt8] {
    guard text.count > 2 else { return text }
    var result: [UInt8] = []
    var copied = 0
    var run: Range<Int>?
    var count = 0
    var isOdd = false
    try text.withUnsafeBufferPointer { text in
      func end() {
        defer { (run, isOdd) = (nil, false) }
        guard let marks = run, count >= shortest || isOdd else { return }
        result += text[copied..<marks.lowerBound]
        append(text[marks], to: &result)
        copied = marks.upperBound
      }
      try text.forEachScalar { range, scalar in
        guard isMark(scalar) else { return end() }
        count = run == nil ? 1 : count + 1
        isOdd = isOdd || isMadeOfMarks(scalar)
        run = (run?.lowerBound ?? range.lowerBound)..<range.upperBound
      }
      end()
      if copied > 0 { result += text[copied...] }
    }
    return copied > 0 ? result : text
  }

  /// Whether a character, decomposed, is nothing but marks that may change places.
  @inline(__always)
  private static func isMark(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0..<0x300, 0x3400..<0xA000, 0xAC00..<0xD7A4: false
    default:
      scalar.properties.canonicalCombiningClass != .notReordered || isMadeOfMarks(scalar)
    }
  }

  /// Of no class themselves.
  @inline(__always)
  private static func isMadeOfMarks(_ scalar: Unicode.Scalar) -> Bool {
    scalar.value == 0xF73 || scalar.value == 0xF75 || scalar.value == 0xF81
  }

  /// Appends marks by their class; those of one class keep their order.
  private static func append(_ marks: Slice<UTF8Bytes>, to result: inout [UInt8]) {
    var classes = [[UInt8]](repeating: [], count: 256)
    for mark in String(decoding: marks, as: UTF8.self).unicodeScalars {
      for scalar in String(mark)._nfd {
        let number = Int(scalar.properties.canonicalCombiningClass.rawValue)
        if let bytes = UTF8.encode(scalar) { classes[number].append(contentsOf: bytes) }
      }
    }
    for bytes in classes { result += bytes }
  }
}
