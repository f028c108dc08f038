// `apo.system.database`: SQLite databases, by the system's library, which is loaded when the first
// one is opened: few runs need it.

import Core
import Glibc
import Lua
import Models

/// The functions of libsqlite3 that are used, see sqlite.org/c3ref.
private struct SQLiteLibrary: Sendable {
  typealias Handle = OpaquePointer

  let open:
    @convention(c) (UnsafePointer<CChar>, UnsafeMutablePointer<Handle?>, Int32, Int) -> Int32
  let close: @convention(c) (Handle?) -> Int32
  let message: @convention(c) (Handle?) -> UnsafePointer<CChar>?
  let timeout: @convention(c) (Handle?, Int32) -> Int32
  let prepare:
    @convention(c) (
      Handle?, UnsafePointer<CChar>, Int32, UnsafeMutablePointer<Handle?>,
      UnsafeMutablePointer<UnsafePointer<CChar>?>?
    ) -> Int32
  let step: @convention(c) (Handle?) -> Int32
  let finalize: @convention(c) (Handle?) -> Int32
  let parameterCount: @convention(c) (Handle?) -> Int32
  let bindInteger: @convention(c) (Handle?, Int32, Int64) -> Int32
  let bindNumber: @convention(c) (Handle?, Int32, Double) -> Int32
  let bindText:
    @convention(c) (Handle?, Int32, UnsafePointer<UInt8>?, Int32, OpaquePointer?) -> Int32
  let columnCount: @convention(c) (Handle?) -> Int32
  let columnType: @convention(c) (Handle?, Int32) -> Int32
  let columnInteger: @convention(c) (Handle?, Int32) -> Int64
  let columnNumber: @convention(c) (Handle?, Int32) -> Double
  let columnBytes: @convention(c) (Handle?, Int32) -> Int32
  let columnText: @convention(c) (Handle?, Int32) -> UnsafePointer<UInt8>?

  static let name = "libsqlite3.so.0"

  /// Nil where the library is not there or lacks a function.
  static let shared: SQLiteLibrary? = {
    guard let library = dlopen(name, RTLD_NOW | RTLD_LOCAL) else { return nil }
    return SQLiteLibrary(symbol: { dlsym(library, "sqlite3_" + $0) })
  }()

  private init?(symbol: (String) -> UnsafeMutableRawPointer?) {
    let names = [
      "open_v2", "close_v2", "errmsg", "busy_timeout", "prepare_v2", "step", "finalize",
      "bind_parameter_count", "bind_int64", "bind_double", "bind_text", "column_count",
      "column_type", "column_int64", "column_double", "column_bytes", "column_text",
    ]
    let found = names.compactMap(symbol)
    guard found.count == names.count else { return nil }
    func function<Value>(_ index: Int) -> Value { unsafeBitCast(found[index], to: Value.self) }
    open = function(0)
    close = function(1)
    message = function(2)
    timeout = function(3)
    prepare = function(4)
    step = function(5)
    finalize = function(6)
    parameterCount = function(7)
    bindInteger = function(8)
    bindNumber = function(9)
    bindText = function(10)
    columnCount = function(11)
    columnType = function(12)
    columnInteger = function(13)
    columnNumber = function(14)
    columnBytes = function(15)
    columnText = function(16)
  }
}

/// An open database.
final class Database: LuaObject {
  static let luaName = "apo.Database"
  private let path: String
  private let library: SQLiteLibrary
  private var handle: OpaquePointer?

  /// Opens a database, creating it if missing.
  init(_ path: String) throws {
    guard let library = SQLiteLibrary.shared else {
      throw LuaError(
        "\(shown(path)): needs \(SQLiteLibrary.name), which is not installed; it is in Debian's "
          + "package libsqlite3-0")
    }
    self.path = path
    self.library = library
    let readWriteCreate: Int32 = 2 | 4
    guard library.open(path, &handle, readWriteCreate, 0) == 0 else {
      let problem = message
      _ = library.close(handle)
      handle = nil
      throw LuaError("\(shown(path)): \(problem)")
    }
    // Waiting cannot be interrupted, so it is short; callers try again.
    _ = library.timeout(handle, 1000)
  }

