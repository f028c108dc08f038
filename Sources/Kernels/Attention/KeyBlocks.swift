// Keys stored transposed, sixteen per vector, so that the scores of sixteen keys need no horizontal
// sums.

/// Keys in one block, whose products with a query fill one vector.
public let keyBlock = 16

/// Floats that the blocks of `count` keys of one head take.
public func keyBlocksCount(_ count: Int, size: Int) -> Int {
  (count + keyBlock - 1) / keyBlock * keyBlock * size
}

/// Writes `count` keys [D] of one head, `stride` floats apart, to the places 0, 1, … of its blocks.
///
/// The places behind the last key in its block are set to zero.
public func storeKeys(
  _ keys: UnsafePointer<Float>, stride: Int, count: Int, size: Int,
  into blocks: UnsafeMutablePointer<Float>
) {
  for first in Swift.stride(from: 0, to: count, by: keyBlock) {
    let block = blocks + first * size
    let rows = min(keyBlock, count - first)
    let source = keys + first * stride
    for d in Swift.stride(from: 0, to: size / 16 * 16, by: 16) {
      Sixteen(at: source + d, stride: stride, rows: rows)
        .shuffled().shuffled().shuffled().shuffled().store(to: block + d * keyBlock)
    }
    for d in size / 16 * 16..<size {
      for row in 0..<keyBlock {
        block[d * keyBlock + row] = row < rows ? source[row * stride + d] : 0
      }
    }
  }
}

/// Sixteen vectors; four shuffles transpose them.
///
/// Element (row, column) has index 16 row + column. A shuffle interleaves the lower and the upper
/// half of the rows, which rotates the eight bits of the index by one: four shuffles exchange rows
/// and columns.
private struct Sixteen {
  var a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p: Vector

  @inline(__always)
  init(at x: UnsafePointer<Float>, stride: Int, rows: Int) {
    @inline(__always) func row(_ index: Int) -> Vector {
      index < rows ? Vector(at: x + index * stride) : .zero
    }
    (a, b, c, d) = (row(0), row(1), row(2), row(3))
    (e, f, g, h) = (row(4), row(5), row(6), row(7))
    (i, j, k, l) = (row(8), row(9), row(10), row(11))
    (m, n, o, p) = (row(12), row(13), row(14), row(15))
  }

  @inline(__always)
  func shuffled() -> Sixteen {
    @inline(__always) func interleaved(_ x: SIMD8<Float>, _ y: SIMD8<Float>) -> Vector {
      var both = Vector.zero
      (both.evenHalf, both.oddHalf) = (x, y)
      return both
    }
    @inline(__always) func low(_ x: Vector, _ y: Vector) -> Vector {
      interleaved(x.lowHalf, y.lowHalf)
    }
    @inline(__always) func high(_ x: Vector, _ y: Vector) -> Vector {
      interleaved(x.highHalf, y.highHalf)
    }
    var y = self
    (y.a, y.b, y.c, y.d) = (low(a, i), high(a, i), low(b, j), high(b, j))
    (y.e, y.f, y.g, y.h) = (low(c, k), high(c, k), low(d, l), high(d, l))
    (y.i, y.j, y.k, y.l) = (low(e, m), high(e, m), low(f, n), high(f, n))
    (y.m, y.n, y.o, y.p) = (low(g, o), high(g, o), low(h, p), high(h, p))
    return y
  }

  @inline(__always)
  func store(to y: UnsafeMutablePointer<Float>) {
    a.store(to: y)
    b.store(to: y + 16)
    c.store(to: y + 32)
    d.store(to: y + 48)
    e.store(to: y + 64)
    f.store(to: y + 80)
    g.store(to: y + 96)
    h.store(to: y + 112)
    i.store(to: y + 128)
    j.store(to: y + 144)
    k.store(to: y + 160)
    l.store(to: y + 176)
    m.store(to: y + 192)
    n.store(to: y + 208)
    o.store(to: y + 224)
    p.store(to: y + 240)
  }
}
