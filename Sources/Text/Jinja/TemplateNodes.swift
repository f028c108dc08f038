// A template as a tree.

/// A tag or a piece of text, with the line it begins on.
struct TemplateStatement: Sendable {
  indirect enum Kind: Sendable {
    case text(String)
    case output(TemplateExpression)
    case conditional(branches: [Branch], otherwise: [TemplateStatement])
    case loop(TemplateForLoop)
    case assign(TemplateTarget, TemplateExpression)
    case assignBlock(TemplateTarget, [TemplateFilter], [TemplateStatement])
    case macro(TemplateMacroDefinition)
    /// `{% generation %}`: marks the assistant's text; its assignments are local.
    case generation([TemplateStatement])
    case filter([TemplateFilter], [TemplateStatement])
    case with([(target: TemplateTarget, value: TemplateExpression)], [TemplateStatement])
    /// `{% call(x) f(y) %}`: the body is a macro that `f` sees as `caller`.
    case callBlock(TemplateMacroDefinition, TemplateExpression)
    case breakLoop
    case continueLoop
  }
  struct Branch: Sendable {
    let test: TemplateExpression
    let body: [TemplateStatement]
  }
  let line: Int
  let kind: Kind
}

struct TemplateForLoop: Sendable {
  let target: TemplateTarget
  let iterable: TemplateExpression
  let test: TemplateExpression?
  let body: [TemplateStatement]
  let otherwise: [TemplateStatement]
  let isRecursive: Bool
}

/// What is assigned to.
indirect enum TemplateTarget: Sendable {
  case name(String)
  case attribute(namespace: String, String)
  case tuple([TemplateTarget])
}

struct TemplateMacroDefinition: Sendable {
  struct Parameter: Sendable {
    let name: String
    let fallback: TemplateExpression?
  }
  let name: String
  let parameters: [Parameter]
  /// Which of `varargs`, `kwargs` and `caller` the body uses: only these are accepted.
  let mentions: Set<String>
  let body: [TemplateStatement]
}

/// A filter with its arguments.
struct TemplateFilter: Sendable {
  let name: String
  let arguments: TemplateArguments
}

struct TemplateArguments: Sendable {
  var positional: [TemplateExpression] = []
  var named: [(name: String, value: TemplateExpression)] = []
  /// What follows `*`: further arguments in a list.
  var rest: TemplateExpression?
  /// What follows `**`: further named arguments in a dictionary.
  var namedRest: TemplateExpression?
}

indirect enum TemplateExpression: Sendable {
  case constant(TemplateValue)
  case name(String)
  case list([TemplateExpression])
  case tuple([TemplateExpression])
  case dictionary([(key: TemplateExpression, value: TemplateExpression)])
  case attribute(TemplateExpression, String)
  case item(TemplateExpression, TemplateExpression)
  case slice(
    TemplateExpression, start: TemplateExpression?, stop: TemplateExpression?,
    step: TemplateExpression?)
  case call(TemplateExpression, TemplateArguments)
  case filter(TemplateExpression, TemplateFilter)
  case test(TemplateExpression, TemplateFilter)
  case not(TemplateExpression)
  case and(TemplateExpression, TemplateExpression)
  case or(TemplateExpression, TemplateExpression)
  case negative(TemplateExpression)
  case positive(TemplateExpression)
  case arithmetic(String, TemplateExpression, TemplateExpression)
  case compare(TemplateExpression, [(operation: String, other: TemplateExpression)])
  case concatenation([TemplateExpression])
  case conditional(
    TemplateExpression, test: TemplateExpression, otherwise: TemplateExpression?)
}
