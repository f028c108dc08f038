"""Writes what transformers makes of chat templates, for Tests/Fixtures/compare_chat_templates.lua (see scripts/chat-templates).

Usage: chat_templates.py OUT FOLDER...          every *.jinja (and chat_template of tokenizer_config.json) below the folders
       chat_templates.py OUT --random N [SEED]  N templates drawn at random
Each row: `name`, `template`, `conversations` (JSON texts, which keep the order of keys) and `cases`: conversation, options
and the text, or null where transformers gives an error.
"""
import datetime, json, os, random, re, sys
from transformers.tokenization_utils_base import PreTrainedTokenizerBase
from transformers.utils import chat_template_utils

chat_template_utils.datetime = datetime.datetime
tokens = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", "pad_token": "<pad>"}


def tool(name, **properties):
    return {"type": "function", "function": {"name": name, "description": f"Does \"{name}\" & <more>.\nTwice é.", "parameters": {
        "type": "object", "properties": properties, "required": list(properties)[:1]}}}


plain = tool("get_weather", city={"type": "string", "description": "Where <it> is"}, days={"type": "integer", "default": 3})
rich = tool("find", filters={"type": "object", "properties": {"kind": {"type": "string", "enum": ["a", "b"]}, "deep": {
    "type": "array", "items": {"type": ["number", "null"]}}}}, any={"anyOf": [{"type": "string"}, {"type": "null"}], "nullable": True},
    many={"type": "array", "items": {"type": "object", "properties": {"x": {"type": "boolean"}}}})
rich["function"]["return"] = {"type": "string", "description": "a text"}
bare = {"type": "function", "function": {"name": "now", "description": "time", "parameters": {"type": "object", "properties": {}}}}


def called(*names, arguments=None, content=""):
    return {"role": "assistant", "content": content, "tool_calls": [{"type": "function", "id": f"call{i:05d}", "function": {
        "name": name, "arguments": {"city": "Zürich <&> \"q\"", "days": 2, "ok": True, "x": None, "l": [1.5, {"k": []}]}
        if arguments is None else arguments}} for i, name in enumerate(names)]}


def result(text, number=0, name="get_weather"):
    return {"role": "tool", "name": name, "tool_call_id": f"call{number:05d}", "content": text}


system = {"role": "system", "content": "  You are <kind> & \"helpful\".\n"}
user = {"role": "user", "content": "Héllo 'you' 👩‍👩‍👧 日本 <b>&amp;</b>\n"}
again = {"role": "user", "content": "and now?"}
answer = {"role": "assistant", "content": "<think>\nhm\n</think>\n\n4 > 3 & 2\n"}
thought = {"role": "assistant", "content": "five", "reasoning_content": "\nso it is\n"}
parts = {"role": "user", "content": [{"type": "text", "text": "look "}, {"type": "image"}, {"type": "text", "text": " here"}]}
conversations = [
    [user], [system, user], [system, user, answer, again], [user, thought, again], [user, thought],
    [user, called("get_weather"), result("21 °C"), thought, again], [system, user, called("get_weather", "find"), result("21"), result("{\"a\": 1}", 1, "find")],
    [user, called("now", arguments={})], [user, called("now", arguments="{\"raw\": 1}", content="Let me see.")],
    [system, parts], [parts, {"role": "assistant", "content": [{"type": "text", "text": "seen"}]}, again],
    [{"role": "system", "content": [{"type": "text", "text": "S"}]}, user, {**called("get_weather"), "reasoning_content": "call it"}, result("x"), answer, again],
    [{"role": "developer", "content": "Dev."}, user], [user, user], [answer, user], [{"role": "alien", "content": "?"}],
    [user, {"role": "assistant", "content": None, "tool_calls": called("find")["tool_calls"]}, {"role": "tool", "content": [{"type": "text", "text": "part"}]}, again],
    [{"role": "user", "content": ""}], [user, {"role": "assistant", "content": "a", "thinking": "t", "reasoning": "r"}, again], [system],
]
options = [
    {}, {"add_generation_prompt": True}, {"add_generation_prompt": True, "enable_thinking": False}, {"tools": [plain]},
    {"tools": [plain, rich, bare], "add_generation_prompt": True, "enable_thinking": True},
    {"tools": [rich], "documents": [{"title": "T <1>", "text": "doc & text"}], "add_generation_prompt": True, "thinking": True, "reasoning_effort": "high",
        "date_string": "26 Jul 2024", "builtin_tools": ["code_interpreter"], "preserve_thinking": True, "keep_all_reasoning": True},
]


