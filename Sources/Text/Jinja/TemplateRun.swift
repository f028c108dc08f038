import Core

/// One rendering of a template: its remaining budget, and the objects to release at its end.
final class TemplateRun {
  private(set) var depth = 0
  private var steps = 0
  private var bytes = 0
  private var scopes: [TemplateScope] = []
  private var namespaces: [TemplateNamespace] = []

  /// Charges work to the budget; throws if exceeded, or if the user interrupts.
  func charge(steps count: Int = 1) throws {
    let before = steps
    // Sizes that a template names can be any; added up they must not overflow.
    steps += min(count, 1 << 40)
    if before >> 12 != steps >> 12 { try Interrupt.check() }
    guard steps <= TemplateLimits.steps else {
      throw TemplateFault("the template takes more than \(TemplateLimits.steps) steps")
    }
  }

  /// Counts bytes of text and values that are made or searched.
  func charge(bytes count: Int) throws {
    bytes += min(count, 1 << 48)
    guard bytes <= TemplateLimits.bytes else {
      throw TemplateFault(
        "the template makes or searches more than \(TemplateLimits.bytes / 1_000_000) MB of text")
    }
  }

  /// Counts the elements of a list that is made or walked over.
  func charge(elements count: Int) throws {
    try charge(steps: count)
    try charge(bytes: min(count, 1 << 40) * 32)
  }

  /// Runs something one level deeper.
  func nested<Output>(_ body: () throws -> Output) throws -> Output {
    depth += 1
    defer { depth -= 1 }
    guard depth <= TemplateLimits.depth else {
      throw TemplateFault(
        "the template is evaluated deeper than \(TemplateLimits.depth) levels; does a macro call "
          + "itself without end?")
    }
    return try body()
  }

  /// Records a scope held by a macro, which may in turn hold the macro.
  func register(_ scope: TemplateScope) throws {
    try charge(bytes: 256)
    scopes.append(scope)
  }

  /// Remembers a namespace, which may hold itself.
  func register(_ namespace: TemplateNamespace) throws {
    try charge(bytes: 256)
    namespaces.append(namespace)
  }

  /// Breaks cycles and long chains, one object at a time.
  func finish() {
    for scope in scopes { scope.variables = [:] }
    for namespace in namespaces { namespace.attributes = TemplateDictionary() }
  }
}

/// The variables of a template, a loop's body or a macro, and what surrounds it.
final class TemplateScope: @unchecked Sendable {
  // Sendable: lives in one run of a template.
  var variables: [String: TemplateValue] = [:]
  let parent: TemplateScope?

  init(_ parent: TemplateScope?) { self.parent = parent }

  /// The variable of that name, the innermost.
  subscript(name: String) -> TemplateValue? {
    var scope: TemplateScope? = self
    while let this = scope {
      if let value = this.variables[name] { return value }
      scope = this.parent
    }
    return nil
  }
}

/// Limits that turn a hostile template into an error instead of a hang, out of memory or stack
/// overflow. Real templates stay orders of magnitude below.
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
  static let bytes = 128_000_000
}

/// What is wrong with a chat template, and on which line.
public struct TemplateError: Error, Equatable, CustomStringConvertible {
  /// Where the template came from: a file, or an option's name.
  public let source: String
  /// The line of the template, from 1.
  public let line: Int
  /// What is wrong.
  public let reason: String

  /// The source, the line, then the reason.
  public var description: String { "\(source): line \(line): \(reason)" }
}

/// What is wrong, before the line is known.
struct TemplateFault: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}
