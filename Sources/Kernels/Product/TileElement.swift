// Format of the second operand of a small product (see `multiplyTile`): float32, or pairs of
// bfloat16.
//
// As in packed weights, a word holds two bfloat16: of column c (low half) and c + 16, so that
// shifting or masking sixteen words gives two vectors. Columns are padded to a multiple of 32.

/// Memory from which vectors of sixteen columns are loaded as floats.
protocol TileElement {
  /// Cache lines that four vectors take.
  static var cacheLines: Int { get }
  /// Elements that hold sixteen columns.
  static var vectorSize: Int { get }
  /// The vector at `pointer`, the first of a pair.
  static func one(at pointer: UnsafePointer<Self>) -> Vector
  /// The vector at `pointer`, the first of a pair, and the one `step` elements after it.
  static func two(at pointer: UnsafePointer<Self>, _ step: Int) -> (Vector, Vector)
  /// A single column of a row.
  static func column(_ index: Int, of row: UnsafePointer<Self>) -> Float
}

extension TileElement {
  /// The memory at `words` as elements.
  @inline(__always)
  static func at(_ words: UnsafePointer<Float>) -> UnsafePointer<Self> {
    UnsafeRawPointer(words).assumingMemoryBound(to: Self.self)
  }
}

extension Float: TileElement {
  static var cacheLines: Int { 4 }
  static var vectorSize: Int { 16 }

  @inline(__always)
  static func one(at pointer: UnsafePointer<Float>) -> Vector { Vector(at: pointer) }

  @inline(__always)
  static func two(at pointer: UnsafePointer<Float>, _ step: Int) -> (Vector, Vector) {
    (Vector(at: pointer), Vector(at: pointer + step))
  }

  @inline(__always)
  static func column(_ index: Int, of row: UnsafePointer<Float>) -> Float { row[index] }
}

/// Two bfloat16, of columns c (low half) and c + 16.
extension UInt32: TileElement {
  static var cacheLines: Int { 2 }
  static var vectorSize: Int { 8 }

  @inline(__always)
  static func one(at pointer: UnsafePointer<UInt32>) -> Vector { row(at: pointer).0 }

  @inline(__always)
  static func two(at pointer: UnsafePointer<UInt32>, _ step: Int) -> (Vector, Vector) {
    row(at: pointer)
  }

  static func column(_ index: Int, of row: UnsafePointer<UInt32>) -> Float {
    let word = row[index / 32 * 16 + index % 16]
    return float(bfloat16: UInt16(truncatingIfNeeded: index / 16 % 2 == 0 ? word : word >> 16))
  }
}
