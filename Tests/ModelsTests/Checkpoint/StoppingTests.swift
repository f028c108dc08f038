import Core
import Foundation
import Tensors
import TestSupport
import Testing

@testable import Models

@Suite("Reading and writing weights asks whether to stop", .serialized)
struct FileStoppingTests {
  @Test func weights() throws {
    let path = FileManager.default.temporaryDirectory.path + "/stopping-\(getpid()).safetensors"
    defer { unlink(path) }
    let tensor = Tensor(zeros: [1 << 11, 1 << 11])
    for type in [SafetensorsType.float32, .bfloat16] {
      let items = [Safetensors.Item(name: "x", weight: .float32(tensor))]
      let polls = try Polls.during { try Safetensors.write(items, to: path, type: type) }
      #expect(polls >= 4)
      #expect(throws: Interrupted.byUser) {
        _ = try Polls.during(limit: 2) { try Safetensors.write(items, to: path, type: type) }
      }
      // The file that was there is whole.
      #expect(try Safetensors(file: path).read("x").count == tensor.count)
    }
  }

  @Test func bytes() throws {
    let path = FileManager.default.temporaryDirectory.path + "/stopping-\(getpid()).txt"
    defer { unlink(path) }
    let bytes = [UInt8](repeating: 97, count: 1 << 25)
    #expect(try Polls.during { try AtomicFile.write(path, bytes) } >= 7)
    #expect(throws: Interrupted.byUser) {
      _ = try Polls.during(limit: 3) {
        try AtomicFile.write(path, "new" + String(decoding: bytes, as: UTF8.self))
      }
    }
    #expect(throws: Interrupted.byUser) {
      _ = try Polls.during(limit: 3) { try AppendedFile.append(bytes, to: path) }
    }
    // The file is as it was.
    #expect(try Data(contentsOf: URL(fileURLWithPath: path)).elementsEqual(bytes))
  }

  @Test func tornLine() throws {
    let path = FileManager.default.temporaryDirectory.path + "/stopping-\(getpid()).jsonl"
    defer { unlink(path) }
    try Data(repeating: 97, count: 1 << 20).write(to: URL(fileURLWithPath: path))
    #expect(throws: Interrupted.byUser) {
      _ = try Polls.during(limit: 4) { _ = try AppendedFile.dropTornLine(path) }
    }
    #expect(try Data(contentsOf: URL(fileURLWithPath: path)).count == 1 << 20)
    var dropped = 0
    let polls = try Polls.during { dropped = try AppendedFile.dropTornLine(path) }
    #expect(polls >= 16)
    #expect(dropped == 1 << 20)
  }
}
