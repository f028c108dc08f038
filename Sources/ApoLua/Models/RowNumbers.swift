// Maps tables to data set rows. Random numbers and recorded values depend on the row number; error
// texts name the file and line.

import Lua

/// The number of every row, and where it was read.
final class RowNumbers {
  private struct Source {
    /// The file; nil for rows made by a script.
    let file: String?
    /// The file's name for a row: line, record, row.
    let noun: String
    /// The line of each number, from 1, where it is not the number itself.
    var lines: [Int32] = []
  }

  /// Where a row was read.
  struct Place: CustomStringConvertible {
    let file: String?
    let noun: String
    let number: Int

    var description: String { (file.map { "\($0): " } ?? "") + "\(noun) \(number)" }
  }

  // The source in the upper bits of the number, so that one weak table serves both.
  private static let bits = 36
  private static let largest = 1 << bits - 1
  private let table: WeakIntegers
  /// Where a row is in the list that a script gave, where that is not its number.
  private let positions: WeakIntegers
  private var sources = [Source(file: nil, noun: "row")]

  /// The state that the rows belong to.
  var state: LuaState { table.state }

  init(_ state: LuaState) throws {
    table = try WeakIntegers(state)
    positions = try WeakIntegers(state)
  }

  /// The number of a row; nil for any other table.
  subscript(row: Argument) -> Int? {
    get throws { try table[row].map { $0 & Self.largest } }
  }

  /// Where a row was read; nil for any other table.
  func place(of row: Argument) throws -> Place? {
    guard let entry = try table[row] else { return nil }
    let (source, number) = (sources[entry >> Self.bits], entry & Self.largest)
    let line =
      source.file == nil
      ? try positions[row] ?? number
      : number > 0 && number <= source.lines.count ? Int(source.lines[number - 1]) : number
    return Place(file: source.file, noun: source.noun, number: line)
  }

  /// A file that rows come from; the same object if it is read again.
  func source(file: String, noun: String) -> Int {
    if let known = sources.firstIndex(where: { $0.file == file && $0.noun == noun }) {
      sources[known].lines = []
      return known
    }
    guard sources.count < 1 << 16 else { return 0 }
    sources.append(Source(file: file, noun: noun))
    return sources.count - 1
  }

  /// Gives a row its number, nil to forget it, and the line that it was read from, or its position
  /// in a list.
  func set(_ row: Argument, _ number: Int?, source: Int = 0, line: Int? = nil) throws {
    guard let number else { return try table.set(row, nil) }
    guard number <= Self.largest, sources.indices.contains(source) else {
      throw LuaError("apo.rows: number \(number) of source \(source) is not known")
    }
    try table.set(row, source << Self.bits | number)
    if source == 0 { try positions.set(row, line == number ? nil : line) }
    guard let line = line.flatMap(Int32.init(exactly:)), source > 0, number > 0 else { return }
    let count = sources[source].lines.count
    if number == count + 1 { sources[source].lines.append(line) }
  }

  /// Makes a table inherit another row's number.
  func inherit(_ row: Argument, from other: Argument) throws {
    try table.set(row, table[other])
    try positions.set(row, positions[other])
  }
}
