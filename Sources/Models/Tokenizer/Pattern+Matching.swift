// The backtracking machine of `Pattern`.

extension Pattern {
  /// A place to go back to. With `low` not negative, every position from there up to `position` is
  /// one: a greedy repetition gives back one character at a time without a frame for each.
  private struct Frame {
    let instruction: Int
    var position: Int
    let low: Int
  }

  /// Calls `body` with the range of each match, from left to right; an empty match directly behind
  /// another match is left out.
  func forEachMatch(in text: UTF8Bytes, _ body: (Range<Int>) -> Void) {
    var stack: [Frame] = []
    var (position, last) = (0, -1)
    program.withUnsafeBufferPointer { program in
      while position <= text.count {
        let end = run(program, 0, position, text, &stack) ?? -1
        if end > position || end == position && end != last {
          body(position..<end)
          last = end
        }
        if end > position {
          position = end
        } else {
          position += position < text.count ? UTF8Bytes.scalarLength(text[position]) : 1
        }
      }
    }
  }

  private func run(
    _ program: UnsafeBufferPointer<Instruction>, _ start: Int, _ at: Int, _ text: UTF8Bytes,
    _ stack: inout [Frame]
  ) -> Int? {
    let base = stack.count
    defer { stack.removeSubrange(base...) }
    var (instruction, position) = (start, at)
    while true {
      var matches = true
      switch program[instruction] {
      case .accept: return position
      case .set(let set):
        let length = advance(sets[set], text, position)
        matches = length > 0
        position += length
      case .repeatSet(let set, let min, let max, let isPossessive):
        matches = repeatSet(sets[set], min, max, text, &position) { low, high in
          if isPossessive || low == high { return }
          stack.append(Frame(instruction: instruction + 1, position: high, low: low))
        }
      case .split(let other):
        stack.append(Frame(instruction: other, position: position, low: -1))
      case .splitLazy(let other):
        stack.append(Frame(instruction: instruction + 1, position: position, low: -1))
        instruction = other - 1
      case .jump(let target): instruction = target - 1
      case .look(let end, let isNegative):
        let found = run(program, instruction + 1, position, text, &stack) != nil
        matches = found != isNegative
        instruction = end - 1
      case .atomic(let end):
        let found = run(program, instruction + 1, position, text, &stack)
        matches = found != nil
        position = found ?? position
        instruction = end - 1
      case .anchor(let anchor): matches = holds(anchor, text, position)
      }
      if matches {
        instruction += 1
      } else {
        guard stack.count > base else { return nil }
        (instruction, position) = Self.goBack(&stack, text)
      }
    }
  }

  @inline(__always)
  private static func goBack(_ stack: inout [Frame], _ text: UTF8Bytes) -> (Int, Int) {
    let top = stack.count - 1
    let frame = stack[top]
    guard frame.low >= 0 else {
      stack.removeLast()
      return (frame.instruction, frame.position)
    }
    let position = text.before(frame.position)
    if position <= frame.low { stack.removeLast() } else { stack[top].position = position }
    return (frame.instruction, position)
  }

  /// Length of the character at a position when it is in the set, else 0.
  @inline(__always)
  private func advance(_ set: borrowing ScalarSet, _ text: UTF8Bytes, _ position: Int) -> Int {
    guard position < text.count else { return 0 }
    let byte = text[position]
    if byte < 128 { return set.containsASCII(byte) ? 1 : 0 }
    let (scalar, length) = text.scalar(at: position)
    return set.contains(scalar) ? length : 0
  }

  /// Passes as many characters of the set as there are; `keep` gets the range of positions that
  /// satisfy the minimum.
  @inline(__always)
  private func repeatSet(
    _ set: borrowing ScalarSet, _ min: Int, _ max: Int, _ text: UTF8Bytes, _ position: inout Int,
    _ keep: (_ low: Int, _ high: Int) -> Void
  ) -> Bool {
    var count = 0
    var low = position
    while count < max {
      let length = advance(set, text, position)
      if length == 0 { break }
      position += length
      count += 1
      if count == min { low = position }
    }
    guard count >= min else { return false }
    keep(low, position)
    return true
  }

  private func holds(_ anchor: PatternNode.Anchor, _ text: UTF8Bytes, _ position: Int) -> Bool {
    switch anchor {
    case .textStart: return position == 0
    case .textEnd: return position == text.count
    case .lineStart: return position == 0 || text[position - 1] == 10
    case .lineEnd: return position == text.count || text[position] == 10
    case .lastLineEnd:
      return position == text.count || position == text.count - 1 && text[position] == 10
    case .wordEdge, .noWordEdge:
      let before = position > 0 && text.scalar(at: text.before(position)).value.isWord
      let after = position < text.count && text.scalar(at: position).value.isWord
      return (before != after) == (anchor == .wordEdge)
    }
  }
}
