"""Writes tokenizer_components.jsonl: what the `tokenizers` library (0.23.3) makes of single components.

Each row changes one or more components of a stored tokenizer.json and holds texts with their ids
and ids with their text. Usage: python make_tokenizer_components.py PATH_OF_FIXTURES
"""
import json, random, sys
from tokenizers import Tokenizer

root = sys.argv[1]
bases = {name: json.load(open(f"{root}/models/{name}/tokenizer.json"))
         for name in ("stories260K", "tiny-qwen2-tied")}
random.seed(7)
string, regex = (lambda s: {"String": s}), (lambda s: {"Regex": s})
sequence = lambda key, *steps: {"type": "Sequence", key: list(steps)}
split = lambda p, b="Isolated", i=False: {"type": "Split", "pattern": p, "behavior": b, "invert": i}
digits = {"type": "Digits", "individual_digits": True}
metaspace = lambda s, split=True: {"type": "Metaspace", "replacement": "\u2581",
                                   "prepend_scheme": s, "split": split}
byte_level = lambda space, use: {"type": "ByteLevel", "add_prefix_space": space,
                                 "trim_offsets": True, "use_regex": use}
visible = {"type": "Replace", "pattern": string("\u2581"), "content": " "}

normalizers = [{"type": t} for t in ("NFC", "NFD", "Lowercase")] + [
    {"type": "Strip", "strip_left": True, "strip_right": True},
    sequence("normalizers", {"type": "NFD"}, {"type": "StripAccents"}),
    {"type": "Replace", "pattern": regex(r"\s+"), "content": " "},
    {"type": "Replace", "pattern": regex(r"(?i:t|e)h?"), "content": "é"},
    {"type": "Replace", "pattern": string("a"), "content": "bb"},
    {"type": "Prepend", "prepend": "_"}]
patterns = [
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m"
    r"|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+",
    r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]"
    r"|\s+(?!\S)|\s+",
    r"\b\w+\b", r"^\w+|\w+$", r"(\w)+?\s", r"a*?b|(?:ab){1,2}|(?=e)e\w", r"[\s\S]{1,4}", r".",
    r"[^a-z ]+", r"(?>a|ab)c|\W", r"(a|b|ab)*c|h(?!e)", r"\w{2,}?\b|\B\W", r"[\p{P}\p{S}]|\p{^L}",
    r"\A.|.\z|\d{2,3}", r"x{,2}y|\x41|[\x{61}-c]|\u0065", r"(?i)the|HE", r"e{2}+|l{1}?", r"x*"]
pre_tokenizers = [split(regex(p)) for p in patterns] + [
    {"type": "Punctuation", "behavior": "Isolated"}, {"type": "Digits", "individual_digits": False},
    digits, {"type": "Whitespace"}, {"type": "WhitespaceSplit"}, {"type": "BertPreTokenizer"},
    {"type": "CharDelimiterSplit", "delimiter": "e"}] + [
    split(regex(r"[aeiou]| |\d"), b, i) for i in (False, True) for b in
    ("Removed", "Isolated", "Contiguous", "MergedWithPrevious", "MergedWithNext")] + [
    metaspace(s, k) for s in ("always", "first", "never") for k in (True, False)] + [
    sequence("pretokenizers", digits, metaspace("first"))]
byte_levels = [byte_level(a, b) for a in (True, False) for b in (True, False)] + [
    sequence("pretokenizers", digits, byte_level(True, True)),
    sequence("pretokenizers", byte_level(False, True), {"type": "Punctuation", "behavior": "Isolated"})]
decoders = [None, {"type": "Fuse"}, byte_level(True, True), {"type": "ByteFallback"},
    metaspace("always"), metaspace("never"),
    {"type": "Replace", "pattern": regex("[aeiou]+"), "content": "*"},
    sequence("decoders", {"type": "Fuse"},
             {"type": "Replace", "pattern": regex("e ?.t"), "content": "#"}),
    sequence("decoders", {"type": "ByteFallback"}, metaspace("always")),
    sequence("decoders", visible, {"type": "ByteFallback"}, {"type": "Fuse"},
             {"type": "Strip", "content": " ", "start": 2, "stop": 2}),
    {"type": "Strip", "content": "e", "start": 0, "stop": 1}]
models = [{"byte_fallback": False}, {"byte_fallback": False, "fuse_unk": False},
          {"byte_fallback": False, "unk_token": None}, {"ignore_merges": True}, {}]
added = [("<x>", {}), ("<lx>", {"lstrip": True}), ("<rx>", {"rstrip": True}), ("<x><y>", {}),
         ("word", {"single_word": True}), ("The", {"normalized": True, "special": False}),
         ("é!", {"normalized": True}), ("a b", {"normalized": True})]
alphabet = list("abcdehilostuTHEwABC  \t\n\r'.,!?-_0123456789<>x") + [
    "é", "e\u0301", "ß", "ſ", "’", "日", "\u3000", "\u00a0", "½", "²", "٣", "🙂", "\u200d", "ﬁ", "가",
    "\u1100\u1161", "\u2581", "\u0085", "\x0b", "K", "İ", "<x>", "<x><y>", "<lx>", " <lx>", " <rx> ",
    "word", "word", "The", "the", "'s", "'RE", "ab", "abc", "a b", "<0x41>"]


def text():
    return "".join(random.choice(alphabet) for _ in range(random.choice([1, 3, 12, 40])))


def row(base, changes):
    file = json.loads(json.dumps(bases[base]))
    model = changes.pop("model", {})
    file |= changes
    file["model"] |= model
    first = 1 + max([*file["model"]["vocab"].values(), *(t["id"] for t in file["added_tokens"])])
    new = [dict(id=first + i, content=c, single_word=False, lstrip=False, rstrip=False,
                normalized=False, special=True) | o for i, (c, o) in enumerate(added)]
    file["added_tokens"] += new
    tokenizer = Tokenizer.from_str(json.dumps(file))
    texts = [text() for _ in range(6)]
    lists = [[random.randrange(first + len(new)) for _ in range(n)] for n in (1, 4, 12)]
    return dict(base=base, changes=changes, model=model, added=new,
                encode=[[t, tokenizer.encode(t, add_special_tokens=False).ids] for t in texts],
                decode=[[i, tokenizer.decode(i, skip_special_tokens=False)] for i in lists])


plain = {"normalizer": None, "pre_tokenizer": None}
rows = [row("stories260K", plain | {"normalizer": n}) for n in normalizers]
rows += [row("stories260K", plain | {"pre_tokenizer": p, "model": models[i % 5]})
         for i, p in enumerate(pre_tokenizers)]
rows += [row("tiny-qwen2-tied", {"pre_tokenizer": p}) for p in byte_levels]
rows += [row("stories260K", {"decoder": d, "model": models[i % 5]}) for i, d in enumerate(decoders)]
with open("tokenizer_components.jsonl", "w") as file:
    for item in rows:
        file.write(json.dumps(item, ensure_ascii=True) + "\n")
