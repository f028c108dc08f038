import CPrefetch

// Operands of a tile of the packed product: rows of packed weights, sums in y, and the weights to
// prefetch.

/// The element type of packed weights.
protocol PackedWeight {
  /// Elements that hold the 32 weights of a row of a panel.
  static var rowSize: Int { get }
  /// The 32 weights of a row of a panel.
  static func row(at pointer: UnsafePointer<Self>) -> (Vector, Vector)
}

extension Float: PackedWeight {
  static var rowSize: Int { panelWidth }

  @inline(__always)
  static func row(at pointer: UnsafePointer<Float>) -> (Vector, Vector) {
    (Vector(at: pointer), Vector(at: pointer + 16))
  }
}

/// Two bfloat16, of columns c (low half) and c + 16: both widen by one instruction.
extension UInt32: PackedWeight {
  static var rowSize: Int { panelWidth / 2 }

  @inline(__always)
  static func row(at pointer: UnsafePointer<UInt32>) -> (Vector, Vector) {
    floats(bfloat16: UnsafeRawPointer(pointer).loadUnaligned(as: SIMD16<UInt32>.self))
  }
}

/// Where the sums of one panel go.
struct Target {
  /// Row 0 at the panel's first column.
  let pointer: UnsafeMutablePointer<Float>
  /// Floats from one row to the next.
  let stride: Int
  /// Columns of the panel that exist: 1 to 32.
  let width: Int
  /// Whether sums start from the values in y.
  let continues: Bool

  /// Initial values of a row's sums.
  @inline(__always)
  func start(_ row: Int) -> (Vector, Vector) {
    guard continues else { return (.zero, .zero) }
    let y = pointer + row * stride
    return width == panelWidth ? (Vector(at: y), Vector(at: y + 16)) : startPart(y)
  }

  @inline(__always)
  func put(_ a: Vector, _ b: Vector, _ row: Int) {
    let y = pointer + row * stride
    guard width == panelWidth else { return putPart(a, b, y) }
    a.store(to: y)
    b.store(to: y + 16)
  }

  @inline(never)
  private func startPart(_ y: UnsafeMutablePointer<Float>) -> (Vector, Vector) {
    guard width > 16 else { return (load(y, width), .zero) }
    return (Vector(at: y), load(y + 16, width - 16))
  }

  @inline(never)
  private func putPart(_ a: Vector, _ b: Vector, _ y: UnsafeMutablePointer<Float>) {
    guard width > 16 else { return putPart(a, y, width) }
    a.store(to: y)
    putPart(b, y + 16, width - 16)
  }

  private func putPart(_ a: Vector, _ y: UnsafeMutablePointer<Float>, _ count: Int) {
    if count == 16 { a.store(to: y) } else { a.store(to: y, count: count) }
  }

  /// The same rows at a later panel, of a block that has `columns` columns from here on.
  @inline(__always)
  func panel(_ index: Int, of columns: Int) -> Target {
    let first = index * panelWidth
    return Target(
      pointer: pointer + first, stride: stride, width: min(panelWidth, columns - first),
      continues: continues)
  }
}

/// The weights that are needed next, which a tile prefetches while it computes: a few bytes per
/// step.
struct Upcoming {
  private(set) var pointer: UnsafeRawPointer
  /// Bytes per step.
  let pace: Int

  /// The weights that the only tile of a panel needs 64 steps later.
  init<W: PackedWeight>(within weights: UnsafePointer<W>) {
    pointer = UnsafeRawPointer(weights + 64 * W.rowSize)
    pace = W.rowSize * MemoryLayout<W>.size
  }

  /// Weights to prefetch, shared by `tiles` tiles.
  init<W: PackedWeight>(_ weights: UnsafePointer<W>, tiles: Int) {
    pointer = UnsafeRawPointer(weights)
    pace = W.rowSize * MemoryLayout<W>.size / min(tiles, 8)
  }

  /// What is left for the next tile after one of `steps` steps.
  mutating func advance(by steps: Int) { pointer += steps * pace }

  /// Prefetches the weights of one step, two cache lines or less.
  @inline(__always)
  static func fetch(_ pointer: UnsafeRawPointer) {
    prefetch(pointer)
    prefetch(pointer + 64)
  }
}
