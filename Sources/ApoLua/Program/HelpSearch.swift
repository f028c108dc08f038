// `help "/entropy"`: searches the names and the texts of everything that is declared.

import Lua

extension HelpText {
  /// The most matches to list.
  private static let most = 40

  /// What has the word in its name or its text, matches of the name first.
  func search(for word: String) -> String {
    guard !word.isEmpty else { return "A word is missing: help \"/entropy\"." }
    let needle = word.lowercased()
    func has(_ text: String) -> Bool { text.lowercased().contains(needle) }
    let found = all.flatMap(entries)
    let byName = found.filter { has($0.name) }
    let byText = found.filter { !has($0.name) && (has($0.text) || has($0.details)) }
    let matches = (byName + byText).map { ($0.name, $0.text) }
    guard !matches.isEmpty else { return "Nothing has '\(word)' in its name or its text." }
    let more = matches.count - Self.most
    return list(Array(matches.prefix(Self.most)))
      + (more > 0 ? "\n  … and \(more) more; a longer word finds fewer" : "")
  }

  private struct Entry {
    let name, text: String
    var details = ""
  }

  private func entries(of documentation: Documentation) -> [Entry] {
    switch documentation {
    case .function(let documented):
      let function = documented.function
      let details = function.details + " " + (function.returnsText ?? "")
      return [Entry(name: documented.name, text: function.summary, details: details)]
        + function.parameters.flatMap { entries(of: $0, in: documented.name + ": ") }
    case .class(let declaration):
      return [
        Entry(name: declaration.name, text: declaration.summary, details: declaration.details)
      ]
        + declaration.properties.map {
          Entry(name: "\(declaration.name).\($0.name)", text: $0.summary)
        }
    case .module(let module):
      return [Entry(name: module.name, text: module.summary, details: module.details)]
    }
  }

  private func entries(of parameter: Parameter, in place: String) -> [Entry] {
    guard let fields = parameter.type.fields else {
      return [Entry(name: place + parameter.name, text: parameter.text)]
    }
    let isInner = parameter.text != "see below"
    return (isInner ? [Entry(name: place + parameter.name, text: parameter.text)] : [])
      + fields.flatMap { entries(of: $0, in: isInner ? "\(place)\(parameter.name)." : place) }
  }
}
