/// What a template may use, so that a hostile one ends in an error and not in a hang, a full memory
/// or a full stack. Real templates stay below by orders of magnitude.
enum TemplateLimits {
  /// Nesting of tags and expressions, and depth of a value.
  static let nesting = 64
  /// Operands of one operator, filters of one value.
  static let chain = 100
  /// Levels of evaluation, macros included.
  static let depth = 300
  /// Expressions evaluated and elements visited.
  static let steps = 4_000_000
  /// Bytes of text and values made or searched.
  static let bytes = 1 << 27
}
