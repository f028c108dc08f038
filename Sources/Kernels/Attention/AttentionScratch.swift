/// Scratch memory of attention: for each row its query, its weights over all keys, and its output.
struct AttentionScratch {
  /// [rows, D], scaled.
  let queries: UnsafeMutablePointer<Float>
  /// Outputs [rows, D] before they are divided by the sums of the weights.
  let sums: UnsafeMutablePointer<Float>
  /// One divided by the sum of the weights of each row.
  let inverses: UnsafeMutablePointer<Float>
  /// Scores and then weights by places, `weightStep` floats from row to row.
  let weights: UnsafeMutablePointer<Float>
  let weightStep: Int
  private let size: Int

  /// Rows that see at most `keys` keys, in `count` floats of scratch.
  init(_ scratch: UnsafeMutablePointer<Float>, rows: Int, size: Int, keys: Int) {
    queries = scratch
    sums = queries + rows * size
    inverses = sums + rows * size
    // Blocks of keys are written whole: up to two of them start before the first visible key, and
    // one ends after the last. The former overwrite the 32 floats of padding at the end of the
    // previous row, which only `exponentials` reads, after padding the row it works on.
    weights = inverses + (rows + 15) / 16 * 16 + 32
    weightStep = AttentionScratch.weightStep(keys)
    self.size = size
  }

  private init(_ all: AttentionScratch, from row: Int) {
    queries = all.queries + row * all.size
    sums = all.sums + row * all.size
    inverses = all.inverses + row
    weights = all.weights + row * all.weightStep
    weightStep = all.weightStep
    size = all.size
  }

  /// The same rows from `row` on.
  func rows(from row: Int) -> AttentionScratch { AttentionScratch(self, from: row) }

  private static func weightStep(_ keys: Int) -> Int { (keys + 15) / 16 * 16 + 32 }

  /// Floats of scratch memory for `rows` rows.
  static func count(rows: Int, size: Int, keys: Int) -> Int {
    rows * (2 * size + 1 + weightStep(keys)) + 64
  }
}
