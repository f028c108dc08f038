extension FixedWidthInteger where Self: UnsignedInteger {
  /// Lower-case hexadecimal digits, at least `width`.
  public func hexadecimal(_ width: Int) -> String {
    let digits = String(self, radix: 16)
    return String(repeating: "0", count: Swift.max(0, width - digits.count)) + digits
  }
}
