import Glibc

// Read this first: what the kernels compute, in double precision, one number at a time and as
// slowly as the formula reads. The fast kernels are tested against these functions; nothing else
// calls them.

/// The formulas of the kernels.
public enum Reference {
  /// A matrix as a list of rows.
  public typealias Matrix = [[Double]]

  /// The sum of the products of two rows.
  public static func dot(_ a: [Double], _ b: [Double]) -> Double {
    zip(a, b).reduce(0) { $0 + $1.0 * $1.1 }
  }

  /// y = x Wᵀ for x [rows, k] and W [n, k]: `multiplyPacked`.
  public static func product(_ x: Matrix, _ w: Matrix) -> Matrix {
    x.map { row in w.map { dot(row, $0) } }
  }

  /// The rows of a matrix as columns.
  public static func transpose(_ x: Matrix) -> Matrix {
    (x.first ?? []).indices.map { column in x.map { $0[column] } }
  }

  /// softmax(scale q kᵀ) v of one head [T, D], where a token sees itself and the window - 1 tokens
  /// before it:
  /// `AttentionBlock`.
  public static func attention(
    _ q: Matrix, _ k: Matrix, _ v: Matrix, scale: Double, window: Int = .max
  ) -> Matrix {
    q.indices.map { t in
      let seen = max(0, t - (window - 1))...t
      let p = softmax(seen.map { scale * dot(q[t], k[$0]) })
      return transpose(Array(v[seen])).map { dot(p, $0) }
    }
  }

  /// The gradients of `attention`, given that of its result: `AttentionGradient`.
  public static func attentionGradient(
    _ q: Matrix, _ k: Matrix, _ v: Matrix, dout: Matrix, scale: Double, window: Int = .max
  ) -> (dq: Matrix, dk: Matrix, dv: Matrix) {
    let zeros = q.map { $0.map { _ in 0.0 } }
    var (dq, dk, dv) = (zeros, zeros, zeros)
    for t in q.indices {
      let seen = max(0, t - (window - 1))...t
      let p = softmax(seen.map { scale * dot(q[t], k[$0]) })
      let dp = seen.map { dot(dout[t], v[$0]) }
      let mean = dot(p, dp)
      for (i, s) in seen.enumerated() {
        let ds = scale * p[i] * (dp[i] - mean)
        for d in q[t].indices {
          dq[t][d] += ds * k[s][d]
          dk[s][d] += ds * q[t][d]
          dv[s][d] += p[i] * dout[t][d]
        }
      }
    }
    return (dq, dk, dv)
  }

  /// e^x / Σ e^x.
  public static func softmax(_ x: [Double]) -> [Double] {
    let largest = x.max() ?? 0
    let weights = x.map { exp($0 - largest) }
    let total = weights.reduce(0, +)
    return weights.map { $0 / total }
  }

  /// x w / √(mean(x²) + ε): `rmsNorm`.
  public static func rmsNorm(_ x: [Double], weight: [Double], epsilon: Double) -> [Double] {
    let scale = 1 / (dot(x, x) / Double(x.count) + epsilon).squareRoot()
    return zip(x, weight).map { $0 * scale * $1 }
  }

  /// (x − mean) w / √(variance + ε) + b: `layerNorm`.
  public static func layerNorm(
    _ x: [Double], weight: [Double], bias: [Double], epsilon: Double
  ) -> [Double] {
    let mean = x.reduce(0, +) / Double(x.count)
    let normed = rmsNorm(x.map { $0 - mean }, weight: weight, epsilon: epsilon)
    return zip(normed, bias).map { $0 + $1 }
  }

  /// Parameters w and their moments m and v, after t steps of AdamW (Loshchilov & Hutter, arXiv
  /// 1711.05101): `updateAdamW`.
  public struct AdamW {
    /// The parameters.
    public private(set) var w: [Double]
    private var m, v: [Double]
    private var t = 0.0

    /// Parameters before the first step.
    public init(_ w: [Double]) {
      (self.w, m, v) = (w, w.map { _ in 0 }, w.map { _ in 0 })
    }

    /// One step along the gradient g.
    public mutating func step(
      _ g: [Double], learningRate: Double, beta1: Double, beta2: Double, epsilon: Double,
      weightDecay: Double
    ) {
      t += 1
      for i in w.indices {
        w[i] -= learningRate * weightDecay * w[i]
        m[i] = beta1 * m[i] + (1 - beta1) * g[i]
        v[i] = beta2 * v[i] + (1 - beta2) * g[i] * g[i]
        let mean = m[i] / (1 - pow(beta1, t))
        let square = v[i] / (1 - pow(beta2, t))
        w[i] -= learningRate * mean / (square.squareRoot() + epsilon)
      }
    }
  }
}
