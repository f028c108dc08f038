import Kernels
import TestSupport
import Testing

@testable import Tensors

/// Shapes of attention that take different paths through its tiles.
struct AttentionCase: Sendable, CustomStringConvertible {
  let shape: AttentionShape
  let lengths: [Int]

  init(_ heads: Int, _ keyValueHeads: Int, _ size: Int, window: Int = .max, _ lengths: [Int]) {
    shape = AttentionShape(
      heads: heads, keyValueHeads: keyValueHeads, size: size, window: window)
    self.lengths = lengths
  }

  var description: String {
    "\(shape.heads) on \(shape.keyValueHeads) heads of \(shape.size), "
      + "window \(shape.window), \(lengths)"
  }

  func inputs() throws -> (q: Tensor, k: Tensor, v: Tensor) {
    var stream = RandomStream(seed: 5)
    let tokens = lengths.reduce(0, +)
    return try (
      Tensor.randn([tokens, shape.heads * shape.size], from: &stream),
      Tensor.randn([tokens, shape.stride], from: &stream),
      Tensor.randn([tokens, shape.stride], from: &stream)
    )
  }
}

private let cases: [AttentionCase] = [
  // Groups of 1, 2, 3 and 7; widths of one to five vectors and of none; more queries than a block
  // has.
  AttentionCase(2, 2, 16, [70, 1, 33]),
  AttentionCase(4, 2, 64, [131, 5]),
  AttentionCase(3, 1, 20, [40, 64]),
  AttentionCase(14, 2, 48, [37]),
  AttentionCase(2, 1, 80, [66]),
  // Windows of less than a tile, of a tile's size and beyond; several blocks of keys left out.
  AttentionCase(2, 1, 32, window: 1, [21]),
  AttentionCase(3, 1, 16, window: 3, [50, 2]),
  AttentionCase(4, 2, 16, window: 17, [90]),
  AttentionCase(1, 1, 64, window: 40, [140]),
]

