// Python's functions on text, in code points.

/// Python's `strip`, on the left, the right or both; without characters it takes white space.
func stripped(_ text: String, _ characters: String?, left: Bool = true, right: Bool = true)
  -> String
{
  let set = characters.map { Set($0.unicodeScalars) }
  let goes = { (scalar: Unicode.Scalar) in set?.contains(scalar) ?? scalar.isPythonSpace }
  var rest = text.unicodeScalars[...]
  if left { rest = rest.drop(while: goes) }
  if right { while let last = rest.last, goes(last) { rest.removeLast() } }
  return String(rest)
}

/// Python's `split` and `rsplit` at a separator, or at white space.
func parts(_ text: String, _ separator: String?, atMost limit: Int, fromRight: Bool) -> [String] {
  let limit = limit < 0 ? Int.max : limit
  guard let separator else { return words(text, atMost: limit, fromRight: fromRight) }
  let bytes = Array(text.utf8)
  var cuts: [Range<Int>]
  if fromRight, limit < Int.max {
    let part = Array(separator.utf8)
    let reversed = Array(bytes.reversed()).ranges(of: part.reversed(), atMost: limit)
    cuts = reversed.map { bytes.count - $0.upperBound..<bytes.count - $0.lowerBound }.reversed()
  } else {
    cuts = bytes.ranges(of: Array(separator.utf8), atMost: limit)
  }
  var start = 0
  var result: [String] = []
  for cut in cuts {
    result.append(String(decoding: bytes[start..<cut.lowerBound], as: UTF8.self))
    start = cut.upperBound
  }
  return result + [String(decoding: bytes[start...], as: UTF8.self)]
}

private func words(_ text: String, atMost limit: Int, fromRight: Bool) -> [String] {
  var scalars = Array(text.unicodeScalars)
  if fromRight { scalars.reverse() }
  var result: [[Unicode.Scalar]] = []
  var position = 0
  while true {
    while position < scalars.count, scalars[position].isPythonSpace { position += 1 }
    guard position < scalars.count else { break }
    let start = position
    if result.count == limit {
      result.append(Array(scalars[start...]))
      break
    }
    while position < scalars.count, !scalars[position].isPythonSpace { position += 1 }
    result.append(Array(scalars[start..<position]))
  }
  let texts = (fromRight ? result.reversed().map { $0.reversed() } : result)
  return texts.map { word in
    var view = String.UnicodeScalarView()
    view.append(contentsOf: word)
    return String(view)
  }
}

/// Python's `replace`; an empty text is found between all characters.
func replacing(
  _ old: String, with new: String, in text: String, atMost limit: Int, _ run: TemplateRun
) throws -> String {
  let limit = limit < 0 ? Int.max : limit
  if old.isEmpty {
    let scalars = text.unicodeScalars.map { String($0) }
    let gaps = min(limit, scalars.count + 1)
    try run.charge(bytes: text.utf8.count)
    try run.charge(bytes: gaps.multipliedReportingOverflow(by: new.utf8.count).partialValue)
    var result = ""
    for (position, scalar) in scalars.enumerated() {
      if position < gaps { result += new }
      result += scalar
    }
    return gaps > scalars.count ? result + new : result
  }
  return try parts(text, old, atMost: limit, fromRight: false).joined(run, separator: new)
}

/// Python's `splitlines`.
func lines(_ text: String, keepEnds: Bool) -> [String] {
  var result: [String] = []
  var line = String.UnicodeScalarView()
  let scalars = Array(text.unicodeScalars)
  var position = 0
  while position < scalars.count {
    let scalar = scalars[position]
    position += 1
    guard [10, 11, 12, 13, 28, 29, 30, 0x85, 0x2028, 0x2029].contains(scalar.value) else {
      line.append(scalar)
      continue
    }
    if keepEnds { line.append(scalar) }
    if scalar == "\r", position < scalars.count, scalars[position] == "\n" {
      if keepEnds { line.append("\n") }
      position += 1
    }
    result.append(String(line))
    line = String.UnicodeScalarView()
  }
  return line.isEmpty ? result : result + [String(line)]
}

