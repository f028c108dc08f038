import CPrefetch

/// Tells the processor that `rows` rows of `count` floats, `stride` floats apart, will be read
/// soon.
///
/// The addresses need not exist.
@inline(__always)
func prefetch(_ x: UnsafePointer<Float>, rows: Int, stride: Int, _ count: Int) {
  for row in 0..<rows {
    for i in Swift.stride(from: 0, to: count, by: 16) { CPrefetch.prefetch(x + row * stride + i) }
  }
}
