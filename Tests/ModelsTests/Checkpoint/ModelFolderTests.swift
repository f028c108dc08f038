import Core
import Foundation
import TestSupport
import Testing
import Text

@testable import Models

@Suite(.enabled(if: Fixtures.areThere, "\(Fixtures.missing)"))
struct ModelFolderTests {
  @Test func readsShards() throws {
    let folder = Fixtures.path("models/tiny-qwen2-sharded")
    let weights = try Safetensors(folder: folder)
    let index = try JSON.read(folder + "/model.safetensors.index.json")
    guard case .object(let members)? = index["weight_map"] else { throw JSONTestError() }
    #expect(weights.names == members.map(\.key).sorted())
    for name in weights.names {
      #expect(try weights.read(name).count == weights.shape(of: name).reduce(1, *))
    }
  }

  @Test func namesABrokenIndex() throws {
    try withTemporaryFolder { folder in
      let index = folder + "/model.safetensors.index.json"
      try Safetensors.write(arrays: [("a", [1], [1])], to: folder + "/1.safetensors")
      try AtomicFile.write(index, #"{"weight_map": {"b": "1.safetensors"}}"#)
      #expect(
        errorText { _ = try Safetensors(folder: folder) }
          == "\(index): tensor 'b' is not in 1.safetensors, where the index puts it")
      try AtomicFile.write(index, #"{"weight_map": {"b": "../1.safetensors"}}"#)
      #expect(
        errorText { _ = try Safetensors(folder: folder) }
          == "\(index): field 'weight_map.b' must be a file of the folder, got '../1.safetensors'")
      try AtomicFile.write(index, #"{"weight_map": {"b": "2.safetensors"}}"#)
      #expect(
        errorText { _ = try Safetensors(folder: folder) }
          == "\(folder)/2.safetensors: cannot be opened: No such file or directory")
      try AtomicFile.write(index, "{}")
      #expect(
        errorText { _ = try Safetensors(folder: folder) }
          == "\(index): field 'weight_map' is missing; it must be an object")
    }
  }

  /// What says how messages become prompts goes with the model; templates of the model before it do
  /// not stay.
  @Test func savesTemplatesOfAFolder() throws {
    let source = Fixtures.path("models/stories260K")
    try withTemporaryFolder { root in
      let configuration = try ModelConfiguration(folder: source)
      func save(_ companions: [String: [UInt8]], to folder: String) throws {
        try ModelFolder.update(
          configuration, [], companions: companions, type: .float32, to: folder
        )
        .commit()
      }
      var files = try ModelFolder.readCompanions(source)
      files["additional_chat_templates/rag.jinja"] = Array("R".utf8)
      files["chat_template.jinja"] = Array("J".utf8)
      files["LICENSE.txt"] = Array("L".utf8)
      try save(files, to: root + "/a")
      let again = try ModelFolder.readCompanions(root + "/a")
      #expect(again == files)
      #expect(try ChatTemplates(files: again, folder: "a").all.map(\.name) == ["rag", "default"])
      files["additional_chat_templates/rag.jinja"] = nil
      files["additional_chat_templates/other.jinja"] = Array("O".utf8)
      files["chat_template.jinja"] = nil
      try save(files, to: root + "/a")
      #expect(try ModelFolder.readCompanions(root + "/a") == files)
    }
  }

  /// A link to nothing would pass for a file that is missing.
  @Test(arguments: ["generation_config.json", "tokenizer_config.json", "model.safetensors"])
  func linksToNothingAreNamed(_ name: String) throws {
    let source = Fixtures.path("models/stories260K")
    try withTemporaryFolder { folder in
      try AtomicFile.write(
        "\(folder)/config.json", ModelConfiguration(folder: source).original.text())
      try FileManager.default.createSymbolicLink(
        atPath: "\(folder)/\(name)", withDestinationPath: "nowhere")
      #expect(
        errorText { _ = try ModelConfiguration(folder: folder) }
          == "\(folder)/\(name): is a link to a file that is not there")
    }
  }

  @Test func savesCompanionsByteForByte() throws {
    let source = Fixtures.path("models/stories260K")
    try withTemporaryFolder { root in
      let folder = root + "/a/b"
      let configuration = try ModelConfiguration(folder: source)
      try ModelFolder.update(
        configuration, [], companions: ModelFolder.readCompanions(source), type: .float32,
        to: folder
      ).commit()
      for name in ["tokenizer.json", "tokenizer_config.json", "generation_config.json"] {
        #expect(
          FileManager.default.contentsEqual(
            atPath: "\(source)/\(name)", andPath: "\(folder)/\(name)"))
      }
      let again = try ModelConfiguration(folder: folder)
      #expect(again.eosIDs == configuration.eosIDs)
      #expect(try again.original.text() == configuration.original.text())
    }
  }
}
