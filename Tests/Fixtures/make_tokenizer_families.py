"""Writes what the `tokenizers` library (0.23.3) makes of tokenizers laid out as those of real families.

The tokenizers are trained here, on text of our own: the components, their order and their options
are a family's, the vocabulary is not. Each row of tokenizer_families.jsonl holds one file with texts
and their ids (without and with special tokens) and ids with their text (all, and without special
tokens). With a folder and a number, that many more tokenizers of random components are written
there, a folder each, for a long comparison by compare_tokenizers.lua.

Usage: python make_tokenizer_families.py [FOLDER NUMBER [SEED]]
"""
import glob, json, os, random, sys
from tokenizers import Tokenizer, models, trainers, pre_tokenizers

here = os.path.dirname(os.path.abspath(__file__))
string, regex = (lambda s: {"String": s}), (lambda s: {"Regex": s})
BAR = "\u2581"


def normalizers(*steps): return {"type": "Sequence", "normalizers": list(steps)}
def sequence(*steps): return {"type": "Sequence", "pretokenizers": list(steps)}
def decoders(*steps): return {"type": "Sequence", "decoders": list(steps)}
def processors(*steps): return {"type": "Sequence", "processors": list(steps)}
def split(pattern, behavior="Isolated", invert=False):
    return {"type": "Split", "pattern": pattern, "behavior": behavior, "invert": invert}
def replace(pattern, content): return {"type": "Replace", "pattern": pattern, "content": content}
def digits(each=True): return {"type": "Digits", "individual_digits": each}
def punctuation(behavior="Isolated"): return {"type": "Punctuation", "behavior": behavior}
def byte_level(space=False, use=True, trim=True):
    return {"type": "ByteLevel", "add_prefix_space": space, "trim_offsets": trim, "use_regex": use}
def metaspace(scheme="always", cut=True):
    return {"type": "Metaspace", "replacement": BAR, "prepend_scheme": scheme, "split": cut}
def prepend(s): return {"type": "Prepend", "prepend": s}
def strip(content, start, stop):
    return {"type": "Strip", "content": content, "start": start, "stop": stop}
def special(name): return {"SpecialToken": {"id": name, "type_id": 0}}
TEXT, PAIR = {"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}


def template(before=(), after=()):
    """A template; the ids are filled in when the vocabulary is known."""
    single = [*map(special, before), TEXT, *map(special, after)]
    names = {n: {"id": n, "ids": [n], "tokens": [n]} for n in [*before, *after]}
    return {"type": "TemplateProcessing", "single": single, "pair": single + [PAIR],
            "special_tokens": names}


LLAMA3 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
          r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")
QWEN = LLAMA3.replace(r"\p{N}{1,3}", r"\p{N}")
CL100K = (r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}{1,3}"
          r"| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+")