/// The kernels of attention against their formulas, and against themselves where the bits have to
/// agree.
@Suite(.serialized) struct AttentionTests {
  @Test(arguments: cases) func equalsItsFormula(_ example: AttentionCase) throws {
    let (q, k, v) = try example.inputs()
    for input in [q, k, v] { try input.setRequiresGradient(true) }
    let out = try Tensor.attention(
      q, k, v, batch: RaggedBatch(lengths: example.lengths), shape: example.shape)
    var stream = RandomStream(seed: 6)
    let seed = try Tensor.randn(out.shape, from: &stream)
    try out.backward(seed: seed)
    let slow = SlowAttention(example, q.values, k.values, v.values, seed.values)
    let fast = try [out] + [q, k, v].map { try #require($0.gradient) }
    for (ours, theirs) in zip(fast, [slow.out, slow.dq, slow.dk, slow.dv]) {
      let scale = theirs.reduce(1) { max($0, abs($1)) }
      let difference = zip(ours.values, theirs).map { abs(Double($0) - $1) }.max() ?? .nan
      #expect(difference < 3e-6 * scale)
    }
  }

  /// New tokens in pieces, over segments that are cut anywhere, give the bits of the whole
  /// sequence.
  ///
  /// Segments of bfloat16 give those of the whole sequence with rounded keys and values.
  @Test(arguments: cases, [ScalarType.float32, .bfloat16])
  func bitsDoNotDependOnTheCut(_ example: AttentionCase, _ type: ScalarType) throws {
    let (q, k, v) = try example.inputs()
    let shape = example.shape
    let count = example.lengths[0]
    let whole = try attention(q, k.rounded(to: type), v.rounded(to: type), 0..<count, shape)
    var stream = RandomStream(seed: 7)
    for steps in [[1], [count], [3, 1, 30], [17, 2]] {
      var segments = Segments(shape, type)
      var (past, step) = (0, 0)
      while past < count {
        let length = min(count - past, steps[step % steps.count])
        step += 1
        for row in past..<past + length {
          if row > 0, stream.next() % 13 == 0 { segments.begin() }
          segments.append(k.pointer + row * shape.stride, v.pointer + row * shape.stride)
        }
        let new = try Tensor.attention(
          q.narrow(dim: 0, start: past, length: length),
          batch: RaggedBatch(lengths: [length], past: [past]), shape: shape,
          segments: segments.all, bounds: [0, segments.all.count])
        let expected = try whole.narrow(dim: 0, start: past, length: length)
        #expect(new.values.map(\.bitPattern) == expected.values.map(\.bitPattern))
        past += length
      }
    }
  }

  @Test(arguments: cases) func bitsDoNotDependOnBatchOrThreads(_ example: AttentionCase) throws {
    let before = Team.shared
    defer { Team.shared = before }
    let together = try gradients(example, [0..<example.lengths.reduce(0, +)], example.lengths)
    Team.shared = Team(threads: 3)
    let threads = try gradients(example, [0..<example.lengths.reduce(0, +)], example.lengths)
    #expect(together == threads)
    var starts = [0]
    for length in example.lengths { starts.append(starts[starts.count - 1] + length) }
    let alone = try gradients(
      example, zip(starts, example.lengths).map { $0..<$0 + $1 }, nil)
    #expect(together == alone)
  }

  @Test(arguments: [(1, 16), (16, 16), (37, 20), (50, 64), (3, 5)])
  func keysAreStoredAcross(_ count: Int, _ size: Int) throws {
    var stream = RandomStream(seed: 8)
    let keys = try Tensor.randn([count, size + 3], from: &stream)
    let blocks = Storage(zeros: keyBlocksCount(count, size: size))
    // What the places behind the last key held before does not stay.
    for i in 0..<blocks.count { blocks.pointer[i] = .nan }
    storeKeys(keys.pointer, stride: size + 3, count: count, size: size, into: blocks.pointer)
    for i in 0..<blocks.count {
      let (row, d) = (i / (16 * size) * 16 + i % 16, i / 16 % size)
      #expect(blocks.pointer[i] == (row < count ? keys.pointer[row * (size + 3) + d] : 0))
    }
  }

  private func attention(
    _ q: Tensor, _ k: Tensor, _ v: Tensor, _ rows: Range<Int>, _ shape: AttentionShape
  ) throws -> Tensor {
    let parts = try [q, k, v].map {
      try $0.narrow(dim: 0, start: rows.lowerBound, length: rows.count)
    }
    return try .attention(
      parts[0], parts[1], parts[2], batch: RaggedBatch(lengths: [rows.count]), shape: shape)
  }

  /// Bits of the outputs and of all gradients, where each of the ranges is a batch of its own.
  private func gradients(_ example: AttentionCase, _ ranges: [Range<Int>], _ lengths: [Int]?)
    throws -> [[UInt32]]
  {
    let (q, k, v) = try example.inputs()
    for input in [q, k, v] { try input.setRequiresGradient(true) }
    var outputs: [UInt32] = []
    for rows in ranges {
      let parts = try [q, k, v].map {
        try $0.narrow(dim: 0, start: rows.lowerBound, length: rows.count)
      }
      let out = try Tensor.attention(
        parts[0], parts[1], parts[2], batch: RaggedBatch(lengths: lengths ?? [rows.count]),
        shape: example.shape)
      outputs += out.values.map(\.bitPattern)
      try out.backward(seed: parts[0].detached())
    }
    return try [outputs]
      + [q, k, v].map { try #require($0.gradient).values.map(\.bitPattern) }
  }
}

/// Attention and its gradients by `Reference`, head by head and sequence by sequence.
private struct SlowAttention {
  private(set) var out, dq, dk, dv: [Double]

  init(_ example: AttentionCase, _ q: [Float], _ k: [Float], _ v: [Float], _ seed: [Float]) {
    let shape = example.shape
    (out, dq) = ([Double](repeating: 0, count: q.count), [Double](repeating: 0, count: q.count))
    (dk, dv) = ([Double](repeating: 0, count: k.count), [Double](repeating: 0, count: k.count))
    let scale = Double(shape.scale)
    var start = 0
    for length in example.lengths {
      for head in 0..<shape.heads {
        // Where the rows of this head begin.
        let queries = (start..<start + length).map { ($0 * shape.heads + head) * shape.size }
        let keys = (start..<start + length).map {
          ($0 * shape.keyValueHeads + head / shape.group) * shape.size
        }
        func rows(_ values: [Float], _ places: [Int]) -> Reference.Matrix {
          places.map { values[$0..<$0 + shape.size].map { Double($0) } }
        }
        func add(_ rows: Reference.Matrix, to values: inout [Double], _ places: [Int]) {
          for (place, row) in zip(places, rows) {
            for (d, value) in row.enumerated() { values[place + d] += value }
          }
        }
        let (q, k, v) = (rows(q, queries), rows(k, keys), rows(v, keys))
        add(
          Reference.attention(q, k, v, scale: scale, window: shape.window), to: &out, queries)
        let gradients = Reference.attentionGradient(
          q, k, v, dout: rows(seed, queries), scale: scale, window: shape.window)
        add(gradients.dq, to: &dq, queries)
        add(gradients.dk, to: &dk, keys)
        add(gradients.dv, to: &dv, keys)
      }
      start += length
    }
  }
}
