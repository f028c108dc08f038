import Foundation
import TestSupport
import Testing

@testable import Text

/// Templates against jinja2 as transformers sets it up: Tests/Fixtures/make_chat_templates.py.
@Suite struct ChatTemplateTests {
  @Test func equalJinja() throws {
    let rows = try JSONLines.read(localFixture("chat_templates.jsonl"))
    let data = members(rows[0]["data"])
    let now = try #require(rows[0]["now"]?.integer)
    #expect(rows.count > 300)
    setenv("TZ", "UTC", 1)
    tzset()
    for row in rows.dropFirst() {
      let template = try #require(row["template"]?.string)
      let variables = row["variables"] == .null ? data : members(row["variables"])
      let text = try? ChatTemplate(template, source: "t").render(variables, now: now)
      #expect(text.map(utf8) == row["text"]?.string.map(utf8), "\(template)")
    }
  }

  private func members(_ value: JSON?) -> [JSON.Member] {
    if case .object(let members)? = value { members } else { [] }
  }

  static let faults: [(String, String)] = [
    ("a\n{% include 'x' %}", "t: line 2: the tag 'include' is not supported (supported: if, for,"),
    (
      "\n\n{% for x in [1] %}{{ loop(x) }}{% endfor %}", "t: line 3: 'loop' can be called in a loop"
    ),
    ("{% call f %}{% endcall %}", "line 1: a call expected after 'call'"),
    ("{% do f() %}", "line 1: the tag 'do' is not supported"),
    ("{{ 'a' | wordwrap }}", "line 1: the filter 'wordwrap' is not supported"),
    ("{{ ('a'|safe).striptags() }}", "the function 'striptags' of Markup is not supported"),
    ("{{ '{:999999999}'.format(1) }}", "a width or precision is larger than 100000"),
    ("{{ '%999999999d' % 1 }}", "a width is larger than 100000"),
    ("{{ '{}'.format() }}", "format: no argument number 0"),
    ("{{ '%s %s' % (1,) }}", "'%': not enough values for the text"),
    ("{{ 'a'.center(1000000000) }}", "a width up to 100000 expected"),
    ("{% macro f() %}{% endmacro %}{{ f(1) }}", "macro f: at most 0 arguments expected, got 1"),
    ("{{ 'a'.encode() }}", "the function 'encode' of str is not supported"),
    ("{{ '%d' % 'a' }}", "'%d' wants a number, got str"),
    ("{{ dict(**1) }}", "a dict expected after '**', got int"),
    ("{{ [1, 2][0, 1] }}", "several subscripts in one pair of brackets are not supported"),
    ("{% if a\n and b.c.d %}{% endif %}\n{{ a.b }}", "line 3: 'a' is undefined, so it has no 'b'"),
    (
      "{% if x %}\n{{ raise_exception('Roles must alternate!') }}\n{% endif %}",
      "t: line 2: Roles must alternate!"
    ),
    ("{% break %}", "'break' stands outside of a loop"),
    ("{% for x in [1] %}{% macro f() %}{% break %}{% endmacro %}{% endfor %}", "outside of a loop"),
    ("{{ 'a'.__class__.x }}", "the attribute '__class__' is not accessible to templates"),
    ("{% set ns = namespace(_x=1) %}", "names that begin with '_' are not allowed"),
    ("{{ 9223372036854775807 + 1 }}", "an integer is beyond 64 bits"),
    ("{{ 99999999999999999999 }}", "the number '99999999999999999999' is too large"),
    ("{{ -9223372036854775807 - 2 }}", "an integer is beyond 64 bits"),
    ("{{ (-9223372036854775807 - 1) // -1 }}", "an integer is beyond 64 bits"),
    ("{{ 3 ** 64 }}", "an integer is beyond 64 bits"),
    ("{{ [1][::0] }}", "the step of a slice is 0"),
    ("{{ range(3, 0, 0) }}", "range: the step is 0"),
    ("{{ '\\ud800' }}", "the escape of 'd800' names no character"),
    ("{{ \u{e9} }}", "unexpected character '\u{e9}'"),
  ]

  @Test(arguments: faults) func refused(_ template: String, _ expected: String) {
    let text = errorText {
      _ = try ChatTemplate(template, source: "t").render([.init("x", .bool(true))], now: 0)
    }
    #expect(text?.contains(expected) == true, "\(template): \(text ?? "no error")")
  }

