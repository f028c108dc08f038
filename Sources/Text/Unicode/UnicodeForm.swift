// The standard library's own normalization: Foundation's would add 18 ms to every start of the
// program. It has no compatibility forms; those are its canonical forms after the mappings of
// `UnicodeCompatibility`.
import Core

@_spi(_Unicode) import Swift

/// A normalization form of Unicode, in the version that the `tokenizers` library has.
///
/// Characters newer than Unicode 9 are unknown to it: nothing composes or reorders across them.
enum UnicodeForm: String, Sendable {
  case composed = "NFC"
  case decomposed = "NFD"
  case compatibilityComposed = "NFKC"
  case compatibilityDecomposed = "NFKD"

  private var isCompatibility: Bool {
    self == .compatibilityComposed || self == .compatibilityDecomposed
  }

  /// The text in this form.
  func apply(_ text: [UInt8]) throws -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(text.count)
    var position = 0
    try text.withUnsafeBufferPointer { text in
      while position < text.count {
        var end = position
        while end < text.count, text[end] < 0x80 { end += 1 }
        // The last ASCII character may compose with what follows.
        let first = end == text.count ? end : max(position, end - 1)
        result += text[position..<first]
        while end < text.count, text[end] >= 0x80 { end += 1 }
        if first < end { try append(UTF8Bytes(rebasing: text[first..<end]), to: &result) }
        position = end
      }
    }
    return result
  }

  /// Appends a text in this form, the parts between unknown characters one by one.
  private func append(_ text: UTF8Bytes, to result: inout [UInt8]) throws {
    // Below U+0300 nothing composes.
    if self == .composed, text.allSatisfy({ $0 < 0xCC }) {
      result += text
      return
    }
    var known: [UInt8] = []
    try text.forEachScalar { range, scalar in
      if scalar.value >= 0x300, !scalar.isIn(unicode: 9) {
        try append(known: known, to: &result)
        known.removeAll(keepingCapacity: true)
        result += text[range]
      } else if isCompatibility, let mapped = UnicodeCompatibility.mappings[scalar] {
        known += String(mapped).utf8
      } else {
        known += text[range]
      }
    }
    try append(known: known, to: &result)
  }

  private func append(known: [UInt8], to result: inout [UInt8]) throws {
    if known.isEmpty { return }
    let text = String(decoding: try CanonicalOrder.apply(known), as: UTF8.self)
    switch self {
    case .composed, .compatibilityComposed: try Self.append(text._nfc, to: &result)
    case .decomposed, .compatibilityDecomposed: try Self.append(text._nfd, to: &result)
    }
  }

  private static func append(_ scalars: some Sequence<Unicode.Scalar>, to result: inout [UInt8])
    throws
  {
    var pause = result.count + Interrupt.interval
    for scalar in scalars {
      if result.count >= pause {
        try Interrupt.check()
        pause = result.count + Interrupt.interval
      }
      if let bytes = UTF8.encode(scalar) { result.append(contentsOf: bytes) }
    }
  }
}

@_spi(_Unicode) import Swift

/// Long runs of combining marks, brought into canonical order (Unicode 3.11, D109).
///
/// The standard library sorts them by insertion, which is quadratic unless they are already in
/// order. It also treats three characters composed of marks, such as U+0F73, as the end of a run.
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

  /// Whether a character decomposes only to marks that may be reordered.
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
