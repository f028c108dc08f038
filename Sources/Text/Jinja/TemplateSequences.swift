// Python's positions and slices on arrays, and joining of texts.

extension Array {
  /// The place of a Python index, which counts from the end when negative; nil outside.
  func place(_ index: Int) -> Int? {
    let place = index < 0 ? index.addingReportingOverflow(count).partialValue : index
    return indices.contains(place) ? place : nil
  }

  /// Python's slice.
  func slice(_ start: Int?, _ stop: Int?, _ step: Int?, _ run: TemplateRun) throws -> [Element] {
    let (first, end, step) = try sliceBounds(start, stop, step)
    guard step > 0 ? first < end : first > end else { return [] }
    let distance = step > 0 ? end - first : first - end
    let size = (distance - 1) / Int(clamping: step.magnitude) + 1
    try run.charge(elements: size)
    return (0..<size).map { self[first + $0 * step] }
  }

  /// Where a slice begins and ends, and its step: Python's `slice.indices`.
  func sliceBounds(
    _ start: Int?, _ stop: Int?, _ step: Int?
  ) throws -> (first: Int, end: Int, step: Int) {
    let step = step ?? 1
    guard step != 0 else { throw TemplateFault("the step of a slice is 0") }
    let lowest = step > 0 ? 0 : -1
    let highest = step > 0 ? count : count - 1
    func clamped(_ bound: Int?, _ other: Int) -> Int {
      guard let bound else { return other }
      let place = bound < 0 ? bound.addingReportingOverflow(count).partialValue : bound
      return Swift.min(Swift.max(place, lowest), highest)
    }
    let first = clamped(start, step > 0 ? lowest : highest)
    return (first, clamped(stop, step > 0 ? highest : lowest), step)
  }
}

extension [String] {
  /// The texts one after the other, counted.
  func joined(_ run: TemplateRun, separator: String = "") throws -> String {
    let size = reduce(0) { $0 + $1.utf8.count } + count * separator.utf8.count
    try run.charge(bytes: size)
    var result = ""
    result.reserveCapacity(size)
    for (position, text) in enumerated() {
      if position > 0 { result += separator }
      result += text
    }
    return result
  }
}

extension Collection<UInt8> where Index == Int {
  /// Where white space at the end begins, Unicode's included.
  var endWithoutSpace: Int {
    let text = String(decoding: self, as: UTF8.self)
    let space = text.unicodeScalars.reversed().prefix { $0.isPythonSpace }
    return endIndex - space.reduce(0) { $0 + UTF8.width($1) }
  }
}

extension [UInt8] {
  /// Where white space that begins at a position ends, Unicode's included.
  func endOfSpace(from start: Int) -> Int {
    var position = start
    while position < count {
      let width = self[position] < 0x80 ? 1 : self[position] < 0xE0 ? 2 : 3
      guard
        let scalar = String(decoding: self[position...].prefix(width), as: UTF8.self)
          .unicodeScalars.first, scalar.isPythonSpace
      else { break }
      position += width
    }
    return position
  }
}

extension Unicode.Scalar {
  /// Python's `str.isspace`.
  var isPythonSpace: Bool { properties.isWhitespace || (28...31).contains(value) }
}