  /// Templates that would take all time, memory or stack.
  static let hostile: [(String, String)] = [
    (
      "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
      "more than 4000000 steps"
    ),
    ("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}", "deeper than 300 levels"),
    (
      "{% set ns = namespace(x='a') %}{% for a in range(99) %}{% set ns.x = ns.x ~ ns.x %}"
        + "{% endfor %}", "more than 128 MB of text"
    ),
    (
      "{% macro f() %}{{ caller() }}{% call f() %}{% endcall %}{% endmacro %}{% call f() %}{% endcall %}",
      "deeper than 300 levels"
    ),
    ("{% for x in [1] recursive %}{{ loop([1]) }}{% endfor %}", "deeper than 300 levels"),
    ("{{ [1] | batch(9223372036854775807, 0) | list }}", "more than 4000000 steps"),
    ("{{ [1] | batch(-9223372036854775807 - 1, 0) | list }}", ""),
    ("{{ [1] | slice(-9223372036854775807 - 1) | list }}", ""),
    ("{{ 'a' | truncate(-9223372036854775807 - 1) }}", "must be at least that of 'end'"),
    ("{{ 'aaaaaaaaaaaaaaa' | truncate(9223372036854775807, false, '', 9223372036854775807) }}", ""),
    ("{{ '%*d' % (-9223372036854775807 - 1, 1) }}", "'*' wants an integer up to 100000"),
    ("{{ (-9223372036854775807 - 1) | round(-19) }}", ""),
    ("{{ (-9223372036854775807 - 1) | round(-18) }}", ""),
    ("{{ (-9223372036854775807 - 1) | round(-1) }}", "an integer is beyond 64 bits"),
    ("{{ '{:,}{:x}'.format(-9223372036854775807 - 1, -9223372036854775807 - 1) }}", ""),
    ("{{ 'abc'.find('b', -9223372036854775807 - 1, 9223372036854775807) }}", ""),
    ("{{ 'a'.expandtabs(9223372036854775807) }}", "a size of at most 1000 expected"),
    ("{{ range(3)[9223372036854775807:-9223372036854775807:-9223372036854775807] }}", ""),
    ("{% for i in range(99999) %}{{ '{:99999}'.format(i) }}{% endfor %}", "more than 128 MB"),
    ("{% for i in range(99999) %}{{ '%99999d' % i }}{% endfor %}", "more than 128 MB"),
    (
      "{% set ns = namespace(x='<' | safe) %}{% for a in range(99) %}{% set ns.x = ns.x + ns.x | string ~ '' %}"
        + "{% endfor %}", "more than 128 MB of text"
    ),
    ("{{ 'a' * 9223372036854775807 }}", "more than 128 MB of text"),
    ("{{ [1] * 9223372036854775807 }}", "more than 128 MB of text"),
    ("{{ range(9999999) }}", "range: more than 100000 numbers"),
    (
      "{% set ns = namespace(x=[]) %}{% for a in range(999) %}{% set ns.x = [ns.x] %}{% endfor %}",
      "a value is nested deeper than 64 levels"
    ),
    ("{% set ns = namespace() %}{% set ns.x = ns %}{{ ns }}", "nested too deeply to be printed"),
    (
      "{{ " + String(repeating: "(", count: 999) + "1" + String(repeating: ")", count: 999) + " }}",
      "nested deeper than 64 levels"
    ),
    ("{{ " + String(repeating: "-", count: 99_999) + "1 }}", "nested deeper than 64 levels"),
    ("{{ " + String(repeating: "not ", count: 99_999) + "1 }}", "nested deeper than 64 levels"),
    ("{{ 1" + String(repeating: "+1", count: 99_999) + " }}", "more than 100 operands"),
    ("{{ a" + String(repeating: ".a", count: 99_999) + " }}", "more than 100 subscripts"),
    ("{{ a" + String(repeating: "|list", count: 99_999) + " }}", "more than 100 filters"),
    (String(repeating: "{% if a %}", count: 99_999), "nested deeper than 64 levels"),
    ("{{ '" + String(repeating: "a", count: 5_000_000) + "' }}", "larger than 4 MB"),
    (
      "{% set ns = namespace(f=none) %}{% for i in range(99999) %}{% set old = ns.f %}"
        + "{% macro f() %}{{ old }}{% endmacro %}{% set ns.f = f %}{% endfor %}done", ""
    ),
    (
      "{% set ns = namespace(f=none) %}{% for i in range(99999) %}"
        + "{% set ns.f = namespace(f=ns.f) %}{% endfor %}done", ""
    ),
    (
      "{% set a = 'a' * 9999999 %}{% for i in range(9999) %}{{ a.find('a' * 4999999 ~ 'b') }}"
        + "{% endfor %}", "more than 128 MB of text"
    ),
  ]

