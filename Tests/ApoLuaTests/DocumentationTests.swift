// The pages say what is true: their programs run, their links lead somewhere, the reference is the
// one that the declarations give.

import Foundation
import Lua
import Testing

@testable import ApoLua

@Suite("Documentation", .serialized)
struct DocumentationTests {
  @Test("docs/reference.md is what the declarations say; scripts/reference writes it")
  func reference() throws {
    let written = Page(try Checkout.text("docs/reference.md")).lines
    let declared = Page(try referenceText()).lines
    let difference = zip(written, declared).enumerated().first { $1.0 != $1.1 }
    #expect(difference == nil, "run scripts/reference; line \((difference?.offset ?? 0) + 1)")
    #expect(written.count == declared.count, "run scripts/reference")
  }

  @Test("docs/types/apo.lua is what the declarations say; scripts/reference writes it")
  func types() throws {
    let written = Page(try Checkout.text("docs/types/apo.lua")).lines
    let declared = Page(try editorTypesText()).lines
    let difference = zip(written, declared).enumerated().first { $1.0 != $1.1 }
    #expect(difference == nil, "run scripts/reference; line \((difference?.offset ?? 0) + 1)")
    #expect(written.count == declared.count, "run scripts/reference")
  }

  @Test("Everything declared has prose: summaries are sentences, arguments are explained")
  func prose() throws {
    for documentation in try documentedState().documented {
      switch documentation {
      case .function(let documented):
        expectSentence(documented.function.summary, documented.name)
        expectTexts(documented.function.parameters, documented.name)
      case .class(let declaration):
        expectSentence(declaration.summary, declaration.name)
        for property in declaration.properties {
          expectSentence(property.summary, "\(declaration.name).\(property.name)")
        }
      case .module(let module): expectSentence(module.summary, module.name)
      }
    }
  }

  private func expectSentence(_ text: String, _ name: String) {
    #expect(text.count > 5 && text.first?.isUppercase == true, "\(name): \(text)")
    #expect(text.hasSuffix("."), "\(name): \(text)")
  }

  private func expectTexts(_ parameters: [Parameter], _ name: String) {
    for parameter in parameters {
      #expect(!parameter.text.isEmpty, "\(name): \(parameter.name)")
      expectTexts(parameter.type.fields ?? [], "\(name): \(parameter.name)")
    }
  }

  @Test("The programs of a page run", arguments: Checkout.pages.filter { $0 != referencePage })
  func programs(_ path: String) throws {
    let page = Page(try Checkout.text(path))
    guard !page.blocks.isEmpty else { return }
    try Lesson.withFolder { folder in
      _ = try Lesson.run(page.script, named: path, in: folder)
    }
  }

  private static let referencePage = "docs/reference.md"

  @Test("The examples in the reference run")
  func examples() throws {
    let prelude = try Checkout.text("Tests/ApoLuaTests/specs/documentation/examples.lua")
    let blocks = Page(try Checkout.text(Self.referencePage)).blocks
    let calls = blocks.map { "example(\($0.line), [====[\n\($0.text)]====])\n" }
    try Lesson.withFolder { folder in
      _ = try Lesson.run(prelude + calls.joined(), named: "examples.lua", in: folder)
    }
  }

  @Test("Links between pages lead to files", arguments: Checkout.pages)
  func links(_ path: String) throws {
    let folder = Checkout.folder.appendingPathComponent(path).deletingLastPathComponent()
    for match in try Checkout.text(path).matches(of: /\]\((?!https?:|#)([^)#\s]+)/) {
      let target = folder.appendingPathComponent(String(match.1)).standardized.path
      #expect(FileManager.default.fileExists(atPath: target), "\(path): \(match.1)")
    }
  }

  @Test("No page holds both sides of a merge", arguments: Checkout.pages)
  func merges(_ path: String) throws {
    for (index, line) in Page(try Checkout.text(path)).lines.enumerated() {
      let isMarker = line.starts(with: /[<>|]{7}( |$)/) || line == "======="
      #expect(!isMarker, "\(path), line \(index + 1): \(line)")
    }
  }
}

extension DocumentationTests {
  @Test("The tree in docs/architecture.md is that of the checkout")
  func tree() throws {
    let page = try Checkout.text("docs/architecture.md")
    let start = try #require(page.range(of: "## The tree\n\n```text\n"))
    let tree = page[start.upperBound...].prefix(
      upTo: try #require(
        page[start.upperBound...].range(of: "```")
      ).lowerBound)
    var listed: [String] = []
    var folders: [String] = []
    for line in tree.split(separator: "\n") {
      let name = String(line.drop { $0 == " " }.prefix { $0 != " " })
      folders = folders.prefix(line.prefix { $0 == " " }.count / 2) + [name]
      listed.append(folders.joined())
    }
    for path in listed {
      let url = Checkout.folder.appendingPathComponent(path)
      #expect(FileManager.default.fileExists(atPath: url.path), "\(path) is not there")
    }
    let sources = Checkout.folder.appendingPathComponent("Sources").path
    for path in try FileManager.default.subpathsOfDirectory(atPath: sources)
    where URL(fileURLWithPath: "\(sources)/\(path)").hasDirectoryPath {
      #expect(listed.contains("Sources/\(path)/"), "docs/architecture.md: Sources/\(path)")
    }
  }
}

/// What pages say about the code: quotes of it, and names of its files.
extension DocumentationTests {
  @Test("Code that a page quotes from a file stands there", arguments: Checkout.pages)
  func quotes(_ path: String) throws {
    for (file, text) in try Self.quoted(in: Checkout.text(path)) {
      #expect(try Checkout.text(file).contains(text), "\(path): not in \(file):\n\(text)")
    }
  }

  @Test func aPageQuotes() throws {
    #expect(try Self.quoted(in: Checkout.text("docs/adding-a-family.md")).count >= 9)
  }

  /// The blocks of a page that name a file behind their language.
  private static func quoted(in page: String) -> [(file: String, text: String)] {
    page.matches(of: /(?m)^```\w+ (\w[\w\/.+]*\.\w+)\n((?:.|\n)*?)^```$/).map {
      (String($0.1), String($0.2))
    }
  }

  @Test("Swift files that a page names are there", arguments: Checkout.pages)
  func fileNames(_ path: String) throws {
    // The log and the list of changes tell of files that were.
    guard !path.hasSuffix("log.md"), !path.hasSuffix("CHANGELOG.md") else { return }
    for match in try Checkout.text(path).matches(of: /[\w+\/]*\w\.swift\b/) {
      #expect(
        Self.swiftFiles.contains { $0.hasSuffix("/\(match.0)") },
        "\(path) names \(match.0), which is not there")
    }
  }

  private static let swiftFiles: [String] =
    ["Sources", "Tests"].flatMap { folder in
      let root = Checkout.folder.appendingPathComponent(folder).path
      let paths = (try? FileManager.default.subpathsOfDirectory(atPath: root)) ?? []
      return paths.filter { $0.hasSuffix(".swift") }.map { "/\(folder)/\($0)" }
    } + ["/Package.swift"]
}