  deinit { close() }

  func close() {
    if handle != nil { _ = library.close(handle) }
    handle = nil
  }

  private var message: String {
    library.message(handle).map { String(cString: $0) } ?? "cannot be opened"
  }

  private func check(_ status: Int32) throws {
    guard status == 0 else { throw LuaError("\(shown(path)): \(message)") }
  }

  /// Runs one statement and returns its rows.
  func execute(_ statement: String, _ values: [LuaValue]) throws -> [LuaValue] {
    guard handle != nil else { throw LuaError("\(shown(path)): is closed") }
    let prepared = try prepare(statement)
    defer { _ = library.finalize(prepared) }
    let expected = Int(library.parameterCount(prepared))
    guard values.count == expected else {
      throw LuaError("execute: the statement has \(expected) parameters, got \(values.count)")
    }
    for (index, value) in values.enumerated() {
      try bind(value, at: Int32(index + 1), of: prepared)
    }
    var rows: [LuaValue] = []
    while true {
      try Interrupt.check()
      switch library.step(prepared) {
      case 100: rows.append(.list(row(of: prepared)))  // SQLITE_ROW
      case 101: return rows  // SQLITE_DONE
      default: throw LuaError("\(shown(path)): \(message)")
      }
    }
  }

  private func prepare(_ statement: String) throws -> OpaquePointer? {
    var prepared: OpaquePointer?
    try statement.withCString { text in
      var rest: UnsafePointer<CChar>?
      try check(library.prepare(handle, text, -1, &prepared, &rest))
      guard let rest, String(cString: rest).allSatisfy({ $0.isWhitespace }) else {
        _ = library.finalize(prepared)
        throw LuaError("execute: one statement expected, got more: \(shown(statement))")
      }
    }
    return prepared
  }

  private func bind(_ value: LuaValue, at index: Int32, of statement: OpaquePointer?) throws {
    switch value {
    case .integer(let number): try check(library.bindInteger(statement, index, Int64(number)))
    case .number(let number): try check(library.bindNumber(statement, index, number))
    case .string, .bytes:
      let bytes = value.stringBytes ?? []
      guard let count = Int32(exactly: bytes.count) else {
        throw LuaError("execute: value \(index) is longer than 2 GB")
      }
      let copies = OpaquePointer(bitPattern: -1)  // SQLITE_TRANSIENT
      try check(library.bindText(statement, index, bytes + [0], count, copies))
    default: throw LuaError("execute: value \(index) must be a number or a string")
    }
  }

  private func row(of statement: OpaquePointer?) -> [LuaValue] {
    (0..<library.columnCount(statement)).map { column in
      switch library.columnType(statement, column) {
      case 1: return .integer(Int(library.columnInteger(statement, column)))
      case 2: return .number(library.columnNumber(statement, column))
      case 5: return .boolean(false)  // NULL; a list cannot hold nil
      default:
        let text = library.columnText(statement, column)
        let count = Int(library.columnBytes(statement, column))
        return LuaValue(bytes: UnsafeBufferPointer(start: text, count: text == nil ? 0 : count))
      }
    }
  }
}

let databaseClass = Class(
  Database.self, "An open SQLite database.",
  methods: [
    Function(
      "execute", "Runs one SQL statement.",
      [
        Parameter("statement", .string, "SQL, with `?` for each value"),
        Parameter("values", .any, "numbers and strings", variadic: true),
      ],
      returns: [Returned(.list(of: .table), "the rows, lists of values; `false` for NULL")],
      details: "If another program holds the database, waits at most a second."
    ) { call in
      let database = try call.this(Database.self)
      return try call.result(
        .list(database.execute(call[1].string(), call.rest(from: 2).map { try $0.value() })))
    },
    Function("close", "Closes the database.") { call in
      try call.this(Database.self).close()
      return call.nothing
    },
  ])

let databaseFunction = Function(
  "database", "Opens a SQLite database, creating it if missing.",
  [Parameter("path", .string, "the file")],
  returns: [Returned(.object(Database.self), "the database")],
  details: "Uses the system's libsqlite3 (Debian: libsqlite3-0)."
) { try $0.result(Database($0.path())) }
