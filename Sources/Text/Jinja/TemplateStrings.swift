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