/// Python's `capitalize`.
func capitalized(_ text: String) -> String {
  guard let first = text.unicodeScalars.first else { return "" }
  return first.properties.titlecaseMapping
    + String(text.unicodeScalars.dropFirst()).lowercased()
}

/// Words with a large first letter. `str.title` begins a word after any character without case;
/// Jinja's filter after white space and `- ( { [ <`.
func titled(_ text: String, begins: (Unicode.Scalar) -> Bool) -> String {
  var isStart = true
  var result = ""
  for scalar in text.unicodeScalars {
    result += isStart ? scalar.properties.titlecaseMapping : scalar.properties.lowercaseMapping
    isStart = begins(scalar)
  }
  return result
}

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
  var isPythonSpace: Bool { isSpace || (28...31).contains(value) }
}

// Python's questions about a text.

extension String {
  /// Python's `isdigit` and its like.
  func holds(_ name: String) -> Bool {
    if name == "isascii" { return unicodeScalars.allSatisfy(\.isASCII) }
    if name == "isprintable" { return unicodeScalars.allSatisfy(\.isPrintable) }
    guard !isEmpty else { return false }
    switch name {
    case "isspace": return unicodeScalars.allSatisfy(\.isPythonSpace)
    case "isdigit": return unicodeScalars.allSatisfy(\.isDigit)
    case "isdecimal": return unicodeScalars.allSatisfy { $0.properties.numericType == .decimal }
    case "isnumeric": return unicodeScalars.allSatisfy { $0.properties.numericType != nil }
    case "isidentifier":
      return (unicodeScalars.first.map { $0 == "_" || $0.properties.isXIDStart } ?? false)
        && unicodeScalars.allSatisfy(\.properties.isXIDContinue)
    case "istitle": return isTitle
    case "isalpha": return unicodeScalars.allSatisfy(\.isLetter)
    case "isalnum":
      return unicodeScalars.allSatisfy { $0.isLetter || $0.properties.numericType != nil }
    case "isupper":
      return unicodeScalars.contains(where: \.properties.isUppercase)
        && !unicodeScalars.contains(where: \.properties.isLowercase)
    default:
      return unicodeScalars.contains(where: \.properties.isLowercase)
        && !unicodeScalars.contains(where: \.properties.isUppercase)
    }
  }

  /// Whether words begin with a large letter and go on with small ones.
  private var isTitle: Bool {
    var isInWord = false
    var hasWord = false
    for scalar in unicodeScalars {
      let properties = scalar.properties
      if properties.isUppercase || properties.generalCategory == .titlecaseLetter {
        if isInWord { return false }
        (isInWord, hasWord) = (true, true)
      } else if properties.isLowercase {
        if !isInWord { return false }
      } else {
        isInWord = false
      }
    }
    return hasWord
  }
}

extension Unicode.Scalar {
  fileprivate var isDigit: Bool {
    properties.numericType == .decimal || properties.numericType == .digit
  }

  fileprivate var isLetter: Bool {
    switch properties.generalCategory {
    case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter: true
    default: false
    }
  }
}

extension String {
  /// The text a number of times, made by doubling; `String(repeating:count:)` appends one by one.
  func repeated(_ count: Int) -> String {
    let text = Array(utf8)
    guard !text.isEmpty, count > 0 else { return "" }
    let size = text.count * count
    return String(unsafeUninitializedCapacity: size) { buffer in
      let start = UnsafeMutableRawBufferPointer(buffer)
      start.copyBytes(from: text)
      var filled = text.count
      while filled < size {
        let more = Swift.min(filled, size - filled)
        UnsafeMutableRawBufferPointer(rebasing: start[filled..<filled + more])
          .copyMemory(from: UnsafeRawBufferPointer(rebasing: start[..<more]))
        filled += more
      }
      return size
    }
  }
}
