// Damages inputs: by bytes, and by the parts of a text of JSON. The same seed gives the same
// inputs.

/// A source of damaged copies.
public struct Mutator {
  private var state: UInt64
  /// Inputs do not grow beyond this.
  private let limit: Int

  /// The values that have broken readers: bounds of integers and floats, wrong kinds, damaged text.
  static let words: [[UInt8]] = [
    "0", "-1", "1", "0.5", "-0", "1e999", "1e-999", "1e308", "NaN", "Infinity", "2147483648",
    "4294967296", "9007199254740993", "9223372036854775807", "-9223372036854775808",
    "9223372036854775808", "18446744073709551615", "16777216", "1048576", "4194304", "2048.0",
    "null", "true", "false", "\"\"", "[]", "{}", "[[]]", "{\"\":0}", "[0,0]", "\"\\ud800\"",
    "\"\\ud83d\\ude00\"", "\"\\u0000\"", "\"a\\u0301\"", "\"\u{FB01}\u{1F469}\u{200D}\u{1F467}\"",
    "\"/\"", "\"..\"", "\" \"", "[[", "}", "\"", "\\", ",", ":", "\u{0}", "\u{FEFF}", "\n", "\r\n",
    "{{", "}}", "{%", "%}", "range(99999999)", "* 99999999", "[::-1]", "**", "|", "(", ")", "{999}",
    "*", "+?", "(?=",
    "\\p{L}", "[^",
  ].map { Array($0.utf8) }

  /// Begins a series of inputs of at most `limit` bytes.
  public init(seed: UInt64, limit: Int = 1 << 14) {
    (state, self.limit) = (seed, limit)
  }

  /// SplitMix64 (Steele et al. 2014), reduced to 0..<bound.
  mutating func below(_ bound: Int) -> Int {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = (state ^ state >> 30) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
    return Int((z ^ z >> 31) >> 1) % max(1, bound)
  }

  /// A copy with one thing wrong, or up to four.
  public mutating func mutate(_ input: [UInt8]) -> [UInt8] {
    var bytes = input
    for _ in 0...(below(2) * below(4)) {
      if below(3) == 0 { damageBytes(&bytes) } else { damageJSON(&bytes) }
      if bytes.count > limit { bytes.removeSubrange(limit...) }
      if bytes.isEmpty { bytes = [0x20] }
    }
    if below(4) > 0 { fixHeaderLength(&bytes) }
    return bytes
  }

  private mutating func damageBytes(_ bytes: inout [UInt8]) {
    let start = below(bytes.count)
    let end = min(bytes.count, start + below(12))
    switch below(8) {
    case 0: bytes[start] = UInt8(below(256))
    case 1: bytes[start] ^= 1 << UInt8(below(8))
    case 2: bytes.removeSubrange(start..<end)
    case 3: bytes.insert(contentsOf: word(), at: start)
    case 4: bytes.replaceSubrange(start..<end, with: word())
    case 5: bytes.insert(contentsOf: bytes[start..<end], at: below(bytes.count))
    case 6: bytes.removeSubrange(start...)
    default: bytes.insert(contentsOf: repeated(Array(bytes[start..<end])), at: start)
    }
  }

  private mutating func damageJSON(_ bytes: inout [UInt8]) {
    let spans = JSONSpans(bytes)
    guard let value = pick(spans.values) else { return damageBytes(&bytes) }
    switch below(9) {
    case 0, 1, 2: bytes.replaceSubrange(value, with: word())
    case 3: bytes.replaceSubrange(value, with: bytes[pick(spans.values) ?? value])
    case 4: nest(&bytes, value)
    case 5: replaceNumber(&bytes, spans)
    case 6:
      guard let key = pick(spans.keys), let other = pick(spans.keys) else { return }
      bytes.replaceSubrange(key, with: bytes[other])
    case 7:
      guard let member = pick(spans.members), let other = pick(spans.members) else { return }
      bytes.insert(contentsOf: bytes[member] + [0x2C], at: other.lowerBound)
    default: growOrRemove(&bytes, spans, value)
    }
  }

  /// Removes a member, or repeats a list's element or a string's characters many times.
  private mutating func growOrRemove(
    _ bytes: inout [UInt8], _ spans: JSONSpans, _ value: Range<Int>
  ) {
    if below(2) == 0, let member = pick(spans.members) {
      let hasComma = member.upperBound < bytes.count && bytes[member.upperBound] == 0x2C
      bytes.removeSubrange(member.lowerBound..<member.upperBound + (hasComma ? 1 : 0))
    } else if bytes[value.lowerBound] == UInt8(ascii: "\""), value.count > 2 {
      let part = value.lowerBound + 1 + below(value.count - 2)
      let end = min(value.upperBound - 1, part + 1 + below(4))
      bytes.insert(contentsOf: repeated(Array(bytes[part..<end])), at: part)
    } else {
      bytes.insert(contentsOf: repeated(bytes[value] + [0x2C]), at: value.lowerBound)
    }
  }

  private mutating func nest(_ bytes: inout [UInt8], _ value: Range<Int>) {
    let depth = [1, 2, 20, 510, 520, 2000][below(6)]
    let (open, close) = below(2) == 0 ? ("[", "]") : ("{\"a\":", "}")
    let inner = bytes[value]
    let start = Array(String(repeating: open, count: depth).utf8)
    let end = Array(String(repeating: close, count: depth).utf8)
    bytes.replaceSubrange(value, with: start + inner + end)
  }

  private mutating func replaceNumber(_ bytes: inout [UInt8], _ spans: JSONSpans) {
    let numbers = spans.values.filter { (48...57).contains(bytes[$0.lowerBound]) }
    guard let number = pick(numbers) else { return }
    let old = Int(String(decoding: bytes[number], as: UTF8.self)) ?? 0
    let near = [old &+ 1, old &- 1, old &* 2, old &* 1024, 0 &- old, below(1 << 16)]
    let text = below(2) == 0 ? Array(String(near[below(near.count)]).utf8) : word()
    bytes.replaceSubrange(number, with: text)
  }

  /// A safetensors file whose header has another length now gets that length, or hardly one in a
  /// thousand would be read.
  private func fixHeaderLength(_ bytes: inout [UInt8]) {
    guard bytes.count > 9, bytes[8] == UInt8(ascii: "{"), bytes[3...7].allSatisfy({ $0 == 0 }),
      let end = JSONSpans(Array(bytes[8...])).values.first(where: { $0.lowerBound == 0 })?
        .upperBound
    else { return }
    for place in 0..<8 { bytes[place] = UInt8(truncatingIfNeeded: end >> (8 * place)) }
  }

  private mutating func word() -> [UInt8] { Self.words[below(Self.words.count)] }

  private mutating func pick<Element>(_ list: [Element]) -> Element? {
    list.isEmpty ? nil : list[below(list.count)]
  }

  private mutating func repeated(_ part: [UInt8]) -> [UInt8] {
    let times = [2, 3, 10, 100, 1000][below(5)]
    guard !part.isEmpty, part.count * times <= limit else { return part }
    return Array([[UInt8]](repeating: part, count: times).joined())
  }
}
