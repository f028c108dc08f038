import Models
import TestSupport
import Text

// Chat templates: chat_template.jinja, or the one in a tokenizer_config.json, parsed and rendered.

extension FuzzReader {
  static func template() throws -> FuzzReader {
    let messages = try JSON.parse(conversation)
    let stored = try JSONLines.read(localFixture("chat_templates.jsonl")).compactMap {
      if case .string(let text)? = $0["template"] { Array(text.utf8) } else { [UInt8]?.none }
    }
    let config = fixture("tokenizers/qwen2.5/tokenizer_config.json")
    let own = templates.map { Array($0.utf8) }
    return FuzzReader(
      name: "template", seeds: own + stored + (config.isEmpty ? [] : [joined([[], config])]),
      files: ["chat_template.jinja", "tokenizer_config.json"],
      places: ["line ", "field '", "is not valid UTF-8", "must be an object"]
    ) { bytes in
      let files = bytes.files()
      var contents: [String: [UInt8]] = [:]
      if !files.first.isEmpty { contents["chat_template.jinja"] = Array(files.first) }
      contents["tokenizer_config.json"] = files.second.map { Array($0) }
      let folder = try ChatTemplates(files: contents, folder: "")
      for (_, text, source) in folder.all {
        let template = try ChatTemplate(text, source: source)
        let variables = [
          JSON.Member("messages", messages), .init("add_generation_prompt", .bool(true)),
          .init("tools", .array([.object([.init("name", .string("f"))])])),
        ]
        _ = try template.render(variables + folder.specialTokens, now: 1_700_000_000)
      }
    }
  }

  private static let conversation = """
    [{"role": "system", "content": "Be brief."}, {"role": "user", "content": " Hi <|x|>\\n"}, \
    {"role": "assistant", "content": null, "tool_calls": [{"name": "f", "arguments": {"a": 1.5}}]}]
    """

  private static let templates = [
    """
    {%- for message in messages %}{{ '<|' + message['role'] + '|>' }}
    {{- message.content | default('') | trim }}{% if not loop.last %}{{ '\\n' }}{% endif %}
    {%- endfor %}{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}
    """,
    """
    {%- set ns = namespace(last=0, names=[]) -%}{# a remark #}
    {%- macro show(text, n=2) %}{{ text | upper }}{{ n * 2 // 3 % 5 - 1 ** 2 }}{% endmacro -%}
    {%- for m in messages[::-1] if m.role is defined and m.role in ['user', 'assistant'] -%}
    {%- set ns.last = loop.index0 -%}{{ show(m.role, n=loop.index) }}{%- if m.tool_calls -%}
    {{ m.tool_calls[0].arguments | tojson(indent=2) }}{%- elif m.content is string -%}
    {{ m.content.split('<|')[-1].strip() ~ m.content[1:3] | length }}{%- else -%}
    {{ raise_exception('no content') }}{%- endif -%}{%- else -%}none{%- endfor -%}
    {{ strftime_now('%d %b %Y') }}{{ tools | map(attribute='name') | join(', ') }}
    {% for k, v in {'a': 1, 'b': [1, 2]}.items() %}{{ k ~ v }}{% endfor %}
    {{ range(3) | list }}{{ 'x' if ns.last > 1 else none }}{{ "%s" | format(1) }}
    """,
    "{% raw %}{{ x }}{% endraw %}{% filter upper %}a{% endfilter %}{{ messages | selectattr('role', 'eq', 'user') | list | first }}",
    "{{ 'ab' * 9 }}{{ [1] + [2] }}{{ 'a'.replace('a', 'bb') }}{% set x %}y{% endset %}{{ x }}{% break %}",
  ]
}
