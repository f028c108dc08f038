import Core
import Glibc
import Tensors

// Formats tensors: matrices by rows with aligned columns, four significant digits, large ones
// abbreviated in the middle. Only the elements shown are read.

extension Tensor: CustomStringConvertible {
  /// The elements and a last line with the shape: `[apo.Tensor of size 2x3]`.
  public var description: String {
    let size = shape.map(String.init).joined(separator: "x")
    let label = shape.isEmpty ? "[apo.Tensor scalar]" : "[apo.Tensor of size \(size)]"
    guard count > 0 else { return label }
    let lines =
      switch shape.count {
      case 0: ["  " + NumberFormat([pointer[0]]).text(pointer[0])]
      case 1: vectorLines()
      case 2: matrixLines(at: 0)
      default: sliceLines()
      }
    return (lines + [label]).joined(separator: "\n")
  }

  /// The elements of a vector, in as many lines of 80 characters as they need.
  private func vectorLines() -> [String] {
    let places = shown(count, atMost: 100)
    let format = NumberFormat(places.compactMap { $0.map { pointer[$0] } })
    let words = places.map { $0.map { format.text(pointer[$0]) } ?? "…" }
    let width = (words.map(\.count).max() ?? 0) + 2
    let perLine = max(1, 80 / width)
    return stride(from: 0, to: words.count, by: perLine).map { start in
      words[start..<min(words.count, start + perLine)].map { pad($0, width) }.joined()
    }
  }

  /// The matrix of the last two dimensions that begins at element `start`.
  private func matrixLines(at start: Int) -> [String] {
    let (height, width) = (shape[shape.count - 2], shape[shape.count - 1])
    let rows = shown(height, atMost: 20)
    let columns = shown(width, atMost: 10).map { column -> [String] in
      guard let column else { return rows.map { _ in "…" } }
      let values = rows.map { row in row.map { pointer[start + $0 * width + column] } }
      let format = NumberFormat(values.compactMap(\.self))
      return values.map { $0.map(format.text) ?? "…" }
    }
    let widths = columns.map { ($0.map(\.count).max() ?? 0) + 2 }
    return rows.indices.map { row in
      columns.indices.map { pad(columns[$0][row], widths[$0]) }.joined()
    }
  }

  /// The matrices of a higher-dimensional tensor, each under its position.
  private func sliceLines() -> [String] {
    let size = shape[shape.count - 2] * shape[shape.count - 1]
    return shown(count / size, atMost: 6).flatMap { slice -> [String] in
      guard let slice else { return ["…", ""] }
      var rest = slice
      var place: [String] = []
      for size in shape.dropLast(2).reversed() {
        place.insert(String(rest % size + 1), at: 0)
        rest /= size
      }
      let title = "(" + (place + [".", "."]).joined(separator: ",") + ") ="
      return [title] + matrixLines(at: slice * size) + [""]
    }.dropLast()
  }
}

/// The positions of `0..<count` to show: all, or the first and last ones around a nil.
private func shown(_ count: Int, atMost limit: Int) -> [Int?] {
  guard count > limit else { return Array(0..<count) }
  return (0..<limit / 2).map(\.self) + [nil] + (count - limit / 2..<count).map(\.self)
}

private func pad(_ text: String, _ width: Int) -> String {
  String(repeating: " ", count: max(0, width - text.count)) + text
}

/// Formats a column so that decimal points align and the largest number has four digits.
private struct NumberFormat {
  private let format: String

  init(_ values: [Float]) {
    let finite = values.filter(\.isFinite)
    let largest = finite.map(abs).max() ?? 0
    if largest < 1e7, finite.allSatisfy({ $0 == $0.rounded() }) {
      format = "%.0f"
    } else if largest >= 1e-3, largest < 1e5 {
      format = "%.\(max(1, 3 - Int(log10(Double(largest)).rounded(.down))))f"
    } else {
      format = "%.3e"
    }
  }

  func text(_ value: Float) -> String {
    guard value.isFinite else { return value.isNaN ? "nan" : value < 0 ? "-inf" : "inf" }
    var buffer = [CChar](repeating: 0, count: 64)
    // -0 reads as 0.
    let length = withVaList([Double(value == 0 ? 0 : value)]) {
      vsnprintf(&buffer, buffer.count, format, $0)
    }
    return String(decoding: buffer[..<Int(length)].map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}