  @Test(arguments: hostile.indices) func limits(_ index: Int) {
    let (template, expected) = Self.hostile[index]
    let text = errorText { _ = try ChatTemplate(template, source: "t").render([], now: 0) }
    #expect(
      expected.isEmpty ? text == nil : text?.contains(expected) == true,
      "\(template.prefix(60)): \(text?.prefix(200) ?? "no error")")
  }
}

@Suite struct ChatTemplatesTests {
  private func read(_ files: [String: String]) throws -> ChatTemplates {
    try ChatTemplates(files: files.mapValues { Array($0.utf8) }, folder: "m")
  }

  @Test func sources() throws {
    let list = #"[{"name": "default", "template": "D"}, {"name": "tool_use", "template": "T"}]"#
    let both = try read([
      "tokenizer_config.json": #"{"chat_template": \#(list), "eos_token": {"content": "<e>"}}"#,
      "special_tokens_map.json": #"{"bos_token": "<b>", "eos_token": "<x>"}"#,
    ])
    #expect(try both.choose(nil, hasTools: false)?.text == "D")
    #expect(try both.choose(nil, hasTools: true)?.text == "T")
    #expect(try both.choose("tool_use", hasTools: false)?.text == "T")
    #expect(
      both.specialTokens
        == [.init("bos_token", .string("<b>")), .init("eos_token", .string("<x>"))])
    #expect(
      errorText { _ = try both.choose("rag", hasTools: false) }
        == "there is no chat template 'rag' (there are: 'default', 'tool_use')")
    let files = ["tokenizer_config.json": #"{"chat_template": "C"}"#]
    #expect(
      try read(files).choose(nil, hasTools: true)?.source.contains("m/tokenizer_config") == true)
    let newer = files.merging(["chat_template.jinja": "J"]) { $1 }
    #expect(try read(newer).choose(nil, hasTools: false)?.text == "J")
    let other = newer.merging(["additional_chat_templates/rag.jinja": "R"]) { $1 }
    #expect(
      try read(other).choose("rag", hasTools: false)?.source
        == "m/additional_chat_templates/rag.jinja")
    #expect(try read(other).choose(nil, hasTools: true)?.text == "J")
    let alone = files.merging(["additional_chat_templates/tool_use.jinja": "T"]) { $1 }
    #expect(try read(alone).all.map(\.text) == ["T"])
    #expect(try read(["chat_template.json": #"{"chat_template": "P"}"#]).all.map(\.text) == ["P"])
    #expect(try read([:]).choose(nil, hasTools: false) == nil)
  }

  @Test(arguments: [
    (
      #"{"chat_template": 5}"#,
      "m/tokenizer_config.json: field 'chat_template' must be a string or a"
    ),
    (#"{"chat_template": [{"name": "a"}]}"#, "field 'chat_template[0].template' is missing"),
    (#"{"bos_token": 7}"#, "field 'bos_token' must be a string, got 7"),
    (#"{"#, "m/tokenizer_config.json: not valid JSON"),
  ])
  func faults(_ text: String, _ expected: String) {
    let text = errorText { _ = try read(["tokenizer_config.json": text]) }
    #expect(text?.contains(expected) == true, "\(text ?? "no error")")
  }

  @Test("A text repeated by doubling is the text repeated one by one")
  func repetition() {
    for text in ["", "a", "ab", "äö", "e\u{301}"] {
      for count in [0, 1, 2, 3, 7, 64, 1000] {
        #expect(text.repeated(count) == String(repeating: text, count: count))
      }
    }
  }
}
