// The order of the folders, and what a line and the README's tree may be.

import Foundation
import Testing

@Suite struct LayersTests {
  /// Folders of Swift, lowest first: a file uses types of its own folder and of those before it.
  private static let layers = [
    "Core", "Core/Memory", "Core/Files",
    "Text", "Text/JSON", "Text/Unicode", "Text/Regex", "Text/Tokenizer", "Text/Jinja",
    "Kernels/Rows", "Kernels", "Kernels/Product", "Kernels/Attention",
    "Tensors", "Tensors/Memory", "Tensors/Autograd", "Tensors/Product", "Tensors/Operations",
    "Tensors/Fused",
    "Models", "Models/Checkpoint", "Models/Families", "Models/LoRA", "Models/Transformer",
    "Models/Sampling", "Models/Generation",
    "Training", "Lua",
    "ApoLua/Text", "ApoLua/System", "ApoLua/Attach", "ApoLua/Tensors", "ApoLua/Models",
    "ApoLua/Training",
    "ApoLua/Program", "ApoLua", "apo-lua",
  ]

  /// Folders of the script library, lowest first, with the file of the same name beside each.
  private static let scriptLayers = [
    "numbers", "script", "data", "rewards", "terminal", "plot", "tensorboard", "trackio", "runs",
    "report", "step", "algorithms", "attach", "values", "run", "fork", "evaluate", "replay",
    "train", "sweep", "check", "session", "project", "command",
  ]

  private struct Use: Hashable { let from, to: String }

  private struct File {
    let path, folder, text: String
  }

  private static func files(_ folder: String, _ ending: String) throws -> [File] {
    let root = Checkout.folder.appendingPathComponent(folder).path
    return try FileManager.default.subpathsOfDirectory(atPath: root).sorted()
      .filter { $0.hasSuffix(ending) }
      .map { path in
        let place = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        return File(
          path: path, folder: place, text: try Checkout.text("\(folder)/\(path)"))
      }
  }

