// The functions of texts that fill or widen them.

extension TemplateEvaluator {
  /// Functions that fill a text up to a width.
  func textWidth(_ text: String, _ call: inout TemplateCall) throws -> TemplateValue? {
    switch call.name {
    case "ljust", "rjust", "center":
      try call.bind("width", "fillchar")
      let width = try call.required(0).index
      guard let width, width <= TemplateFormat.limit else {
        throw TemplateFault("\(call.name): a width up to \(TemplateFormat.limit) expected")
      }
      let fill = try call[1] == nil ? " " : call.requiredString(1)
      guard fill.unicodeScalars.count == 1 else {
        throw TemplateFault("\(call.name): the fill must be one character")
      }
      return .string(try text.filled(width, fill, call.name, run))
    case "zfill":
      try call.bind("width")
      guard let width = try call.required(0).index, width <= TemplateFormat.limit else {
        throw TemplateFault("zfill: a width up to \(TemplateFormat.limit) expected")
      }
      let missing = width - text.unicodeScalars.count
      guard missing > 0 else { return .string(text) }
      try run.charge(bytes: width)
      let signs = text.hasPrefix("+") || text.hasPrefix("-") ? 1 : 0
      let zeros = String(repeating: "0", count: missing)
      return .string(String(text.prefix(signs)) + zeros + text.dropFirst(signs))
    case "expandtabs":
      try call.bind("tabsize")
      let size = try call.integer(0, default: 8)
      guard size <= 1000 else { throw TemplateFault("expandtabs: a size of at most 1000 expected") }
      return .string(try text.withoutTabs(size, run))
    default: return nil
    }
  }
}

extension String {
  /// Python's `ljust`, `rjust` and `center`.
  fileprivate func filled(
    _ width: Int, _ fill: String, _ name: String, _ run: TemplateRun
  ) throws -> String {
    let missing = width - unicodeScalars.count
    guard missing > 0 else { return self }
    try run.charge(bytes: missing * fill.utf8.count)
    // Python puts the extra character on the left if the width is odd.
    let left = name == "ljust" ? 0 : name == "rjust" ? missing : missing / 2 + (missing & width & 1)
    return String(repeating: fill, count: left) + self
      + String(repeating: fill, count: missing - left)
  }

  /// Python's `expandtabs`.
  fileprivate func withoutTabs(_ size: Int, _ run: TemplateRun) throws -> String {
    var result = ""
    var column = 0
    for scalar in unicodeScalars {
      if scalar == "\t" {
        let count = size > 0 ? size - column % size : 0
        try run.charge(bytes: count)
        result += String(repeating: " ", count: count)
        column += count
      } else {
        result.unicodeScalars.append(scalar)
        column = scalar == "\n" || scalar == "\r" ? 0 : column + 1
      }
    }
    return result
  }
}
