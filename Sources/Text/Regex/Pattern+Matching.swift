// The backtracking machine of `Pattern`.

import Core

extension Pattern {
  /// A backtracking point. If `low` is not negative, every position from there to `position` is
  /// one: a greedy repetition gives back one character at a time without a frame for each.
  ///
  /// With `low` below -1 it instead restores mark `instruction` to `position`.
  private struct Frame {
    let instruction: Int
    var position: Int
    let low: Int
  }

  private struct State {
    var stack: [Frame] = []
    var marks: [Int]
    var budget: PatternBudget
  }

  /// Calls `body` with the range of each match, from left to right; an empty match directly after
  /// another match is skipped.
  ///
  /// Charges the budget for steps and throws if it is exceeded.
  func forEachMatch(
    in text: UTF8Bytes, _ budget: inout PatternBudget, _ body: (Range<Int>) -> Void
  ) throws {
    var state = State(marks: [Int](repeating: -1, count: markCount), budget: budget)
    defer { budget = state.budget }
    var (position, last) = (0, -1)
    try withMachine { machine in
      while position <= text.count {
        let end = try run(machine, 0, position, text, &state) ?? -1
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

  /// Program and sets by pointer: copying a set per character would halve the speed.
  private struct Machine {
    let program: UnsafeBufferPointer<Instruction>
    let sets: UnsafeBufferPointer<ScalarSet>
  }

  private func withMachine(_ body: (Machine) throws -> Void) rethrows {
    try program.withUnsafeBufferPointer { program in
      try sets.withUnsafeBufferPointer { try body(Machine(program: program, sets: $0)) }
    }
  }

  private func run(
    _ machine: Machine, _ start: Int, _ at: Int, _ text: UTF8Bytes,
    _ state: inout State, endingAt end: Int? = nil
  ) throws -> Int? {
    let base = state.stack.count
    defer { state.stack.removeSubrange(base...) }
    var (instruction, position) = (start, at)
    var steps = 0
    while true {
      var matches = true
      steps += 1
      switch machine.program[instruction] {
      case .accept:
        matches = end == nil || position == end
        if matches {
          try state.budget.spend(steps, on: self)
          return position
        }
      case .set(let set):
        let length = advance(machine.sets, set, text, position)
        matches = length > 0
        position += length
      case .repeatSet(let set, let min, let max, let isPossessive):
        matches = try repeatSet(machine.sets, set, min, max, text, &position) { low, high in
          steps += high - low
          if isPossessive || low == high { return }
          state.stack.append(Frame(instruction: instruction + 1, position: high, low: low))
        }
      case .split(let other):
        state.stack.append(Frame(instruction: other, position: position, low: -1))
      case .splitLazy(let other):
        state.stack.append(Frame(instruction: instruction + 1, position: position, low: -1))
        instruction = other - 1
      case .jump(let target): instruction = target - 1
      case .look(let end, let isNegative):
        let found = try run(machine, instruction + 1, position, text, &state) != nil
        matches = found != isNegative
        instruction = end - 1
      case .lookBehind(let end, let min, let max, let isNegative):
        let body = instruction + 1
        let found = try looksBehind(machine, body, position, text, &state, min, max)
        matches = found != isNegative
        instruction = end - 1
      case .mark(let mark):
        let old = state.marks[mark]
        state.stack.append(Frame(instruction: mark, position: old, low: -2))
        state.marks[mark] = position
      case .leaveIfEmpty(let mark, let exit):
        if state.marks[mark] == position { instruction = exit - 1 }
      case .atomic(let end):
        let found = try run(machine, instruction + 1, position, text, &state)
        matches = found != nil
        position = found ?? position
        instruction = end - 1
      case .anchor(let anchor): matches = holds(anchor, text, position)
      }
      if matches {
        instruction += 1
      } else {
        if steps >= 1024 {
          try state.budget.spend(steps, on: self)
          steps = 0
        }
        guard let place = Self.goBack(&state, base, text) else {
          try state.budget.spend(steps, on: self)
          return nil
        }
        (instruction, position) = place
      }
    }
  }

  /// Pops the last backtracking point above `base`, if any.
  @inline(__always)
  private static func goBack(
    _ state: inout State, _ base: Int, _ text: UTF8Bytes
  ) -> (instruction: Int, position: Int)? {
    while state.stack.count > base {
      let top = state.stack.count - 1
      let frame = state.stack[top]
      if frame.low < 0 {
        state.stack.removeLast()
        if frame.low == -1 { return (frame.instruction, frame.position) }
        state.marks[frame.instruction] = frame.position
        continue
      }
      let position = text.before(frame.position)
      if position <= frame.low {
        state.stack.removeLast()
      } else {
        state.stack[top].position = position
      }
      return (frame.instruction, position)
    }
    return nil
  }

  /// Whether a program matches some text that ends here.
  private func looksBehind(
    _ machine: Machine, _ body: Int, _ position: Int, _ text: UTF8Bytes, _ state: inout State,
    _ min: Int, _ max: Int
  ) throws -> Bool {
    var (start, count) = (position, 0)
    while true {
      if count >= min, try run(machine, body, start, text, &state, endingAt: position) != nil {
        return true
      }
      guard start > 0, count < max else { return false }
      start = text.before(start)
      count += 1
    }
  }

  /// Length of the character at a position when it is in the set, else 0.
  @inline(__always)
  private func advance(
    _ sets: UnsafeBufferPointer<ScalarSet>, _ set: Int, _ text: UTF8Bytes, _ position: Int
  ) -> Int {
    guard position < text.count else { return 0 }
    let byte = text[position]
    if byte < 128 { return sets[set].containsASCII(byte) ? 1 : 0 }
    let (scalar, length) = text.scalar(at: position)
    return sets[set].contains(scalar) ? length : 0
  }

  /// Skips all characters of the set; `keep` receives the range of positions that satisfy the
  /// minimum.
  @inline(__always)
  private func repeatSet(
    _ sets: UnsafeBufferPointer<ScalarSet>, _ set: Int, _ min: Int, _ max: Int, _ text: UTF8Bytes,
    _ position: inout Int, _ keep: (_ low: Int, _ high: Int) -> Void
  ) throws -> Bool {
    var count = 0
    var low = position
    run: while count < max {
      if count > 0 { try Interrupt.check() }
      let pause = Swift.min(max, count + Interrupt.interval)
      while count < pause {
        let length = advance(sets, set, text, position)
        if length == 0 { break run }
        position += length
        count += 1
        if count == min { low = position }
      }
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