UPPER, LOWER = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
O200K = (rf"[^\r\n\p{{L}}\p{{N}}]?{UPPER}*{LOWER}+(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
         rf"|[^\r\n\p{{L}}\p{{N}}]?{UPPER}+{LOWER}*(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
         r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+")
TEKKEN = (rf"[^\r\n\p{{L}}\p{{N}}]?{UPPER}*{LOWER}+|[^\r\n\p{{L}}\p{{N}}]?{UPPER}+{LOWER}*"
          r"|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+")
NOT_HAN = [c[:-1] + r"&&[^\p{Han}]]" for c in (UPPER, LOWER)]
KIMI = (rf"[\p{{Han}}]+|[^\r\n\p{{L}}\p{{N}}]?{NOT_HAN[0]}*{NOT_HAN[1]}+(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
        rf"|[^\r\n\p{{L}}\p{{N}}]?{NOT_HAN[0]}+{NOT_HAN[1]}*(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
        r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")
DEEPSEEK3 = (r"[!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+"
             r"| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")
LETTERS = r"\s?[A-Za-zµÀ-ÖØ-öø-ƺƼ-ƿǄ-ʓʕ-ʯͰ-ͳͶͷͻ-ͽͿΆΈ-ΊΌΎ-ΡΣ-ϵϷ-ҁҊ-ԯԱ-ՖႠ-ჅᎠ-Ᏽᴀ-ᴫᵫ-ᵷḀ-ἕἘ-Ἕ𐐀-𐑏𞤀-𞥃]+"
FALCON = [punctuation("Contiguous"), byte_level(), digits(False),
          split(regex("[0-9][0-9][0-9]"))]
BLOOM = r" ?[^(\s|[.,!?…。，、।۔،])]+"
GEMMA_SPACE = replace(string(" "), BAR)
VISIBLE = replace(string(BAR), " ")
FALLBACK, FUSE = {"type": "ByteFallback"}, {"type": "Fuse"}
NFC, NFKC = {"type": "NFC"}, {"type": "NFKC"}
LLAMA2 = dict(kind="pieces", normalizer=normalizers(prepend(BAR), GEMMA_SPACE), model={"fuse_unk": True},
              post=template(["<s>"]), decoder=decoders(VISIBLE, FALLBACK, FUSE, strip(" ", 1, 0)))


def family(kind="bytes", **fields): return dict(kind=kind) | fields


END = dict(added=[("<|endoftext|>", {})])
SPACES = [(" " * n, dict(normalized=True, special=False)) for n in (2, 3, 4, 8)]
CHAT = dict(added=[("<|endoftext|>", {}), ("<|im_start|>", {}), ("<|im_end|>", {})])
FAMILIES = {
    "gpt2": family(pre=byte_level(), post=byte_level(trim=False), **END),
    "gpt2-prefix": family(pre=byte_level(True), post=byte_level(True), **END),
    "neox": family(normalizer=NFC, pre=byte_level(), added=END["added"] + SPACES,
                   post=template()),
    "opt": family(pre=byte_level(), post={"type": "RobertaProcessing", "sep": ["</s>", "</s>"],
                  "cls": ["</s>", "</s>"], "trim_offsets": True, "add_prefix_space": False},
                  added=[("</s>", dict(normalized=True))]),
    "roberta": family(pre=byte_level(), post={"type": "RobertaProcessing", "sep": ["</s>", "</s>"],
                      "cls": ["<s>", "<s>"], "trim_offsets": True, "add_prefix_space": False},
                      added=[("<s>", {}), ("</s>", {}), ("<mask>", dict(lstrip=True))]),
    "llama2": LLAMA2,
    "llama2-metaspace": LLAMA2 | dict(normalizer=None, pre=metaspace("first", False)),
    "llama2-legacy": LLAMA2 | dict(normalizer=None, pre=metaspace("always", False),
                                   post=template(["<s>"], ["</s>"])),
    "codellama": LLAMA2 | dict(added=[("▁<PRE>", dict(normalized=False)), ("▁<SUF>", {}),
                               ("▁<MID>", {}), ("▁<EOT>", {})]),
    "mistral-v3": LLAMA2 | dict(normalizer=None, pre=metaspace("first", False),
                                model={"fuse_unk": True, "ignore_merges": True},
                                added=[("[INST]", {}), ("[/INST]", {})]),
    "yi": LLAMA2 | dict(normalizer=normalizers(GEMMA_SPACE), post=None,
                        decoder=decoders(VISIBLE, FALLBACK, FUSE)),
    "phi3": LLAMA2 | dict(added=[("<|endoftext|>", {}), ("<|user|>", dict(rstrip=True)),
                                 ("<|assistant|>", dict(rstrip=True)), ("<|end|>", dict(rstrip=True))]),
    "gemma": LLAMA2 | dict(normalizer=GEMMA_SPACE, pre=split(string(" "), "MergedWithPrevious"),
                           decoder=decoders(VISIBLE, FALLBACK, FUSE),
                           added=[("<pad>", {}), ("\n\n", dict(special=False)),
                                  ("<start_of_turn>", {}), ("\u2581\u2581", dict(special=False))]),
    "internlm": LLAMA2 | dict(added=[("<|im_start|>", {}), ("<|im_end|>", {})],
                              post=processors(template(["<s>"]))),
    "minicpm": LLAMA2 | dict(model={"fuse_unk": True, "byte_fallback": True}, pre=digits()),
    "llama3": family(pre=sequence(split(regex(LLAMA3)), byte_level(use=False)),
                     post=processors(byte_level(), template(["<|begin_of_text|>"])),
                     model={"ignore_merges": True},
                     added=[("<|begin_of_text|>", {}), ("<|eot_id|>", {})]),
    "llama4": family(pre=sequence(split(regex(O200K)), byte_level(use=False)),
                     post=processors(byte_level(), template(["<|begin_of_text|>"])),
                     added=[("<|begin_of_text|>", {}), ("<|eot|>", {})]),
    "tekken": family(pre=sequence(split(regex(TEKKEN)), byte_level(use=False)),
                     post=template(["<s>"]), model={"ignore_merges": True},
                     added=[("<s>", {}), ("</s>", {}), ("[INST]", {})]),
    "qwen2": family(normalizer=NFC, pre=sequence(split(regex(QWEN)), byte_level(use=False)),
                    post=byte_level(False, False, False), **CHAT),
    "qwen3": family(normalizer=NFC, pre=sequence(split(regex(QWEN)), byte_level(use=False)),
                    post=byte_level(False, False, False),
                    added=CHAT["added"] + [("<think>", dict(special=False)),
                                           ("</think>", dict(special=False))]),
    "deepseek": family(pre=sequence(split(regex(r"[\r\n]")), split(regex(LETTERS)),
                       split(regex(r"\s?[!-/:-~！-／：-～‘-‟　-。]+")), split(regex(r"\s+$")),
                       split(regex(r"[一-龥ࠀ-一가-퟿]+")), digits(), byte_level(use=False)),
                       post=template(["<｜begin▁of▁sentence｜>"]),
                       added=[("<｜begin▁of▁sentence｜>", {}), ("<｜User｜>", dict(special=False))]),
    "deepseek3": family(normalizer=normalizers(),
                        pre=sequence(split(regex(r"\p{N}{1,3}")), split(regex(r"[一-龥぀-ゟ゠-ヿ]+")),
                                     split(regex(DEEPSEEK3)), byte_level(use=False)),
                        post=template(["<｜begin▁of▁sentence｜>"]),
                        added=[("<｜begin▁of▁sentence｜>", dict(normalized=True)),
                               ("<｜User｜>", dict(special=False, normalized=True))]),
    "phi2": family(pre=byte_level(), added=END["added"] + SPACES + [("\t\t", dict(special=False, normalized=True))]),
    "starcoder": family(pre=sequence(digits(), byte_level()),
                        added=END["added"] + [("<fim_prefix>", {}), ("<jupyter_code>", {})]),
    "smollm": family(pre=sequence(digits(), byte_level()), **CHAT),
    "falcon": family(pre=sequence(*FALCON), added=[(">>TITLE<<", {}), ("<|endoftext|>", {})]),
    "bloom": family(pre=sequence(split(regex(BLOOM)), byte_level(use=False)),
                    added=[("<unk>", {}), ("<s>", {}), ("</s>", {})]),
    "olmo": family(normalizer=NFC, pre=byte_level(), post=template([], ["<|endoftext|>"]),
                   added=[("<|endoftext|>", {}), ("|||EMAIL|||", dict(special=False, normalized=True))]),
    "olmo2": family(pre=sequence(split(regex(CL100K)), byte_level(use=False)), **CHAT),
    "gpt4": family(pre=sequence(split(regex(CL100K), "Removed", True), byte_level(use=False)), **END),
    "o200k": family(pre=sequence(split(regex(O200K), "Removed", True), byte_level(use=False)), **END),
    "kimi": family(pre=sequence(split(regex(KIMI)), byte_level(use=False)), **CHAT),
    "granite": family(pre=sequence(digits(), byte_level()), post=byte_level(True, True, True),
                      added=[("<|end_of_text|>", {}), ("<|start_of_role|>", {})]),
    "command-r": family(normalizer=NFC, pre=sequence(digits(), byte_level()),
                        post=template(["<BOS_TOKEN>"]),
                        added=[("<BOS_TOKEN>", {}), ("<|START_OF_TURN_TOKEN|>", {})]),
    "stablelm": family(pre=byte_level(), normalizer=NFC, added=END["added"] + SPACES),
    "mpt": family(normalizer=NFC, pre=byte_level(), **END),
    "nemotron": family(pre=sequence(split(regex(O200K)), byte_level(use=False)),
                       model={"ignore_merges": True}, post=template(["<s>"]), added=[("<s>", {})]),
    "exaone": family(normalizer=NFKC, pre=sequence(split(regex(QWEN)), byte_level(use=False)), **CHAT),
    "clip": family("words", normalizer=normalizers(NFC, replace(regex(r"\s+"), " "), {"type": "Lowercase"}),
                   pre=sequence(split(regex(r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"),
                                      "Removed", True), byte_level(use=True)),
                   post={"type": "RobertaProcessing", "sep": ["<|end|>", "<|end|>"], "cls": ["<|start|>",
                         "<|start|>"], "trim_offsets": False, "add_prefix_space": False},
                   decoder=byte_level(), suffix="</w>",
                   added=[("<|start|>", dict(normalized=True)), ("<|end|>", dict(normalized=True))]),
    "gpt1": family("words", normalizer={"type": "BertNormalizer", "clean_text": True,
                   "handle_chinese_chars": True, "strip_accents": None, "lowercase": True},
                   pre={"type": "BertPreTokenizer"}, decoder={"type": "BPEDecoder", "suffix": "</w>"},
                   suffix="</w>", unknown="<unk>", added=[("<unk>", {})]),
    "prefix": family("words", pre={"type": "Whitespace"}, prefix="##", unknown="[UNK]",
                     decoder={"type": "WordPiece", "prefix": "##", "cleanup": True},
                     post={"type": "BertProcessing", "sep": ["[SEP]", "[SEP]"], "cls": ["[CLS]", "[CLS]"]},
                     added=[("[UNK]", {}), ("[CLS]", {}), ("[SEP]", {})]),
    "nllb": family("words", normalizer=normalizers({"type": "Nmt"}, NFKC, replace(regex(" {2,}"), " ")),
                   pre=metaspace("always"), decoder=metaspace("always"), unknown="<unk>",
                   post=template([], ["</s>"]), added=[("<unk>", {}), ("</s>", {}),
                   ("<mask>", dict(lstrip=True))]),
    "whisper": family(pre=byte_level(), post=template(["<|start|>"], ["<|endoftext|>"]),
                      added=[("<|start|>", {}), ("<|endoftext|>", {}), ("<|en|>", {})]),
    "modernbert": family(normalizer=NFC, pre=byte_level(), post=template(["[CLS]"], ["[SEP]"]),
                         added=[("[CLS]", {}), ("[SEP]", {}), ("[MASK]", dict(lstrip=True)),
                                *SPACES, ("|||IP|||", dict(normalized=True, special=False))]),
}

SENTENCES = """The quick brown fox doesn't jump; it's 12,345.67 metres away, they'll say we've been HE'S.
Ein Bär läuft über die Straße, größer als drei Äpfel. Élodie a mangé une crêpe à Besançon, où ça?
Съешь ещё этих мягких французских булок, да выпей чаю. Ελληνικά: Ξεσκεπάζω τὴν ψυχοφθόρα βδελυγμία.
天地玄黄，宇宙洪荒。日月盈昃，辰宿列张。今天是2026年11月22日。いろはにほへと ちりぬるを、カタカナも。
키스의 고유조건은 입술끼리 만나야 한다. العربية: نص حكيم له سر قاطع. עברית: דג סקרן שט בים. हिन्दी: ऋषियों को सताने वाले।
ไทย: เป็นมนุษย์สุดประเสริฐเลิศคุณค่า தமிழ் மொழி ქართული ენა Հայերեն Tiếng Việt: Đường phố
for (int i = 0; i < n; ++i) { sum += a[i] * 0x1F; } // TODO\n\tif x == None:\n        return "a_b" + 'c'
def f(x):\n    return x**2 + 1\r\n\r\nclass A:\n\tpass\n\n\n<div class="x">&nbsp;</div> https://example.org/?q=1&r=2#z
1 22 333 4444 55555 666666 3.14159 1e-10 ½ ² ٣٤٥ Ⅷ 一二三 १२३ $9.99 50% #1 @user +/- ±
Hello\u00a0World\u3000wide\u2003em\u2009thin\u200bzero\u2028line\u2029para\x0bvt\x0cff\x85nel\u1680ogham\u202fnarrow
e\u0301 a\u0308\u0323 o\u0323\u0302 \u1100\u1161\u11a8 가각 \ufb01 ﬂ ﬃ ℌ ① ㎏ ｱｲｳ ＡＢＣ１２３ ŉ ǆ ſ K İ ı ß ẞ ΐ
👨\u200d👩\u200d👧\u200d👦 👍🏽 🇩🇪🇫🇷 ❤\ufe0f 🙂🙃 1\ufe0f\u20e3 🏴\U000e0067\U000e0062\U000e007f \U0001f9d1\u200d\U0001f680
\x00\x01\x02\x1b[31mred\x1b[0m\x7f\x80\x9f\ufeff\ufffd\ufffe\U0010ffff\ue000 \u202eRTL\u202c \u00ad soft
"Quoted" 'single' “curly” ‘it’s’ «guillemets» — dash – en … ellipsis ‼ ⁉ ¡Hola! ¿Qué? (a) [b] {c} <d>"""
SENTENCES = [s.encode("utf-8").decode("utf-8").replace("\\n", "\n").replace("\\t", "\t").replace("\\r", "\r")
             for s in SENTENCES.split("\n")]
PARTS = list("abcdeostTHEwAB  \t\n\r'.,!?-_0123456789<>|/x") + [
    " ", "  ", "    ", "\n\n", "\r\n", " \n", "\n ", "é", "e\u0301", "ß", "ſ", "’", "日本", "中", "\u3000",
    "\u00a0", "½", "²", "٣", "🙂", "\u200d", "ﬁ", "가", "\u1100\u1161", BAR, "\u0085", "\x0b", "K", "İ",
    "word", "The", " the", "'s", "'RE", "'ll", "don't", "I'M", "abc", "ab12", "1234567", "<0x41>", "\x00",
    "Ünï", "नमस्ते", "สวัสดี", "Привет", "\u0301", "ǅ", "\U0001f469\u200d\U0001f4bb", "\ufeff", "»", "。",
    "return", "\tif", "x=1;", "//", "</s>", "<s>", "<|", "|>", "ΑΣ", "ﷺ", "ͺ", "\u0345", "\U0001d400", "㌀"]


def own_text():
    paths = sorted(glob.glob(f"{here}/../../docs/*.md") + glob.glob(f"{here}/../../Sources/Text/**/*.swift", recursive=True))
    lines = [line for path in paths[:30] for line in open(path, encoding="utf-8")][:1500]
    return lines + SENTENCES * 12


LINES = own_text()


def build(fields, size, rng):
    """A tokenizer.json with the components of `fields`, trained on our text."""
    kind = fields["kind"]
    added = list(fields.get("added", []))
    file = {"version": "1.0", "truncation": None, "padding": None, "added_tokens": [],
            "normalizer": fields.get("normalizer"), "pre_tokenizer": fields.get("pre"),
            "post_processor": None, "decoder": None, "model": {"type": "BPE", "vocab": {}, "merges": []}}
    trainee = Tokenizer.from_str(json.dumps(file))
    first = []
    if kind == "pieces":
        first = ["<unk>", "<s>", "</s>"] + [f"<0x{b:02X}>" for b in range(256)]
        added = [("<unk>", {}), ("<s>", {}), ("</s>", {})] + added
    if fields.get("unknown"): first = [fields["unknown"]]
    alphabet = pre_tokenizers.ByteLevel.alphabet() if kind == "bytes" else []
    options = {} if kind == "bytes" else {"limit_alphabet": 120}
    if fields.get("prefix"): options["continuing_subword_prefix"] = fields["prefix"]
    if fields.get("suffix"): options["end_of_word_suffix"] = fields["suffix"]
    if kind == "pieces" and not fields.get("pre"): options["max_token_length"] = 8
    trainer = trainers.BpeTrainer(vocab_size=len(first) + size, initial_alphabet=sorted(alphabet),
                                  special_tokens=first, show_progress=False, **options)
    trainee.train_from_iterator(LINES, trainer)
    trained = json.loads(trainee.to_str())["model"]
    vocab = trained["vocab"]
    model = {"type": "BPE", "dropout": None, "unk_token": fields.get("unknown"),
             "continuing_subword_prefix": fields.get("prefix"), "end_of_word_suffix": fields.get("suffix"),
             "fuse_unk": False, "byte_fallback": False, "ignore_merges": False}
    if kind == "pieces": model |= {"unk_token": "<unk>", "byte_fallback": True}
    merges = trained["merges"]
    if rng.random() < 0.4 and all(" " not in a + b for a, b in merges):
        merges = [f"{a} {b}" for a, b in merges]
    file["model"] = model | fields.get("model", {}) | {"vocab": vocab, "merges": merges}
    next_id = 1 + max(vocab.values())
    ids = dict(vocab)
    for content, flags in added:
        if content not in ids: ids[content], next_id = next_id, next_id + 1
        entry = dict(id=ids[content], content=content, single_word=False, lstrip=False, rstrip=False,
                     normalized=False, special=True) | flags
        if all(t["content"] != content for t in file["added_tokens"]): file["added_tokens"].append(entry)
    file["added_tokens"].sort(key=lambda t: t["id"])
    file["post_processor"] = numbered(fields.get("post"), ids)
    file["decoder"] = fields.get("decoder", byte_level() if kind == "bytes" else None)
    return file


def numbered(item, ids):
    """The post-processor with ids for the names in it."""
    if isinstance(item, list): return [numbered(i, ids) for i in item]
    if not isinstance(item, dict): return item
    result = {k: numbered(v, ids) for k, v in item.items()}
    for key in ("sep", "cls"):
        if key in item: result[key] = [item[key][0], ids[item[key][1]]]
    if "ids" in item: result["ids"] = [ids[i] for i in item["ids"]]
    return result


def texts(file, count, rng):
    specials = [t["content"] for t in file["added_tokens"]]
    specials += [f" {s}" for s in specials] + [f"{s} " for s in specials] + [f"a{s}b" for s in specials]
    result = []
    while len(result) < count:
        kind = rng.random()
        if kind < 0.12:
            text = rng.choice(SENTENCES)
        elif kind < 0.2:
            line = rng.choice(LINES)
            start = rng.randrange(len(line) + 1)
            text = line[start:start + rng.randrange(60)]
        elif kind < 0.27:
            text = rng.choice(PARTS) * rng.randrange(1, 70)
        elif kind < 0.34:
            text = "".join(chr(rng.choice([rng.randrange(0x250), rng.randrange(0xd800), rng.randrange(0xe000, 0x110000),
                           rng.randrange(0x2000, 0x3400)])) for _ in range(rng.randrange(1, 12)))
        else:
            pool = PARTS + specials * 2
            text = "".join(rng.choice(pool) for _ in range(rng.choice([1, 3, 8, 20, 40])))
        result.append(text)
    return result


NAMES = (r"\w \s \d \h \p{L} \p{M} \p{P} \p{S} \p{Cn} \p{Cf} \p{Han} \p{Latin} \p{Cyrillic} \p{Greek} \p{Arabic} \p{Hangul}"
         r" \p{Hiragana} \p{Katakana} \p{Thai} \p{Devanagari} \p{Common} \p{Inherited} \p{Alpha} \p{Alnum} \p{Upper}"
         r" \p{Lower} \p{Graph} \p{Print} \p{Emoji} \p{Math} \p{Cased} \p{ID_Start} \p{Other_Letter} [[:punct:]] [[:word:]]"
         r" \p{Blank} \R (?i)k (?i)[s-u] \p{^Han} \P{Uppercase_Letter}").split()


def unicode_rows(rng):
    """Single characters of all of Unicode against sets of characters and normalizations."""
    codes = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]
    near = codes[:0x3400] + codes[0xF000:0x10000] + codes[0xF800:0x1F000]
    plain = build(family(pre=byte_level(use=False)), 256, rng)
    for pattern in NAMES:
        file = plain | {"normalizer": replace(regex(pattern), "")}
        tokenizer = Tokenizer.from_str(json.dumps(file))
        text = "".join(map(chr, rng.sample(near, 120) + rng.sample(codes, 30)))
        yield pattern, file, [text, "".join(chr(c) for c in range(0x2B, 0x180))], tokenizer
    bert = {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True, "strip_accents": True, "lowercase": False}
    for step in [*({"type": t} for t in "NFC NFD NFKC NFKD Nmt Lowercase StripAccents".split()), bert]:
        file = plain | {"normalizer": step}
        tokenizer = Tokenizer.from_str(json.dumps(file))
        changed = [c for c in near[::3] if tokenizer.normalizer.normalize_str(chr(c)) != chr(c)]
        text = "".join(map(chr, rng.sample(changed, min(150, len(changed))) + rng.sample(near, 60)))
        marks = "".join(rng.choice("aeioun\u1100\uac00\u0301\u0323\u0308\u1161\u11a8\u0345\u0f71\u0f72\u302a\u1ab0\u08ca\U0001e8d0") for _ in range(60))
        yield step["type"], file, [text, marks], tokenizer


def measured(name, file, count, rng):
    """The file with the library's results, or None where the library itself fails."""
    tokenizer = Tokenizer.from_str(json.dumps(file))
    encode, decode = [], []
    for text in texts(file, count, rng):
        try:
            plain = tokenizer.encode(text, add_special_tokens=False).ids
            encode.append([text, plain, tokenizer.encode(text).ids])
        except BaseException as error:
            if not isinstance(error, Exception) and type(error).__name__ != "PanicException": raise
    size = tokenizer.get_vocab_size()
    lists = [ids for _, _, ids in encode if ids][: count // 3]
    lists += [[rng.randrange(size) for _ in range(rng.choice([1, 2, 5, 20]))] for _ in range(count // 3)]
    for ids in lists:
        try:
            decode.append([ids, tokenizer.decode(ids, skip_special_tokens=False), tokenizer.decode(ids)])
        except BaseException as error:
            if not isinstance(error, Exception) and type(error).__name__ != "PanicException": raise
    return {"name": name, "tokenizer": file, "encode": encode, "decode": decode}


CUTS = ["Removed", "Isolated", "Contiguous", "MergedWithPrevious", "MergedWithNext"]
PATTERNS = [LLAMA3, QWEN, CL100K, O200K, TEKKEN, KIMI, DEEPSEEK3, BLOOM, LETTERS, r"\s+$", r"(?<=[a-z])(?=[A-Z])",
            r"(?<!\S)\w+", r"(?i)the|ab", r"[[:alpha:]]+", r"[\p{L}&&[^a-z]]+", r"\p{Alpha}+|\p{Digit}+", r"(?<=\d{2})a|\p{Han}",
            r"\h+", r"\R", r"(?:a|b)*+c?", r"\p{Lu}?\p{Ll}+", r"[^\S\n]+", r"(?m:.)+", r"(?<w>\w)\d?", r"\p{Cyrillic}+|\p{Greek}+",
            r"\p{Latin}+|\p{Arabic}|\p{Hangul}+", r"[\p{Hiragana}\p{Katakana}]+", r"(?:a|b*c)*d", r"\S+?\b", r"\p{^N}\p{N}"]


def random_family(rng):
    chance = lambda p: rng.random() < p
    kind = rng.choice(["bytes", "bytes", "pieces", "words"])
    steps = [NFC, {"type": "NFD"}, NFKC, {"type": "NFKD"}, {"type": "Lowercase"}, {"type": "StripAccents"}, {"type": "Nmt"},
             {"type": "Strip", "strip_left": chance(0.5), "strip_right": chance(0.5)}, prepend(rng.choice([BAR, "_", " a"])),
             replace(string(rng.choice([" ", "a", "  ", "'"])), rng.choice([BAR, "", "b", " "])),
             replace(regex(rng.choice([r"\s+", r" {2,}", r"[0-9]", r"(?i:e)", r"\s$", "^ ", r"\p{M}"])), rng.choice([" ", "", "#"])),
             {"type": "BertNormalizer", "clean_text": chance(0.5), "handle_chinese_chars": chance(0.5),
              "strip_accents": rng.choice([None, True, False]), "lowercase": chance(0.5)}]
    cuts = [digits(chance(0.5)), punctuation(rng.choice(CUTS)), {"type": "WhitespaceSplit"}, {"type": "Whitespace"},
            {"type": "BertPreTokenizer"}, {"type": "CharDelimiterSplit", "delimiter": rng.choice("e -\u00e9")},
            {"type": "FixedLength", "length": rng.randrange(1, 9)},
            metaspace(rng.choice(["always", "first", "never"]), chance(0.6)), byte_level(chance(0.5), chance(0.5)),
            split(string(rng.choice([" ", "a", "\n", "."])), rng.choice(CUTS), chance(0.3))] + [
            split(regex(rng.choice(PATTERNS)), rng.choice(CUTS), chance(0.3)) for _ in range(8)]
    fields = dict(kind=kind, added=[], model={"ignore_merges": chance(0.3), "fuse_unk": chance(0.5), "dropout": rng.choice([None, 0.0])})
    chosen = rng.sample(steps, rng.choice([0, 0, 1, 1, 2, 3]))
    fields["normalizer"] = None if not chosen else chosen[0] if len(chosen) == 1 and chance(0.5) else normalizers(*chosen)
    chosen = rng.sample(cuts, rng.choice([0, 1, 1, 2, 2, 3]))
    if kind == "bytes":
        chosen = [c for c in chosen if c["type"] != "ByteLevel"] + [byte_level(chance(0.3), chance(0.3))]
    fields["pre"] = None if not chosen else chosen[0] if len(chosen) == 1 and chance(0.5) else sequence(*chosen)
    if kind == "words":
        if chance(0.7): fields["unknown"] = "<unk>"
        if chance(0.3): fields["prefix"] = rng.choice(["##", "@@"])
        if chance(0.4): fields["suffix"] = "</w>"
    contents = ["<x>", "<lx>", "<x><y>", "word", "The", "é!", "a b", "<|end|>", "  ", "\n", "▁▁", "日", "ﬁ", "</s>", "tok"]
    for content in rng.sample(contents, rng.randrange(7)):
        flags = {k: chance(0.3) for k in ("lstrip", "rstrip", "single_word", "normalized")} | {"special": chance(0.6)}
        # Normalized to nothing, a token would be an empty pattern, which the library finds anywhere.
        fields["added"].append((content, flags | ({} if content.strip() else {"normalized": False})))
    fields["added"] += [("<b>", {}), ("<e>", {})]
    ends = (["<b>"] if chance(0.5) else [], ["<e>"] if chance(0.3) else [])
    pair = {"sep": ["<e>", "<e>"], "cls": ["<b>", "<b>"]}
    posts = [template(*ends), {"type": "BertProcessing"} | pair, byte_level(),
             {"type": "RobertaProcessing", "trim_offsets": chance(0.5), "add_prefix_space": chance(0.5)} | pair]
    fields["post"] = rng.choice([None, *posts, processors(*rng.sample(posts, 2))])
    outs = [VISIBLE, FALLBACK, FUSE, metaspace(rng.choice(["always", "first", "never"])), byte_level(),
            replace(regex(rng.choice(["[aeiou]+", "e ?.t", r"\s"])), rng.choice(["*", "", " "])), strip(rng.choice(" e"), rng.randrange(3), 0),
            {"type": "BPEDecoder", "suffix": "</w>"}, {"type": "WordPiece", "prefix": "##", "cleanup": chance(0.5)}]
    chosen = rng.sample(outs, rng.choice([0, 1, 2, 3, 4]))
    if chance(0.5): fields["decoder"] = None if not chosen else chosen[0] if len(chosen) == 1 else decoders(*chosen)
    return fields


def main():
    if len(sys.argv) == 1:
        rng = random.Random(11)
        with open(f"{here}/tokenizer_families.jsonl", "w", encoding="ascii") as out:
            for name, fields in FAMILIES.items():
                file = build(fields, 240, rng)
                out.write(json.dumps(measured(name, file, 14, rng)) + "\n")
            base = None
            for name, file, lines, tokenizer in unicode_rows(rng):
                encode = [[t, *[tokenizer.encode(t).ids] * 2] for t in lines]
                row = {"name": name, "tokenizer": file if base is None else None, "encode": encode, "decode": []}
                if base: row["normalizer"] = file["normalizer"]
                base = file
                out.write(json.dumps(row) + "\n")
        return
    folder, number, seed = sys.argv[1], int(sys.argv[2]), int((sys.argv + ["1"])[3])
    names = list(FAMILIES.items())
    for index in range(number):
        rng = random.Random(seed * 100_000 + index)
        name, fields = names[index] if index < len(names) else (f"random{index}", random_family(rng))
        try:
            file = build(fields, rng.choice([300, 500, 900]), rng)
            row = measured(name, file, 300, rng)
        except BaseException as error:
            if not isinstance(error, Exception) and type(error).__name__ != "PanicException": raise
            print(name, "skipped:", repr(error)[:200])
            continue
        path = f"{folder}/{index:04}-{name}"
        os.makedirs(path, exist_ok=True)
        with open(f"{path}/tokenizer.json", "w") as out: json.dump(row.pop("tokenizer"), out)
        with open(f"{path}/cases.json", "w") as out: json.dump(row, out)


main()
