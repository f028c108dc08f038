import Kernels

/// Floats in row-major order as the rows of a matrix, for `Reference`.
public func matrix(_ values: [Float], columns: Int) -> Reference.Matrix {
  stride(from: 0, to: values.count, by: columns).map { row in
    values[row..<row + columns].map { Double($0) }
  }
}
