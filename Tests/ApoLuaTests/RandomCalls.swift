import Lua
import Tensors

/// Calls functions with arguments that are often of the declared types, and then of any value:
/// what passes the checks of types must be refused by the function itself, or be right.
struct RandomCalls {
  let state: LuaState
  /// Objects to call methods of and to pass.
  let objects: [LuaReference]
  private let names: [String]
  var random = RandomStream(seed: 1)
  private(set) var errors = 0

  init(_ state: LuaState, objects: [LuaReference]) {
    self.state = state
    self.objects = objects
    names = objects.map(\.description)
  }

  /// One call of a function.
  mutating func call(_ documented: FunctionDocumentation, _ function: LuaReference) {
    var arguments: [LuaValue] = []
    if let type = documented.selfType { arguments.append(value(of: type)) }
    let parameters = documented.function.parameters
    let count = Int.random(in: 0...parameters.count, using: &random)
    for parameter in parameters.prefix(count) {
      let repeats = parameter.isVariadic ? Int.random(in: 0...3, using: &random) : 1
      for _ in 0..<repeats { arguments.append(mostly(of: parameter.type)) }
    }
    do {
      _ = try state.callKeepingResults(function, arguments)
    } catch {
      errors += 1
    }
  }

  private mutating func mostly(of type: ValueType) -> LuaValue {
    Int.random(in: 0..<8, using: &random) == 0 ? anything() : value(of: type)
  }

  private mutating func value(of type: ValueType) -> LuaValue {
    switch type {
    case .any: return anything()
    case .boolean: return .boolean(Bool.random(using: &random))
    case .number: return .number(number())
    case .integer: return .integer(integer())
    case .string: return pick(["", "1+1=", "mean", "\u{0}é", "x", "float32", "no/such/file"])
    case .table: return pick([[], [1], ["prompt": "1="], ["text": "2", "prompt": "1="]])
    case .function: return anything()
    case .choice(let names): return .string(names[Int.random(in: names.indices, using: &random)])
    case .list(let element):
      let count = Int.random(in: 0...3, using: &random)
      return .list((0..<count).map { _ in mostly(of: element) })
    case .oneOf(let types): return value(of: types[Int.random(in: types.indices, using: &random)])
    case .instance(let name, _):
      let fitting = objects.indices.filter { names[$0].contains(name) }
      return .reference(objects[fitting.randomElement(using: &random) ?? 0])
    case .options(let fields):
      let chosen = fields.filter { _ in Int.random(in: 0..<2, using: &random) == 0 }
      return .table(LuaTable(fields: chosen.map { ($0.name, mostly(of: $0.type)) }))
    }
  }

  private mutating func number() -> Double {
    let numbers = [0, 1, 2, -1, 0.5, 1e-300, 1e300, .infinity, -.infinity, .nan, 0x1p53, 0x1p63]
    return numbers[Int.random(in: numbers.indices, using: &random)]
  }

  private mutating func integer() -> Int {
    let integers = [0, 1, 1, 2, 2, 3, -1, -2, 7, 1 << 40, 1 << 50, 1 << 53, .max, .min, .max - 1]
    return integers[Int.random(in: integers.indices, using: &random)]
  }

  private mutating func pick(_ values: [LuaValue]) -> LuaValue {
    values[Int.random(in: values.indices, using: &random)]
  }

  private mutating func anything() -> LuaValue {
    switch Int.random(in: 0..<6, using: &random) {
    case 0: .nil
    case 1: .number(number())
    case 2: .integer(integer())
    case 3: pick([true, "x", [], [[]], [[1], [2]], [["prompt": "1="]], .bytes([0xFF])])
    default: .reference(objects[Int.random(in: objects.indices, using: &random)])
    }
  }
}
