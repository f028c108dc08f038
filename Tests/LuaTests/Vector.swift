// A small class bound in the ways the real ones are, and a state that knows it.

import Lua

/// A list of numbers; counts its live instances.
final class Vector: LuaObject {
  static let luaName = "apo.Vector"
  nonisolated(unsafe) static var live = 0

  var values: [Double]

  init(_ values: [Double]) {
    self.values = values
    Vector.live += 1
  }

  deinit { Vector.live -= 1 }

  static let declaration = Class(
    Vector.self, "A list of numbers.",
    methods: [
      Function("size", "The number of elements.", returns: [Returned(.integer(), "the size")]) {
        call in call.result(try call.this(Vector.self).values.count)
      },
      Function(
        "dot", "The inner product.", [Parameter("other", .object(Vector.self), "same size")],
        returns: [Returned(.number(), "the product")]
      ) { call in
        let a = try call.this(Vector.self)
        let b = try call[1].object(Vector.self)
        guard a.values.count == b.values.count else {
          let text = "size \(a.values.count) expected, got \(b.values.count)"
          throw LuaError.argument(1, text, in: call)
        }
        return call.result(zip(a.values, b.values).reduce(0) { $0 + $1.0 * $1.1 })
      },
      Function(
        "scale", "Multiplies every element.", [Parameter("factor", .number(), "by what")],
        returns: [Returned(.object(Vector.self), "a new vector")]
      ) { call in
        let factor = try call[1].number()
        return try call.result(Vector(call.this(Vector.self).values.map { $0 * factor }))
      },
      Function(
        "__add", "The sum.",
        [
          Parameter("a", .oneOf([.number(), .object(Vector.self)]), "one summand"),
          Parameter("b", .oneOf([.number(), .object(Vector.self)]), "the other"),
        ], returns: [Returned(.object(Vector.self), "a new vector")]
      ) { call in
        guard let a = call[1].ifObject(Vector.self), let b = call[2].ifObject(Vector.self) else {
          throw LuaError("add: two vectors expected")
        }
        return try call.result(Vector(zip(a.values, b.values).map { $0 + $1 }))
      },
      Function("__len", "The number of elements.") { call in
        call.result(try call.this(Vector.self).values.count)
      },
      Function("__tostring", "The elements.") { call in
        call.result("\(try call.this(Vector.self).values)")
      },
      Function("__index", "An element.", [Parameter("i", .integer(), "from 1")]) { call in
        let values = try call.this(Vector.self).values
        let i = try call[1].integer()
        guard values.indices.contains(i - 1) else {
          throw LuaError("index \(i) out of range 1 to \(values.count)")
        }
        return call.result(values[i - 1])
      },
    ],
    properties: [
      Property(
        "first", .number(), "The first element.",
        set: { call in
          let vector = try call.this(Vector.self)
          guard !vector.values.isEmpty else { throw LuaError("the vector is empty") }
          vector.values[0] = try call[1].number()
          return call.nothing
        },
        get: { call in
          try call.result(call.this(Vector.self).values.first.map { .number($0) } ?? .nil)
        })
    ])
}

/// A module with a function for each kind of parameter.
let testModule = Module(
  "test", "Functions for tests.",
  functions: [
    Function(
      "vector", "A vector.", [Parameter("values", .list(of: .number()), "the elements")],
      returns: [Returned(.object(Vector.self), "the vector")]
    ) { call in try call.result(Vector(call[1].numbers())) },
    Function("nested", "Gives nested lists back.", [Parameter("lists", .any, "the lists")]) {
      call in try call.result(call[1].nestedNumbers())
    },
    Function(
      "count", "Counts.",
      [
        Parameter("n", .integer(minimum: 1), "how many"),
        Parameter("mode", .choice(["up", "down"]), "direction", default: "up"),
      ]
    ) { call in try call.results([.integer(call[1].integer()), .string(call[2].string())]) },
    Function(
      "sum", "The sum.", [Parameter("numbers", .number(), "what to add", variadic: true)]
    ) { call in call.result(try call.rest(from: 1).reduce(0) { try $0 + $1.number() }) },
    Function(
      "run", "Takes options.",
      [
        Parameter(
          "options",
          .options([
            Parameter("n", .integer(minimum: 1), "how many", default: 8),
            Parameter("beta", .number(), "temperature"),
            Parameter("verbose", .boolean, "whether to talk", default: true),
            Parameter("names", .list(of: .string), "names", optional: true),
            Parameter(
              "eval", .options([Parameter("every", .integer(), "steps")]), "evaluation",
              optional: true),
          ]), "see below")
      ]
    ) { call in
      let options = try call[1].options()
      return try call.results([
        .integer(options["n"].integer()), .number(options["beta"].number()),
        .boolean(options["verbose"].boolean()),
      ])
    },
    Function("apply", "Calls a function.", [Parameter("f", .function, "what to call")]) { call in
      try call.results(call.state.call(call[1].reference()))
    },
    Function("echo", "Gives a value back, through Swift.", [Parameter("x", .any, "the value")]) {
      call in try call.result(call[1].value())
    },
    Function("each", "Walks over a list.", [Parameter("list", .list(of: .any), "the list")]) {
      call in
      var rest = try (call[1].value().asTable?.list ?? [])[...]
      return try call.result(LuaIterator { rest.popFirst().map { [$0] } })
    },
  ], classes: [Vector.declaration])

/// A state with the module `test` as a global.
func makeState() throws -> LuaState {
  let state = try LuaState()
  try state.setGlobal("test", to: .reference(state.makeTable(of: testModule)))
  return state
}

/// The message of the error that a chunk raises.
func message(_ code: String, in state: LuaState? = nil) throws -> String {
  let state = try state ?? makeState()
  do {
    try state.run(code, name: "=s")
    return "no error"
  } catch let error as LuaError {
    return error.message
  }
}
