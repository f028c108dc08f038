"""Writes the tables of Sources/Text/Unicode/Unicode*.swift: scripts and compatibility mappings.

Both are asked from the `tokenizers` library (0.23.3), whose Unicode versions are 16 and 9, so that the
results are its own. Usage: python make_unicode_tables.py
"""
import os, textwrap
from tokenizers import Regex, normalizers

target = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../Sources/Text/Unicode")
SCRIPTS = """Adlam Ahom Anatolian_Hieroglyphs Arabic Armenian Avestan Balinese Bamum Bassa_Vah Batak Bengali
Bhaiksuki Bopomofo Brahmi Braille Buginese Buhid Canadian_Aboriginal Carian Caucasian_Albanian Chakma Cham
Cherokee Chorasmian Common Coptic Cuneiform Cypriot Cypro_Minoan Cyrillic Deseret Devanagari Dives_Akuru Dogra
Duployan Egyptian_Hieroglyphs Elbasan Elymaic Ethiopic Garay Georgian Glagolitic Gothic Grantha Greek Gujarati
Gunjala_Gondi Gurmukhi Gurung_Khema Han Hangul Hanifi_Rohingya Hanunoo Hatran Hebrew Hiragana Imperial_Aramaic
Inherited Inscriptional_Pahlavi Inscriptional_Parthian Javanese Kaithi Kannada Katakana Kawi Kayah_Li
Kharoshthi Khitan_Small_Script Khmer Khojki Khudawadi Kirat_Rai Lao Latin Lepcha Limbu Linear_A Linear_B Lisu
Lycian Lydian Mahajani Makasar Malayalam Mandaic Manichaean Marchen Masaram_Gondi Medefaidrin Meetei_Mayek
Mende_Kikakui Meroitic_Cursive Meroitic_Hieroglyphs Miao Modi Mongolian Mro Multani Myanmar Nabataean
Nag_Mundari Nandinagari New_Tai_Lue Newa Nko Nushu Nyiakeng_Puachue_Hmong Ogham Ol_Chiki Ol_Onal Old_Hungarian
Old_Italic Old_North_Arabian Old_Permic Old_Persian Old_Sogdian Old_South_Arabian Old_Turkic Old_Uyghur Oriya
Osage Osmanya Pahawh_Hmong Palmyrene Pau_Cin_Hau Phags_Pa Phoenician Psalter_Pahlavi Rejang Runic Samaritan
Saurashtra Sharada Shavian Siddham SignWriting Sinhala Sogdian Sora_Sompeng Soyombo Sundanese Sunuwar
Syloti_Nagri Syriac Tagalog Tagbanwa Tai_Le Tai_Tham Tai_Viet Takri Tamil Tangsa Tangut Telugu Thaana Thai
Tibetan Tifinagh Tirhuta Todhri Toto Tulu_Tigalari Ugaritic Vai Vithkuqi Wancho Warang_Citi Yezidi Yi
Zanabazar_Square""".split()
ALIASES = dict(Latn="Latin", Grek="Greek", Cyrl="Cyrillic", Hani="Han", Hira="Hiragana", Kana="Katakana",
               Hang="Hangul", Arab="Arabic", Hebr="Hebrew", Deva="Devanagari", Zyyy="Common", Zinh="Inherited")
CODES = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]


def ranges(name):
    result = []
    for start in range(0, len(CODES), 1000):
        block = "".join(map(chr, CODES[start:start + 1000]))
        rest = set(normalizers.Replace(Regex(r"\p{%s}" % name), "").normalize_str(block))
        for code in map(ord, block):
            if chr(code) in rest: continue
            if result and result[-1][1] == code - 1: result[-1][1] = code
            else: result.append([code, code])
    return result


def write(name, head, words, tail):
    lines = textwrap.wrap(" ".join(words), 96, break_on_hyphens=False)
    with open(f"{target}/{name}.swift", "w") as file:
        file.write(head + "".join(f"    {line}\n" for line in lines) + tail)


def scripts():
    words = []
    for name in SCRIPTS:
        words.append(name.lower().replace("_", ""))
        words += [f"{a:X}" if a == b else f"{a:X}-{b:X}" for a, b in ranges(name)]
    aliases = ", ".join(f'"{k.lower()}":~"{v.lower()}"' for k, v in ALIASES.items())
    aliases = "\n".join("    " + line.replace("~", " ") for line in textwrap.wrap(aliases + ",", 94))
    write("UnicodeScripts", f'''// Scripts of Unicode 16, for `\\p{{Han}}` in patterns. The table is written by
// Tests/Fixtures/make_unicode_tables.py.

enum UnicodeScripts {{
  /// The characters of a script given in lower case without separators; nil when there is none.
  static func ranges(_ name: String) -> [ClosedRange<UInt32>]? {{ all[aliases[name] ?? name] }}

  private static let aliases = [
{aliases}
  ]

  private static let all: [String: [ClosedRange<UInt32>]] = {{
    var result: [String: [ClosedRange<UInt32>]] = [:]
    var name = ""
    for word in table.split(whereSeparator: {{ $0 == " " || $0 == "\\n" }}) {{
      let ends = word.split(separator: "-").compactMap {{ UInt32($0, radix: 16) }}
      if word.first?.isLowercase == false, let first = ends.first, let last = ends.last {{
        result[name, default: []].append(first...last)
      }} else {{
        name = String(word)
      }}
    }}
    return result
  }}()

  /// Names, each followed by the ranges of its characters.
  private static let table = """
''', words, '    """\n}\n')


def compatibility():
    nfd, nfkd = normalizers.NFD(), normalizers.NFKD()
    words, last, run = [], None, None
    for code in CODES:
        mapped = nfkd.normalize_str(chr(code))
        if mapped == nfd.normalize_str(chr(code)): continue
        if last != code - 1: words.append(f"@{code:X}")
        if last == code - 1 and run and len(mapped) == 1 and ord(mapped) == run[0] + run[1]:
            run[1] += 1
            words[-1] = f"{run[0]:X}*{run[1]}"
        else:
            words.append("+".join(f"{ord(c):X}" for c in mapped))
            run = [ord(mapped), 1] if len(mapped) == 1 else None
        last = code
    write("UnicodeCompatibility", '''// Compatibility mappings of Unicode 9, for NFKC and NFKD: the version used by the `tokenizers`
// library. The table is written by Tests/Fixtures/make_unicode_tables.py.

enum UnicodeCompatibility {
  /// The full mappings of the characters that have one, canonical ones left out.
  static let mappings: [Unicode.Scalar: String.UnicodeScalarView] = {
    var result: [Unicode.Scalar: String.UnicodeScalarView] = [:]
    var code: UInt32 = 0
    for word in table.split(whereSeparator: { $0 == " " || $0 == "\\n" }) {
      if word.first == "@" {
        code = UInt32(word.dropFirst(), radix: 16) ?? 0
        continue
      }
      let run = word.split(separator: "*")
      let scalars = run[0].split(separator: "+").compactMap { UInt32($0, radix: 16) }
      let count = run.count > 1 ? UInt32(run[1]) ?? 1 : 1
      for step in 0..<count {
        if let scalar = Unicode.Scalar(code) {
          result[scalar] = .init(scalars.compactMap { Unicode.Scalar($0 + step) })
        }
        code += 1
      }
    }
    return result
  }()

  /// `@` and a character, then the mappings of this and the following ones: `41+301` are two
  /// characters, `41*26` stands for 26 mappings in a row.
  private static let table = """
''', words, '    """\n}\n')


scripts()
compatibility()
