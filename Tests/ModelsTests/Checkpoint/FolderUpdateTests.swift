import Core
import Foundation
import TestSupport
import Testing
import Text

@testable import Models
@testable import Tensors

/// Saves that stop between any two of their steps: what is in the folder is old, new, or does not
/// load.
@Suite struct FolderUpdateTests {
  private func configuration(_ theta: Double = 10_000) throws -> ModelConfiguration {
    let text = """
      {"model_type": "llama", "hidden_size": 16, "num_hidden_layers": 2, "intermediate_size": 24,
       "num_attention_heads": 2, "vocab_size": 20, "max_position_embeddings": 32,
       "rope_theta": \(theta)}
      """
    return try ModelConfiguration(JSON.parse(text), source: "test")
  }

  /// What a model is: its weights, and the number of its configuration that two models differ in.
  private func identity(_ model: Transformer) throws -> String {
    "\(try model.checksum) \(try model.logits([1, 2, 3]).values.map(\.bitPattern))"
  }

  private func loaded(_ folder: String) throws -> String {
    try identity(Transformer(folder: folder))
  }

  @Test(arguments: zip([Int.max, 9000, 9000, Int.max], [Int.max, Int.max, 6000, 9000]))
  func stoppedSaves(oldSize: Int, newSize: Int) throws {
    let old = try Transformer.random(configuration(), seed: 1)
    let new = try Transformer.random(configuration(77), seed: 2)
    let (before, after) = try (identity(old), identity(new))
    #expect(before != after)
    var steps = 0
    var seen: Set<String> = []
    while true {
      let isDone = try withTemporaryFolder { folder in
        try old.save(
          folder: folder, companions: ["tokenizer.json": [1]], maxShardSize: oldSize)
        let update = try new.update(
          folder: folder, companions: ["tokenizer.json": [2]], maxShardSize: newSize)
        #expect(try loaded(folder) == before)
        let isDone = try update.commit(steps: steps)
        let tokenizer = FileManager.default.contents(atPath: folder + "/tokenizer.json")?.first
        var state = ""
        let text = errorText { state = try loaded(folder) }
        if let text {
          #expect(
            text == "\(folder)/config.json: is missing, though there are weights: the folder is "
              + "incomplete, as after a save that was interrupted; save or copy it again")
          state = "refused"
        } else {
          #expect(state == before && tokenizer == 1 || state == after && tokenizer == 2)
        }
        seen.insert(state)
        // Whatever was left, a save that comes through makes it a whole.
        try new.save(
          folder: folder, companions: ["tokenizer.json": [2]], maxShardSize: newSize)
        #expect(try loaded(folder) == after)
        return isDone
      }
      if isDone { break }
      steps += 1
    }
    #expect(seen == [before, after, "refused"])
  }

  @Test func aFileThatAloneDiffersIsReplacedInOneStep() throws {
    let old = try Transformer.random(configuration(), seed: 1)
    let new = try Transformer.random(configuration(), seed: 2)
    try withTemporaryFolder { folder in
      try old.save(folder: folder, companions: ["tokenizer.json": [1]])
      for steps in 0...2 {
        let update = try new.update(folder: folder, companions: ["tokenizer.json": [1]])
        let isDone = try update.commit(steps: steps)
        #expect(isDone == (steps == 2))
        #expect(try loaded(folder) == identity(steps == 0 ? old : new))
      }
    }
  }

  @Test func stoppedSavesOfAdapters() throws {
    let model = try Transformer.random(configuration(), seed: 1)
    func adapted(_ alpha: Int, _ seed: UInt64) throws -> Transformer {
      let settings = try JSON.parse(
        #"{"peft_type": "LORA", "r": 2, "lora_alpha": \#(alpha), "target_modules": ["q_proj"]}"#)
      let configuration = try LoRAConfiguration(
        settings, source: "test", model.configuration.architecture)
      return try model.adapted(
        by: model.newAdapter(configuration, source: "test", seed: seed))
    }
    let (old, new) = try (adapted(2, 1), adapted(4, 2))
    func state(_ adapter: LoRA?) -> String {
      let adapter = adapter.map { $0.parameters.map(\.tensor.values) }
      return "\(adapter ?? [])"
    }
    for steps in 0..<8 {
      try withTemporaryFolder { folder in
        try old.saveAdapter(folder: folder)
        try new.adapterUpdate(folder: folder).commit(steps: steps)
        var read: LoRA?
        let text = errorText { read = try model.readAdapter(folder: folder) }
        if let text {
          #expect(text.hasPrefix("\(folder)/adapter_config.json: is missing, though there are"))
        } else {
          let isNew = state(read) == state(new.adapter)
          #expect(isNew || state(read) == state(old.adapter))
          let settings = try JSON.read(folder + "/adapter_config.json")
          #expect(settings["lora_alpha"] == .integer(isNew ? 4 : 2))
        }
        #expect((text == nil) == (steps == 0 || steps >= 5), "\(steps)")
      }
    }
  }

  @Test func leftoversOfDeadProcessesAreRemoved() throws {
    let model = try Transformer.random(configuration(), seed: 1)
    try withTemporaryFolder { folder in
      let left = TemporaryName(target: "model.safetensors", serial: 999_999).text
      let kept = [
        ".mine.tmp", ".a.0123abcd.99999999999999999999-1.tmp", "a.0123abcd.4194305-1.tmp",
      ]
      for name in [left] + kept {
        _ = FileManager.default.createFile(atPath: "\(folder)/\(name)", contents: nil)
      }
      try model.save(folder: folder)
      let names = Set(try FileManager.default.contentsOfDirectory(atPath: folder))
      #expect(names == Set(kept + ["config.json", "model.safetensors"]))
    }
  }

  @Test func linksAreReplacedAndWhatTheyLeadToStays() throws {
    let (old, new) = try (
      Transformer.random(configuration(), seed: 1), Transformer.random(configuration(), seed: 2)
    )
    try withTemporaryFolder { folder in
      try old.save(folder: folder + "/blobs")
      try makeFolder(folder + "/snapshot")
      for name in ["config.json", "model.safetensors"] {
        #expect(symlink("../blobs/\(name)", "\(folder)/snapshot/\(name)") == 0)
      }
      try new.save(folder: folder + "/snapshot")
      #expect(try loaded(folder + "/snapshot") == identity(new))
      #expect(try loaded(folder + "/blobs") == identity(old))
    }
  }

  @Test func filesInFlightAreKept() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/file"
      try AtomicFile.write(path) { output in
        try AtomicFile.write(path, "inner")
        AtomicFile.removeLeftovers(in: folder)
        try output.append("outer".utf8)
      }
      #expect(try String(contentsOfFile: path, encoding: .utf8) == "outer")
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["file"])
    }
  }

  @Test(arguments: ["tokenizer.json", "model-00001-of-00002.safetensors"])
  func whatCannotBeReplacedOrRemovedLeavesTheOldModel(name: String) throws {
    let old = try Transformer.random(configuration(), seed: 1)
    let new = try Transformer.random(configuration(), seed: 2)
    for (kind, make) in [
      ("a folder", { (path: String) in try makeFolder(path) }),
      ("a pipe", { (path: String) in _ = mkfifo(path, 0o600) }),
    ] {
      try withTemporaryFolder { folder in
        try old.save(folder: folder)
        try make("\(folder)/\(name)")
        let verb = name == "tokenizer.json" ? "replaced" : "removed"
        #expect(
          errorText { try new.save(folder: folder, companions: ["tokenizer.json": [1]]) }
            == "\(folder)/\(name): cannot be \(verb): it is \(kind)")
        #expect(try loaded(folder) == identity(old))
        let names = try FileManager.default.contentsOfDirectory(atPath: folder)
        #expect(Set(names) == ["config.json", "model.safetensors", name])
      }
    }
  }
}
