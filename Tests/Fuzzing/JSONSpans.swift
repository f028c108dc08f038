// Where the values, keys and members of a text of JSON are, sound or not: what a mutator cuts out
// and puts elsewhere. A scanner and not the reader under test, because most inputs are damaged
// already.

/// Ranges of bytes in a text of JSON.
struct JSONSpans {
  /// Values of all kinds, the inner ones before those around them.
  private(set) var values: [Range<Int>] = []
  /// Keys with their quotes.
  private(set) var keys: [Range<Int>] = []
  /// Keys with their values.
  private(set) var members: [Range<Int>] = []
  private var opened: [Int] = []
  private var pending: [Int?] = [nil]

  /// Scans bytes from a position on.
  init(_ bytes: [UInt8], from start: Int = 0) {
    var position = start
    while position < bytes.count {
      switch bytes[position] {
      case UInt8(ascii: "\""): position = string(bytes, position)
      case UInt8(ascii: "{"), UInt8(ascii: "["):
        opened.append(position)
        pending.append(nil)
        position += 1
      case UInt8(ascii: "}"), UInt8(ascii: "]"):
        position += 1
        if let begin = opened.popLast() {
          pending.removeLast()
          add(begin..<position)
        }
      case let byte where Self.isWord(byte):
        let end = bytes[position...].firstIndex { !Self.isWord($0) } ?? bytes.count
        add(position..<end)
        position = end
      default: position += 1
      }
    }
  }

  private static func isWord(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x2B, 0x2D, 0x2E, 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
    default: false
    }
  }

  private mutating func string(_ bytes: [UInt8], _ start: Int) -> Int {
    var end = start + 1
    while end < bytes.count, bytes[end] != UInt8(ascii: "\"") {
      end += bytes[end] == UInt8(ascii: "\\") ? 2 : 1
    }
    end = min(end + 1, bytes.count)
    let next = bytes[end...].first { $0 > 0x20 }
    if next == UInt8(ascii: ":") {
      keys.append(start..<end)
      pending[pending.count - 1] = start
    } else {
      add(start..<end)
    }
    return end
  }

  private mutating func add(_ value: Range<Int>) {
    values.append(value)
    if let key = pending[pending.count - 1] {
      members.append(key..<value.upperBound)
      pending[pending.count - 1] = nil
    }
  }
}
