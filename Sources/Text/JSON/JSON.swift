// A JSON value. Integers and doubles are distinct, so that a row survives reading and writing
// unchanged, and objects keep the order of the file. Reading is in JSON+Parsing.swift, writing in
// JSON+Writing.swift, typed access with error texts in JSONFields.swift.

import Core

/// A JSON value.
public enum JSON: Sendable, Equatable {
  /// `null`.
  case null
  /// `true` or `false`.
  case bool(Bool)
  /// A number written without fraction and exponent that fits 64 bits.
  case integer(Int)
  /// Any other number.
  case double(Double)
  /// Text, always valid Unicode.
  case string(String)
  /// A list.
  case array([JSON])
  /// Members in the order of the file; the last of equal keys wins.
  case object([Member])

  /// A key and its value in an object.
  public struct Member: Sendable, Equatable {
    /// The key.
    public var key: String
    /// The value.
    public var value: JSON

    /// Makes a member.
    public init(_ key: String, _ value: JSON) {
      self.key = key
      self.value = value
    }
  }

  /// A string from bytes; throws unless they are valid UTF-8.
  public init(utf8 bytes: some Collection<UInt8>) throws {
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw JSONError("a string that is not valid UTF-8 cannot be written as JSON")
    }
    self = .string(text)
  }

  /// The value at a key, or nil when this is not an object or has no such key.
  public subscript(key: String) -> JSON? {
    guard case .object(let members) = self else { return nil }
    return members.last { $0.key.hasSameBytes(as: key) }?.value
  }

  /// Replaces or appends the value at a key of an object; does nothing for other values.
  public mutating func set(_ key: String, _ value: JSON) {
    guard case .object(var members) = self else { return }
    if let index = members.lastIndex(where: { $0.key.hasSameBytes(as: key) }) {
      members[index].value = value
    } else {
      members.append(Member(key, value))
    }
    self = .object(members)
  }
}

/// What is wrong with a JSON text or value, without the file it came from.
struct JSONError: Error, Equatable, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}