class Stub(PreTrainedTokenizerBase):
    def __init__(self, template):
        self.chat_template = template

    special_tokens_map = tokens

    def __getattr__(self, name):
        raise AttributeError(name)


def render(template, messages, given):
    """The text as apply_chat_template gives it, None where it gives an error."""
    given = json.loads(json.dumps(given))
    try:
        text = Stub(template).apply_chat_template(json.loads(json.dumps(messages)), tokenize=False, **given)
        text.encode()
        return text
    except Exception as error:
        if os.environ.get("SHOW"): print(type(error), error)
        return None


def templates(folders):
    for folder in folders:
        for place, _, files in sorted(os.walk(folder)):
            for name in sorted(files):
                path = os.path.join(place, name)
                if name.endswith((".jinja", ".jinja2")):
                    yield path, open(path, encoding="utf-8", newline="").read()
                elif name == "tokenizer_config.json":
                    found = json.load(open(path)).get("chat_template") or []
                    found = [{"name": "", "template": found}] if isinstance(found, str) else found
                    for entry in found:
                        yield f"{path} {entry['name']}", entry["template"]


def row(name, template, conversations, options):
    cases = [[c, o, render(template, conversations[c], options[o])] for c in range(len(conversations)) for o in range(len(options))]
    return {"name": name, "template": template, "cases": cases}


data = {"n": 7, "m": -3, "f": 2.5, "s": "Héllo, <wörld>", "e": "", "t": True, "z": None, "l": [3, 1, 2], "w": ["b", "A", "c", "a"],
    "d": {"b": 1, "a": [1, {"x": "y"}], "k": "<v>"}, "sp": "  a\tb\n c  ", "num": "12", "p": "a,b,,c",
    "rows": [{"k": "x", "v": {"n": 2}}, {"k": "Y", "v": {"n": 1}}, {"k": "x"}]}
filters = """abs attr('k') batch(2) capitalize center(9) count default('D') default('D',true) d(1) dictsort e escape filesizeformat first float
forceescape format(1) groupby('k') indent indent(2,true) int int(7) items join join(',') last length list lower map('upper') map(attribute='k') max min
reject('odd') rejectattr('v') replace('a','<') reverse round round(1) round(1,'ceil') safe select select('string') selectattr('k','eq','x') slice(2)
sort sort(reverse=true) string sum title tojson tojson(indent=2) trim truncate(5) truncate(5,true) unique upper urlencode wordcount xmlattr""".split()
tests = """boolean callable defined divisibleby(3) eq(7) even false float ge(2) gt(2) in(l) integer iterable le(2) lower lt(2) mapping
ne(7) none number odd sequence string true undefined upper escaped""".split()
methods = """upper() lower() strip() lstrip() rstrip('d') split() split(',') rsplit(',',1) splitlines() title() capitalize() replace('l','<') startswith('H')
startswith(('a','H'),0) endswith('d') find('l') find('l',3) rfind('l') count('l') index('l') join(w) join(['<',s]) partition(',') rpartition(',') removeprefix('H')
removesuffix('>') isdigit() isalpha() isalnum() isspace() isupper() islower() istitle() isnumeric() isascii() zfill(9) center(9,'*') ljust(9) rjust(9)
swapcase() casefold() expandtabs() format(n,s) format(*l) get('b') get('q',1) keys() values() items() copy() index(1) count(1) append(1) pop() k b a""".split()
texts = ["'a'", "'<b>'", "'{}|{}'", "'{:>5}'", "'{0[0]}'", "'%s'", "'%5.1f|%s'", "'%d'", "''", "'A b-c'", "'it\\'s'", "'{!r:>8}'", "'{:,}'", "'{:.2f}'", "'%(k)s'"]


