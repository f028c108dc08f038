import Core
import Foundation
import Kernels
import TestSupport
import Testing

@testable import Models

@Suite struct SafetensorsTests {
  static let python = localFixture("python.safetensors")

  @Test func readsEveryFormatThatPythonWrites() throws {
    let file = try Safetensors(file: Self.python)
    #expect(file.metadata == ["format": "pt", "note": "é"])
    #expect(
      file.names == [
        "bf16", "bool", "empty", "f16", "f32", "f64", "i16", "i32", "i64", "i8", "scalar", "u8",
      ])
    let values: [Float] = [0, -0.0, 1, -2.5, 65504, 6e-8, .infinity, -.infinity, 0.1]
    #expect(try file.read("f32").map(\.bitPattern) == values.map(\.bitPattern))
    #expect(try file.read("f64") == values)
    #expect(try file.read("f16") == values.map { Float(Float16($0)) })
    #expect(try file.read("bf16") == values.map { Float(bitPattern: $0.bitPattern & ~0xFFFF) })
    #expect(try file.integers("i64") == [0, -1, 1 << 62, .min])
    #expect(try file.integers("i32") == [1 << 31 - 1, -1 << 31])
    #expect(try file.integers("i16") == [32767, -32768])
    #expect(try file.integers("i8") == [1, -128, 127])
    #expect(try file.integers("u8") == [0, 128, 255])
    #expect(try file.integers("bool") == [1, 0])
    #expect(try file.read("scalar") == [7])
    #expect(try file.shape(of: "scalar") == [])
    #expect(try file.read("empty") == [])
    #expect(try file.shape(of: "f32") == [3, 3])
  }

  @Test func writesWhatItReads() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/model.safetensors"
      let values = (0..<300_000).map { Float($0) * 0.37 }
      try Safetensors.write(
        arrays: [("b", [3, 100_000], values), ("a", [], [2]), ("none", [0], [])], to: path)
      let file = try Safetensors(folder: folder)
      #expect(file.metadata == ["format": "pt"])
      #expect(try file.read("b") == values)
      #expect(try file.read("a") == [2])
      let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
      #expect(bytes[0] % 8 == 0)
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["model.safetensors"])
      try Safetensors.write(arrays: [("b", [300_000], values)], to: path, type: .bfloat16)
      let rounded = try Safetensors(file: path).read("b")
      #expect(zip(rounded, values).allSatisfy { abs($0 - $1) <= $1 / 256 })
    }
  }

  /// Expected values by hand: the lower half 0x8000 is a tie and goes to the even neighbour.
  @Test func roundsToNearestEven() {
    func round(_ bits: UInt32) -> UInt16 { Kernels.bfloat16(Float(bitPattern: bits)) }
    #expect(round(0x3F80_8000) == 0x3F80)
    #expect(round(0x3F81_8000) == 0x3F82)
    #expect(round(0x3F80_8001) == 0x3F81)
    #expect(round(0x3F80_7FFF) == 0x3F80)
    #expect(round(0x7F7F_FFFF) == 0x7F80)
    #expect(round(0xFF80_0000) == 0xFF80)
    #expect(round(0x7F80_0001) == 0x7FC0)
  }

  @Test func refusesWrongRequests() throws {
    let file = try Safetensors(file: Self.python)
    let path = Self.python
    #expect(errorText { _ = try file.read("x") } == "\(path): there is no tensor 'x'")
    #expect(
      errorText { _ = try file.read("i64") }
        == "\(path): tensor 'i64' has dtype I64, expected floats")
    #expect(
      errorText { _ = try file.integers("f32") }
        == "\(path): tensor 'f32' has dtype F32, expected integers")
    var one: Float = 0
    #expect(
      errorText { try file.read("f32", into: &one, count: 1) }
        == "\(path): tensor 'f32' has shape [3, 3], expected 1 elements")
    #expect(
      errorText { try Safetensors.write(arrays: [("a", [2], [1])], to: "/tmp/never") }
        == "/tmp/never: tensor 'a' of shape [2] has 1 values")
    #expect(
      errorText {
        try Safetensors.write(arrays: [("a", [1], [1]), ("a", [1], [1])], to: "/tmp/never")
      } == "/tmp/never: two tensors are named 'a'")
  }

  static let lies: [(String, String)] = [
    ("[]", "the header must be a JSON object, got []"),
    (
      #"{"a":{"dtype":"F4","shape":[2],"data_offsets":[0,8]}}"#,
      "tensor 'a' has the unknown dtype 'F4' (known: F32, F64, F16, BF16, I64, I32, I16, I8, U8, BOOL)"
    ),
    (
      #"{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}"#,
      "tensor 'a' of shape [3] and dtype F32 does not fit its 8 bytes"
    ),
    (
      #"{"a":{"dtype":"F32","shape":[4294967296,4294967296,0],"data_offsets":[0,8]}}"#,
      "tensor 'a' of shape [4294967296, 4294967296, 0] and dtype F32 does not fit its 8 bytes"
    ),
    (
      #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}"#,
      "tensor 'a' has data_offsets [4, 12], the data has 8 bytes"
    ),
    (
      #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}"#,
      "tensor 'a' has data_offsets [8, 0], the data has 8 bytes"
    ),
    (
      #"{"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}"#,
      "header: field 'a.shape' must be a list of non-negative integers, got -2 in it"
    ),
    (
      #"{"a":{"dtype":"F32","data_offsets":[0,8]}}"#,
      "header: field 'a.shape' is missing; it must be a list"
    ),
    (
      #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#,
      "4 bytes after the last tensor belong to none"
    ),
    (
      #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#,
      "tensor 'a' leaves a gap before it"
    ),
    (
      #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"#
        + #""b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#,
      "tensor 'b' overlaps the one before"
    ),
  ]

  @Test(arguments: lies) func refusesLies(_ header: String, _ reason: String) throws {
    try withTemporaryFolder { folder in
      let path = folder + "/x.safetensors"
      let length = withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { Array($0) }
      try AtomicFile.write(path, length + Array(header.utf8) + [UInt8](repeating: 0, count: 8))
      let text = errorText { _ = try Safetensors(file: path) }
      #expect(text == "\(path): \(reason)")
    }
  }

  @Test func refusesEveryTruncation() throws {
    let bytes = Array(try Data(contentsOf: URL(fileURLWithPath: Self.python)))
    try withTemporaryFolder { folder in
      let path = folder + "/x.safetensors"
      for count in 0..<bytes.count {
        try bytes[..<count].withUnsafeBytes { try Data($0).write(to: URL(fileURLWithPath: path)) }
        #expect(errorText { _ = try Safetensors(file: path) } != nil, "\(count) bytes")
      }
    }
  }

  @Test func atomicFilesKeepTheOldOne() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/file"
      try AtomicFile.write(path, "old")
      let text = errorText {
        try AtomicFile.write(path) { output in
          try output.append("new".utf8)
          throw FileError("reason", "of the caller")
        }
      }
      #expect(text == "reason: of the caller")
      #expect(try String(contentsOfFile: path, encoding: .utf8) == "old")
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["file"])
      #expect(
        errorText { try AtomicFile.write(folder + "/none/file", "x") }
          == "\(folder)/none/file: cannot be written: No such file or directory")
      #expect(
        errorText { try AtomicFile.write(folder, "x") }
          == "\(folder): is a folder, not a regular file: nothing is written to it")
    }
  }
}

/// What stays in memory of a file that was read.
@Suite struct MappedMemoryTests {
  /// Kilobytes of the file's mapping that this process holds, from /proc/self/smaps.
  private func residentKilobytes(_ path: String) throws -> Int {
    var total = 0
    var isOurs = false
    let smaps = try String(contentsOfFile: "/proc/self/smaps", encoding: .utf8)
    for line in smaps.split(separator: "\n") {
      if line.contains("-"), line.contains(" r") { isOurs = line.hasSuffix(path) }
      if isOurs, line.hasPrefix("Rss:") {
        total += Int(line.split(separator: " ")[1]) ?? 0
      }
    }
    return total
  }

  @Test func pagesThatWereReadAreGivenBack() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/a.safetensors"
      let count = 4 << 20
      let values = (0..<count).map(Float.init)
      try Safetensors.write(arrays: [("a", [count], values)], to: path)
      let file = try Safetensors(file: path)
      #expect(try file.read("a") == values)
      #expect(try residentKilobytes(path) < 2 << 10)
      #expect(try file.read("a") == values)
    }
  }
}
