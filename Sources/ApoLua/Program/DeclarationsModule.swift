// `require "apo.declarations"`: everything that is declared, for the tools written in Lua that read
// scripts or write about them.

import Lua

let declarationsModule = Module(
  "apo.declarations", "Everything that is declared, for tools: `require \"apo.declarations\"`.",
  functions: [
    Function(
      "all", "Reads the whole library and returns its declarations.",
      returns: [
        Returned(
          .list(of: .table),
          "each with `kind`, `name` and `value`, the function itself; see "
            + "Declaration.swift")
      ]
    ) { call in
      let state = call.state
      try readWholeLibrary(in: state)
      var values: [String: LuaReference] = [:]
      for (documented, value) in try state.documentedFunctions() { values[documented.name] = value }
      return try call.result(
        .list(
          state.documented.map { documentation in
            guard case .table(var table) = documentation.described else { return .nil }
            if let value = values[documentation.name] {
              table.fields.append(("value", .reference(value)))
            }
            return .table(table)
          }))
    },
    Function(
      "unknown_option", "Returns the error text for an unknown option.",
      [
        Parameter("path", .string, "the option with those that it is inside of"),
        Parameter("key", .string, "the option"),
        Parameter("known", .list(of: .string), "the known ones"),
      ],
      returns: [Returned(.string, "the text")]
    ) { call in
      let known = try call[3].value().asTable?.list.compactMap(\.asString) ?? []
      return call.result(
        try call.state.unknownOption(call[1].string(), known: known, key: call[2].string()))
    },
    Function(
      "types", "Returns the types for language servers.",
      returns: [Returned(.string, "the text of a file of Lua")]
    ) { $0.result(try editorTypesText()) },
    Function(
      "nearest_name", "Returns the name that was probably meant.",
      [
        Parameter("name", .string, "what was written"),
        Parameter("known", .list(of: .string), "what there is"),
      ],
      returns: [Returned(.string, "the name, or nil")]
    ) { call in
      let known = try call[2].value().asTable?.list.compactMap(\.asString) ?? []
      return try call.result(
        nearestName(to: call[1].string(), in: known).map { .string($0) } ?? LuaValue.nil)
    },
  ])