def draw(random, depth=3):
    """An expression."""
    inner = lambda: draw(random, depth - 1)
    if depth == 0 or random.random() < 0.12:
        return random.choice(list(data) + ["q", "1", "0", "2.5", "-1", "true", "none", "[]", "{}", "()", "range(3)"] + texts)
    kind = random.randrange(15)
    if kind < 4: return f"({inner()}) | {random.choice(filters)}"
    if kind < 7: return f"({inner()}).{random.choice(methods)}"
    if kind == 7: return f"({inner()}) is {random.choice(['', 'not '])}{random.choice(tests)}"
    if kind == 8: return f"({inner()}) {random.choice('+ - * / // % ~ ~ + % =='.split())} ({inner()})"
    if kind == 9: return f"({inner()}) {random.choice(['and', 'or', 'in', 'not in', '<', '>=', '!='])} ({inner()})"
    if kind == 10: return f"({inner()})[{random.choice(['0', '-1', '1:', ':2', '::-1', '1:-1', chr(39) + 'k' + chr(39), '::2', 'n', '9'])}]"
    if kind == 11: return f"({inner()}) if ({inner()}) else ({inner()})"
    if kind == 12: return random.choice(["[{0}, {1}]", "({0}, {1})", "{{'k': {0}, 'b': {1}}}", "dict(k={0})", "range({0})", "namespace(k={0}).k"]).format(inner(), inner())
    if kind == 13: return f"({inner()}) | safe"
    return f"-({inner()})" if random.random() < 0.3 else f"not ({inner()})"


def statement(random, depth=2):
    """A template."""
    show = lambda: "{{ " + draw(random) + " }}"
    inner = lambda: statement(random, depth - 1)
    if depth == 0: return show()
    kind = random.randrange(12)
    if kind < 4: return show()
    if kind == 4: return "{% for x in " + draw(random, 2) + " %}{{ loop.index }}" + random.choice(["{{ x }}", show(), "{{ x.k }}", "{% set n = x %}"]) + "{% else %}none{% endfor %}{{ n }}"
    if kind == 5: return "{% for (a, b), c in [((" + draw(random, 1) + ", 2), " + draw(random, 1) + ")] %}{{ a ~ b ~ c }}{% endfor %}"
    if kind == 6: return "{% set x = " + draw(random, 2) + " %}{{ x }}" + inner() + "{{ x }}"
    if kind == 7: return "{% if " + draw(random, 2) + " %}" + inner() + "{% elif " + draw(random, 1) + " %}b{% else %}" + inner() + "{% endif %}"
    if kind == 8: return "{% macro f(a, b=" + draw(random, 1) + ") %}{{ a }}{{ b }}" + random.choice(["", "{{ varargs }}", "{{ kwargs }}", "{{ caller() }}"]) + "{% endmacro %}" + random.choice([
        "{{ f(%s) }}", "{{ f(%s, 2, 3) }}", "{{ f(b=%s, x=1) }}", "{%% call f(%s) %%}c{%% endcall %%}", "{{ f(*[%s]) }}", "{{ f() + (%s) }}"]) % draw(random, 2)
    if kind == 9: return "{% set x | " + random.choice(filters) + " %}" + inner() + "{% endset %}{{ x }}"
    if kind == 10: return "{% with y = " + draw(random, 2) + " %}{{ y }}" + inner() + "{% endwith %}{{ y }}"
    return "{% filter " + random.choice(filters) + " %}" + inner() + "{% endfilter %}"


def drawn(count, seed):
    random_ = random.Random(seed)
    prefix = "".join("{%% set %s = documents[0].%s %%}" % (name, name) for name in data)
    for number in range(count):
        yield f"random {seed}.{number}", prefix + statement(random_)


def main():
    out, *rest = sys.argv[1:]
    chats, sets = conversations, options
    if rest[0] == "--random":
        chats, sets = [[user]], [{"documents": [data]}]
        found = drawn(int(rest[1]), int(rest[2]) if len(rest) > 2 else 1)
    else:
        found = templates(rest)
    with open(out, "w") as file:
        head = {"tokens": tokens, "conversations": [json.dumps(c) for c in chats], "options": [
            {**{k: v for k, v in o.items() if k in ("add_generation_prompt",)}, **{k: json.dumps(o[k]) for k in ("tools", "documents") if k in o},
             "chat_template_kwargs": {k: v for k, v in o.items() if k not in ("add_generation_prompt", "tools", "documents")}} for o in sets]}
        file.write(json.dumps(head) + "\n")
        for name, template in found:
            made = row(name, template, chats, sets)
            # Addresses in memory, which nobody can be equal to.
            if name.startswith("random") and re.search("generator obj|Macro", made["cases"][0][2] or "", re.IGNORECASE): continue
            file.write(json.dumps(made) + "\n")


if __name__ == "__main__":
    main()
