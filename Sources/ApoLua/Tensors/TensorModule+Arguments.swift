// Reads tensor arguments of scripts: operands, shapes, and positions and dimensions, which count
// from 1, or from -1 at the end (in the engine from 0).

import Lua
import Tensors

extension Tensor: LuaObject {
  /// The name in messages.
  public static let luaName = "apo.Tensor"
}

/// Operands of a tensor operation.
let operandType = ValueType.oneOf([.object(Tensor.self), .number()])

/// Sizes: integers, or one list of them.
let shapeType = ValueType.oneOf([.integer(), .list(of: .integer())])

extension Argument {
  /// A tensor, or a number as a tensor without dimensions.
  func operand() throws -> Tensor {
    if let tensor = ifObject(Tensor.self) { return tensor }
    return Tensor(Float(try number()))
  }

  /// A dimension of a tensor as the engine counts it, nil when absent.
  ///
  /// - Parameter extra: dimensions that the operation adds.
  func dimension(of tensor: Tensor, for operation: String, extra: Int = 0) throws -> Int? {
    guard let argument = ifPresent else { return nil }
    let given = try argument.integer()
    let rank = max(1, tensor.shape.count + extra)
    if given >= 1, given <= rank { return given - 1 }
    if given <= -1, given >= -rank { return given + rank }
    throw LuaError(
      "\(operation): dimension \(given) of a tensor of shape \(tensor.shape); "
        + "expected 1 to \(rank), or -1 to -\(rank) from the end")
  }

  /// A position from 1 to `count`, or from -1 at the end, as the engine counts it.
  func position(upTo count: Int, for operation: String) throws -> Int {
    let given = try integer()
    if given >= 1, given <= count { return given - 1 }
    if given <= -1, given >= -count { return given + count }
    throw LuaError(
      "\(operation): position \(given) is outside of 1..\(count) (or -1..-\(count) from the end)")
  }
}

extension Call {
  /// Sizes from a position on: integers, or one list of them.
  func shape(from first: Int, for operation: String) throws -> [Int] {
    guard count >= first else { return [] }
    if self[first].kind == .table {
      guard count == first else {
        throw LuaError("\(operation): sizes or one list of sizes expected, got both")
      }
      return try self[first].integers()
    }
    return try rest(from: first).map {
      guard $0.kind == .number else {
        throw LuaError("\(operation): sizes or one list of sizes expected, got both")
      }
      return try $0.integer()
    }
  }
}