  @Test("A Swift file uses no type of a folder above its own")
  func swiftLayers() throws {
    let files = try Self.files("Sources", ".swift")
    let ranks = Dictionary(uniqueKeysWithValues: Self.layers.enumerated().map { ($1, $0) })
    // A declaration of a type, with what stands before it on its line.
    let declaration =
      /(?m)^(?<indentation> *)(?<modifiers>(?:(?:public|package|final|indirect|private|fileprivate|nonisolated|@\w+(?:\([^)\n]*\))?) )*)(?:struct|class|enum|protocol|typealias|actor) (?<name>[A-Z]\w*)/
    var homes: [String: Set<String>] = [:]
    var nested: [String: Set<String>] = [:]
    for file in files {
      #expect(ranks[file.folder] != nil, "\(file.folder) has no place in the order of layers")
      for match in file.text.matches(of: declaration) {
        let name = String(match.name)
        if match.indentation.isEmpty, !match.modifiers.contains("private") {
          homes[name, default: []].insert(file.folder)
        } else {
          nested[file.folder, default: []].insert(name)
        }
      }
    }
    #expect(homes["Tensor"] == ["Tensors/Autograd"] && homes["Tokenizer"] == ["Text/Tokenizer"])
    var uses: Set<Use> = []
    for file in files {
      for name in Self.names(in: file.text) where nested[file.folder]?.contains(name) != true {
        guard let home = homes[name], home.count == 1, let target = home.first,
          target != file.folder, let from = ranks[file.folder], let to = ranks[target]
        else { continue }
        uses.insert(Use(from: file.folder, to: target))
        #expect(to < from, "\(file.path) uses \(name) of \(target), which is above it")
      }
    }
    #expect(uses.contains(Use(from: "Models/Transformer", to: "Tensors/Autograd")))
  }

  @Test("Only its own file, and those that build on it, name a family of models")
  func families() throws {
    let all = try Self.files("Sources", ".swift")
    let home = "Models/Families"
    var names: [String] = []
    for file in all.filter({ $0.folder == home }) {
      let found = file.text.matches(of: /= ModelFamily\("(\w+)"/).map { String($0.1) }
      #expect(found.count <= 1, "\(file.path) has several families")
      names += found
    }
    #expect(names.count >= 7 && names.contains("gpt2"))
    let engine = ["Kernels", "Tensors", "Models", "Training"]
    for file in all where file.folder != home && engine.contains(where: file.path.hasPrefix) {
      let code = Self.withoutComments(file.text).lowercased()
      for name in names where code.contains(name) {
        Issue.record("\(file.path) names \(name): ask for a choice of Architecture instead")
      }
    }
  }

  @Test("A script requires none of a folder above its own")
  func scriptLayers() throws {
    let files = try Self.files("Sources/Scripts/lua", ".lua")
    let ranks = Dictionary(uniqueKeysWithValues: Self.scriptLayers.enumerated().map { ($1, $0) })
    let modules = Set(files.map { String($0.path.dropLast(4)).replacing("/", with: ".") })
    var count = 0
    for file in files where file.path != "apo.lua" {
      // train.lua belongs to train/.
      let layer = file.folder == "." ? String(file.path.dropLast(4)) : file.folder
      let own = try #require(ranks[layer], "\(layer) has no place in the order of layers")
      for match in file.text.matches(of: /require[ (]*"apo\.([a-z_.0-9]+)"/) {
        let module = String(match.1)
        guard modules.contains(module) else { continue }  // compiled
        count += 1
        let target = try #require(ranks[String(module.prefix { $0 != "." })])
        #expect(target <= own, "\(file.path) requires \(module), which is above it")
      }
    }
    #expect(count > 100)
  }

  @Test("No line is longer than docs/contributing.md allows")
  func lineLengths() throws {
    let limit = 100
    #expect(try Checkout.text("docs/contributing.md").range(of: "at most \(limit) columns") != nil)
    // Tests hold data that cannot be broken.
    for ending in [".swift", ".lua", ".c", ".h"] {
      for folder in ["Sources", "examples"] {
        for file in try Self.files(folder, ending) {
          for (index, line) in file.text.split(separator: "\n", omittingEmptySubsequences: false)
            .enumerated() where line.utf8.count > limit && line.count > limit
          {
            Issue.record("\(folder)/\(file.path):\(index + 1) has \(line.count) columns")
          }
        }
      }
    }
  }

  @Test("The README's tree is of one screen, and that of the checkout")
  func shortTree() throws {
    let page = try Checkout.text("README.md")
    let start = try #require(page.range(of: "```text\nPackage.swift"))
    let rest = page[page.index(start.lowerBound, offsetBy: 8)...]
    let lines = rest[..<(try #require(rest.range(of: "```")).lowerBound)].split(separator: "\n")
    #expect(lines.count <= 45)
    var folders: [String] = []
    for line in lines {
      let name = String(line.drop { $0 == " " }.prefix { $0 != " " })
      folders = folders.prefix(line.prefix { $0 == " " }.count / 2) + [name]
      let path = folders.joined()
      let url = Checkout.folder.appendingPathComponent(path)
      #expect(FileManager.default.fileExists(atPath: url.path), "README.md: \(path) is not there")
    }
  }

  @Test(
    "Files that descriptions in the trees name are there",
    arguments: [
      ("README.md", "```text\nPackage.swift"),
      ("docs/architecture.md", "## The tree\n\n```text\nPackage.swift"),
    ])
  func namesInTrees(_ page: String, _ start: String) throws {
    let text = try Checkout.text(page)
    let rest = text[try #require(text.range(of: start)).upperBound...]
    let tree = rest[..<(try #require(rest.range(of: "```")).lowerBound)]
    let folder = Checkout.folder.path
    var all = Set<String>()
    for top in ["Sources", "Tests", "examples", "scripts", "docs"] {
      for path in try FileManager.default.subpathsOfDirectory(atPath: "\(folder)/\(top)") {
        all.insert(String(path.split(separator: "/").last ?? ""))
      }
    }
    var count = 0
    for match in tree.matches(of: /[\w.+-]+\.(?:lua|swift|c|h)\b/) {
      count += 1
      #expect(all.contains(String(match.output)), "\(page): there is no \(match.output)")
    }
    #expect(count > 20)
  }

  private static func withoutComments(_ text: String) -> String {
    text.replacing(/\/\/.*/, with: "")
  }

  /// The capitalised names of a file's code that are no members.
  private static func names(in text: String) -> Set<String> {
    let code = withoutComments(text.replacing(/"""(?:.|\n)*?"""/, with: ""))
      .replacing(/"(?:[^"\\\n]|\\[^(])*"/, with: "")
    return Set(code.matches(of: /(?:^|[^\w.])([A-Z]\w*)/).map { String($0.1) })
  }
}
