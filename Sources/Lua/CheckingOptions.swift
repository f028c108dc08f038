// An options table: every key must be declared, every value must fit.

import CLua

extension LuaState {
  /// Nil when the table at index has declared fields of the right types only.
  func optionsMismatch(
    at index: Int32, _ fields: [Parameter], path: String, function: String
  ) throws -> Mismatch? {
    try reserve(4)
    var present = 0
    var missing: Parameter?
    let prefix = function.isEmpty ? "" : "\(function): "
    for field in fields {
      let type = LuaType(code: cl_get_field(current, index, field.name))
      defer { pop() }
      guard type != .nil else {
        if !field.isOptional, missing == nil { missing = field }
        continue
      }
      present += 1
      let name = "\(prefix)option '\(path)\(field.name)'"
      if let fault = try fault(of: field, called: name, path: path, function: function) {
        return .sentence(fault)
      }
    }
    // An unknown option first: it is often the missing one under another name.
    if let unknown = try unknownOption(
      at: index, fields, present: present, path: path, function: function)
    {
      return unknown
    }
    return missing.map {
      .sentence("\(prefix)option '\(path)\($0.name)' is missing (\($0.type.withArticle))")
    }
  }

  /// A sentence saying what is wrong with the value on top of the stack as a field.
  private func fault(
    of field: Parameter, called name: String, path: String, function: String
  ) throws -> String? {
    let slot = cl_top(current)
    let mismatch = try mismatch(
      at: slot, type: field.type, path: "\(path)\(field.name).", function: function)
    switch mismatch {
    case nil: return nil
    case .unexpected(_, let got): return "\(name) must be \(field.type.withArticle), got \(got)"
    case .remark(let text): return "\(name): \(text)"
    case .sentence(let text): return text
    }
  }

  private func unknownOption(
    at index: Int32, _ fields: [Parameter], present: Int, path: String, function: String
  ) throws -> Mismatch? {
    cl_push_keys(current, index)
    let keys = cl_top(current)
    defer { cl_set_top(current, keys - 1) }
    let count = cl_length(current, keys)
    guard count != present else { return nil }
    let known = fields.map(\.name)
    for position in 0..<count {
      cl_get_index(current, keys, Int64(position + 1))
      let isName = type(at: -1) == .string
      let key = display(at: -1)
      pop()
      if isName, known.contains(where: { $0.utf8.elementsEqual(key.utf8) }) { continue }
      let shown = isName ? "\(path)\(key)" : "\(path)[\(key)]"
      let text = unknownOption(shown, known: known, key: key)
      return .sentence((function.isEmpty ? "" : "\(function): ") + text)
    }
    return nil
  }

  /// The error text for an unknown option, given as it is shown, among the known ones.
  public func unknownOption(_ shown: String, known: [String], key: String) -> String {
    let text = "unknown option '\(shown)'; "
    if let answer = explainOption?(key, known) { return text + answer }
    let hint = nearestName(to: key, in: known).map { "did you mean '\($0)'? " } ?? ""
    return text + hint + "known options: \(known.sorted().joined(separator: ", "))"
  }
}

extension ValueType {
  /// The type in words, with `a` or `an`.
  var withArticle: String {
    if case .choice = self { return name }
    if case .any = self { return name }
    return "aeiou".contains(name.first ?? "x") ? "an \(name)" : "a \(name)"
  }
}

/// The candidate within two edits (and fewer than half the letters), the closest first.
public func nearestName(to name: String, in candidates: [String]) -> String? {
  let scored = candidates.map { (distance: editDistance(name, $0), name: $0) }
  let best = scored.min { ($0.distance, $0.name) < ($1.distance, $1.name) }
  guard let best, best.distance <= 2, best.distance * 2 < max(name.count, 2) else { return nil }
  return best.name
}

/// Levenshtein's distance, with a swap of neighbours counted as one edit.
func editDistance(_ a: String, _ b: String) -> Int {
  let a = Array(a.utf8.prefix(64))
  let b = Array(b.utf8.prefix(64))
  var rows = [Array(0...b.count)]
  for i in 0..<a.count {
    var row = [i + 1]
    for j in 0..<b.count {
      var cost = min(row[j] + 1, rows[i][j + 1] + 1, rows[i][j] + (a[i] == b[j] ? 0 : 1))
      if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] {
        cost = min(cost, rows[i - 1][j - 1] + 1)
      }
      row.append(cost)
    }
    rows.append(row)
  }
  return rows[a.count][b.count]
}
