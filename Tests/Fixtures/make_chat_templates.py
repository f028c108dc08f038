"""Writes chat_templates.jsonl: what jinja2 (3.1.6), set up by transformers (5.24), makes of templates of ours.

Each row holds a template, its variables (null: the `data` of the first row), and the text, or
`"error": true` where rendering fails. The templates use the constructs that those of published models
use. Usage: python make_chat_templates.py
"""
import datetime, json, os
from transformers.utils import chat_template_utils

NOW = 1_700_000_000  # the tests' now, in UTC


class Clock(datetime.datetime):
    @classmethod
    def now(cls):
        return cls.fromtimestamp(NOW, datetime.timezone.utc)


chat_template_utils.datetime = Clock

TURNS = """{#- every kind of message -#}
{%- set ns = namespace(last=-1, system='', tools=false) %}
{%- if messages[0].role == 'system' %}{% set ns.system = messages[0]['content'] | trim %}{% endif %}
{%- for m in messages[::-1] %}
    {%- set index = (messages | length - 1) - loop.index0 %}
    {%- if ns.last < 0 and m.role == "user" and not (m.content is string and m.content.startswith('<r>') and m.content.endswith('</r>')) %}
        {%- set ns.last = index %}
    {%- endif %}
{%- endfor %}
{{- bos_token }}{{ '[S]' ~ ns.system ~ '[/S]\\n' if ns.system else '' }}
{%- if tools is defined and tools is not none %}
    {%- for tool in tools %}
        {{- '\\n' + (tool | tojson) }}
        {{- tool | tojson(indent=2) }}
    {%- endfor %}
{%- endif %}
{%- for message in (messages[1:] if messages[0].role == 'system' else messages) %}
    {%- if message.role not in ['user', 'assistant', 'tool'] %}
        {{- raise_exception('No role ' + message.role + ' here!') }}
    {%- elif message.role == 'user' and loop.first %}
        {{- '<u1>' + message.content + '</u1>' }}
    {%- elif message.role == 'assistant' %}
        {%- set content, thought = message.content or '', '' %}
        {%- if message.reasoning_content is string %}
            {%- set thought = message.reasoning_content %}
        {%- elif '</think>' in content %}
            {%- set thought = content.split('</think>')[0].rstrip('\\n').split('<think>')[-1].lstrip('\\n') %}
            {%- set content = content.split('</think>')[-1].lstrip('\\n') %}
        {%- endif %}
        {%- generation %}{{ '<a' ~ loop.index0 ~ '>' }}{% if thought and loop.index0 > ns.last %}({{ thought.strip('\\n') }}){% endif %}{{ content }}
        {%- endgeneration %}
        {%- for call in message.tool_calls or [] %}
            {%- if call.function %}{% set call = call.function %}{% endif %}
            {{- '\\n{"name": "' ~ call.name ~ '", "arguments": ' }}
            {{- call.arguments if call.arguments is string else call.arguments | tojson }}}
        {%- endfor %}
    {%- else %}
        {{- '<' + message.role + '>' }}{{ message.content | upper if message.role == 'tool' else message.content }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<a>' }}{%- if enable_thinking is defined and enable_thinking is false %}{{ '<think></think>' }}{% endif %}
{%- endif %}
"""
PARTS = """{% macro show(content, sep=', ', wrap=none) -%}
{%- if content is string -%}{{ content }}{%- elif content is mapping -%}{{ content | items | list }}
{%- elif content is iterable -%}
{% for part in content if part.type == 'text' -%}
{{ part.text }}{{ sep if not loop.last }}
{%- else -%}
(nothing)
{%- endfor -%}
{%- endif -%}
{% if wrap %}{{ wrap[0] + wrap[1:]|join('-') }}{% endif %}
{%- endmacro -%}
{% for m in messages %}
{% if m.role == 'system' %}{% continue %}{% endif %}
{% if loop.index > 3 %}{% break %}{% endif %}
{{ loop.cycle('odd', 'even') }} {{ m['role'].capitalize() }}: {{ show(m.content, sep=' | ') }}
{{ show(m.content, wrap=['x', 'y', 'z']) -}}
  {% if not loop.last %}

next {{ loop.nextitem.role }}{% else %} end{% endif %}
{% endfor %}
{{ messages | selectattr('role', 'equalto', 'user') | list | length }} {{ messages | rejectattr('role', 'in', ['user', 'system']) | map(attribute='role') | join(',') }}
{%- set text -%}
  {{ messages | map(attribute='content') | select('string') | first | default('none', true) }}
{%- endset %}
{{ text | trim | length }} {{ strftime_now('%d %b %Y') }}{{ eos_token }}
"""
system = {"role": "system", "content": "  You are “kind”.\n"}
user = {"role": "user", "content": "Héllo <b>'you'</b> 👩‍👩‍👧 日本"}
answer = {"role": "assistant", "content": "<think>\nhm\n</think>\n\n4\n"}
thought = {"role": "assistant", "content": "5", "reasoning_content": "so"}
call = {"role": "assistant", "content": None, "tool_calls": [{"type": "function", "function": {
    "name": "f", "arguments": {"city": "Zürich", "n": 1, "x": 1.5, "ok": True, "no": None, "l": [[], {}]}}}]}
result = {"role": "tool", "content": "21 °c"}
parts = {"role": "user", "content": [{"type": "text", "text": "look"}, {"type": "image"}, {"type": "text", "text": "here"}]}
tool = {"type": "function", "function": {"name": "f", "description": "says \"é\" & <b>\t\u0001", "parameters": {
    "type": "object", "properties": {"city": {"type": "string", "enum": ["a", 1, 2.5e-7, None, False]}}, "required": []}}}
conversations = [[user], [system, user], [system, user, answer, user], [user, answer], [user, thought, user, thought],
    [user, call, result], [system, user, call, result, answer], [parts, answer, user, user, user],
    [{"role": "alien", "content": "?"}], [{"role": "user"}], [], [{"role": "user", "content": "<r>x</r>"}]]
extras = [{}, {"add_generation_prompt": True}, {"add_generation_prompt": True, "enable_thinking": False, "tools": [tool]}]

data = {"n": 7, "m": -3, "f": 2.5, "big": 1e16, "small": 1.5e-5, "s": "Héllo, wörld", "e": "", "t": True, "z": None,
    "l": [3, 1, 2], "w": ["b", "A", "c"], "d": {"b": 1, "a": [1, {"x": "y"}], "items": 5}, "sp": "  a\tb\n c  ",
    "rows": [{"k": "x", "v": {"n": 2}}, {"k": "Y", "v": {"n": 1}}, {"k": "x"}]}
# Expressions, with ;; between them.
expressions = """n + m * 2 - f ;; n / 2 ;; n // 2 ;; m // 2 ;; n % 3 ;; m % 3 ;; -n ** 2 ;; 2 ** 10 ;; 2 ** -1 ;; f // 1 ;; f % 2
big ;; small ;; 1 == 1.0 ;; true == 1 ;; 'a' < 'b' ;; 'Z' < 'a' ;; 1 < 2 < 3 ;; 1 < 3 < 2 ;; n in l ;; 3 in l ;; 'a' in d
'wör' in s ;; not t and z ;; z or e or 'x' ;; t and s ;; l == [3, 1, 2] ;; (1, 2) == (1, 2) ;; [1] == (1,) ;; 7 not in l
d == {'a': [1, {'x': 'y'}], 'b': 1, 'items': 5} ;; 'a' ~ 1 ~ none ~ true ~ 1.0 ;; {'a': (1,), 2: {}} ;; () ;; (1, 2)[0]
[1, 'a', none, true, 1.5, "it's", 'q"', "\\n\\t\\\\", 'é\\u200b', 'b\\'"'] ;; l[-1] ;; l[5] is defined ;; l[::-1] ;; l[1:]
l[:-1] ;; l[::2] ;; l[-9:9] ;; l[::-2] ;; s[0] ;; s[-1] ;; s[1:4] ;; s[::-1] ;; s[10:] ;; s[:99] ;; s[5:2] ;; l + [4] ;; l * 2
'ab' * 3 ;; d.a[1].x ;; d['b'] ;; d.items is defined ;; d['items'] ;; d.get('b') ;; d.get('q') ;; d.get('q', 3) ;; d ;; rows.0.k
d.keys() | list ;; d.values() | list ;; d.items() | list ;; d | length ;; s | length ;; s.upper() ;; s.lower() ;; s.title()
s.capitalize() ;; s.split(', ') ;; sp.split() ;; sp.split(none, 1) ;; sp.rsplit(none, 1) ;; 'a,b,c'.split(',', 1)
'a,b,c'.rsplit(',', 1) ;; [sp.strip(), sp.lstrip(), sp.rstrip()] ;; 'xxaxx'.strip('x') ;; 'a\\nb\\r\\nc'.splitlines()
s.replace('l', 'L') ;; s.replace('l', 'L', 1) ;; 'ab'.replace('', '-') ;; s.startswith('Hé') ;; s.startswith(('x', 'H'))
s.endswith('d') ;; s.find('w') ;; s.find('q') ;; s.count('l') ;; 'aaa'.rfind('a') ;; '-'.join(['a', 'b']) ;; s.partition(', ')
'abc'.removeprefix('a') ;; 'abc'.removesuffix('c') ;; '12'.isdigit() ;; ' '.isspace() ;; 'aB'.isupper() ;; l.index(1) ;; l.count(1)
s | upper ;; s | lower ;; s | capitalize ;; "it's a-b (c" | title ;; [sp | trim] ;; s | replace('l', '') ;; s | reverse
l | reverse | list ;; l | first ;; l | last ;; e | first is defined ;; l | sort ;; l | sort(reverse=true) ;; w | sort
w | sort(case_sensitive=true) ;; rows | sort(attribute='k') | map(attribute='k') | join ;; w | join('+') ;; l | join(', ') ;; l | sum
l | max ;; w | min ;; rows | map(attribute='v.n', default=0) | list ;; rows | selectattr('v') | list | length ;; l | select('odd') | list
rows | selectattr('k', 'eq', 'x') | list | length ;; rows | rejectattr('v', 'defined') | map(attribute='k') | list
l | reject('gt', 1) | list ;; l | map('string') | list ;; w | map('upper') | join ;; ['a', 'A', 'b'] | unique | list ;; d | dictsort
d | tojson ;; d | tojson(indent=4) ;; s | tojson ;; s | tojson(true) ;; [] | tojson(indent=2) ;; l | tojson(separators=(',', ':'))
f | tojson ;; none | tojson ;; d | tojson(sort_keys=true) ;; 1e16 | tojson ;; [l, d] | tojson ;; f | int ;; '12' | int ;; 'x' | int
'x' | int(5) ;; '2.5' | float ;; 3 | float ;; m | abs ;; f | round ;; 2.7 | round ;; 2.3 | round(0, 'ceil') ;; n | string
e | default('d') ;; e | default('d', true) ;; q | default('u') ;; s | indent(2) ;; 'a\\nb\\n\\nc' | indent ;; 'a\\nb' | indent(2, true)
'a' | safe ;; s | list ;; range(5) | list ;; range(1, 9, 3) | list ;; range(3, 0, -1) | list ;; n is odd ;; n is even
n is divisibleby 7 ;; n is divisibleby(2) ;; n is number ;; f is float ;; n is integer ;; t is boolean ;; z is none ;; q is undefined
q is not defined ;; s is string ;; d is mapping ;; l is sequence ;; l is iterable ;; 5 is iterable ;; n is sequence ;; t is true
e is false ;; z is sameas none ;; 'a' is lower ;; 'A' is upper ;; n is gt 5 ;; n is le(7) ;; 'l' is in s ;; n is eq 7 ;; range is callable
q | length ;; q ~ 'x' ;; [q] ;; 'x' if q ;; 'x' if q else 'y' ;; (q or 'y') ;; 'a' 'b' ;; 0.1 + 0.2 ;; 1e3 ;; 1_000 ;; 1e22 ;; 3.0 ;; -0.0
123456789.0 * 1000 ;; l | length > 2 and 'long' or 'short' ;; namespace(a=1).a ;; dict(a=1, b=[2]) ;; dict([('a', 1)])
s.split('l')[-1][::-1] ;; (d.a | last).x ;; loop is defined ;; true if l else false ;; not not l ;; {'a': l | first, 'b': []}.b
q.x ;; q[0] ;; q + 1 ;; 1 + 'a' ;; 'a' + 1 ;; l.append(1) ;; d.update({}) ;; s.nope() ;; nope() ;; 1 / 0 ;; 5 | length ;; l < 3
'a' in 5 ;; {[]: 1} ;; none.x.y ;; s | nofilter ;; s is notest ;; l | join | first ;; z | tojson ;; q | tojson ;; n.real.x.y
'<a>'|safe + 'say "x" & <y>' ;; 'x&y' + '<a>'|safe ;; ('<a>'|safe).upper() + '<' ;; ('<a>'|safe) * 2 + '>' ;; 2 * ('<'|safe) + '<'
('<a>'|safe)[1:] + '<' ;; ('<a>'|safe)[0] + '<' ;; ('<a>'|safe).replace('a', '<b>') ;; ('<a>'|safe) | replace('a', '<b>') + '<' ;; ('a b'|safe).split() | last + '<'
(' <a> '|safe).strip() + '<' ;; (' <a> '|safe) | trim + '<' ;; ('<'|safe).join(['<', 1, '>'|safe]) ;; ['<'|safe, '>'] | join('&') + '<' ;; '<%s>'|safe % '&' ;; '<%s|%d>'|safe % ('&', 3)
'<{}>'|safe | string + '<' ;; ('<{}{}>'|safe).format('&', '&'|safe) ;; ('{:>5}'|safe).format('&') ;; ('{:>5}'|safe).format('&'|safe) ;; '{}'.format('<'|safe) + '<' ;; '<' | e ;; '<' | escape + '<' ;; '<' | e | e ;; '<' | e | forceescape
['<'|safe] ;; {'<'|safe: 1} ;; '<'|safe == '<' ;; '<'|safe in '<a' ;; ('<'|safe) ~ '<' ;; '<'|safe is escaped ;; '<' is escaped ;; '<'|safe is string ;; ('<'|safe) | tojson + '<' ;; ('<a>'|safe) | upper + '<' ;; ('<a>'|safe) | capitalize + '<' ;; ('<a>'|safe) | title + '<'
('a\nb'|safe) | indent + '<' ;; ('<a>'|safe) | reverse + '<' ;; ('<a>'|safe) | list ;; ('<a>'|safe) | first + '<' ;; ('a,<'|safe).partition(',')[2] + '<' ;; '<'|safe + 1 ;; '<'|safe + none ;; ('a<'|safe).removeprefix('a') + '<' ;; ('<'|safe).center(5) + '<' ;; ('<'|safe).zfill(3) + '<' ;; 'x' | default('<'|safe) + '<'
'<{}|{}>'.format(n, s) ;; '{1}{0}{1}'.format('a', 'b') ;; '{a}{b}'.format(a=1, b=2) ;; '{0.x}{0[x]}'.format({'x': 5}) ;; '{0[1]}'.format([1, 2]) ;; '{:5}|{:<5}|{:>5}|{:^5}|'.format('a', 'b', 'c', 'd') ;; '{:*^7}'.format('ab') ;; '{:05d}|{:+d}|{: d}|{:,}'.format(42, 7, 7, 1234567) ;; '{:010,}'.format(12345) ;; '{:_}'.format(1234567)
'{:x}|{:X}|{:#x}|{:b}|{:#o}|{:c}'.format(255, 255, 255, 5, 8, 65) ;; '{:.2f}|{:8.3f}|{:e}|{:g}|{:%}|{:.0f}'.format(3.14159, 2.5, 12345.678, 1e-7, 0.25, 2.5) ;; '{:.3}|{:.3}|{:.1}|{:.2}'.format(100.0, 3.14159, 1.0, 12.0) ;; '{:.2}'.format('abc') ;; '{!r}|{!s}|{!a}'.format('é', 'é', 'é')
'{:{}}|{:>{w}}'.format('a', 4, 'b', w=3) ;; '{{}}{}'.format(1) ;; '{} {}'.format(1) ;; '{'.format(1) ;; '{}{0}'.format(1) ;; '{:d}'.format('a') ;; '{:s}'.format(1) ;; '{}'.format(l) ;; '{:5}'.format(l) ;; '{}'.format(q) ;; '{}'.format(none) ;; '{:5}'.format(true) ;; '{}{}'.format(true, 1.0) ;; '{0.__class__}'.format(1) ;; '{:,.2f}'.format(1234567.891) ;; '{:>08}'.format(-5) ;; '{:=+8}'.format(5) ;; '{a}'.format_map({'a': 3})
'%s %s' % (1, 'a') ;; '%d%%' % 5 ;; '%5.1f|%-5s|%05d|%x|%+d|% d' % (2.25, 'a', 42, 255, 3, 4) ;; '%(a)s-%(b)d' % {'a': 'x', 'b': 2} ;; '%s' % [1] ;; '%r' % 'a' ;; '%c%c' % ('a', 66) ;; '%s' % (1, 2) ;; '%d' % 'a' ;; '%s %s' % 1 ;; '%*d' % (5, 3) ;; '%.3d' % 5 ;; '%i' % 2.9 ;; '%e' % 1234.5 ;; '%' % () ;; '%q' % 1 ;; 'abc' % {} ;; '%s-%d' | format('a', 3) ;; '%(x)s' | format(x=1)
2.567 | round(2) ;; 2.5 | round ;; 3.5 | round ;; 2.675 | round(2) ;; 1234.5 | round(-2) ;; 1250 | round(-2) ;; 7 | round(2) ;; 2.341 | round(1, 'ceil') ;; 2.341 | round(1, 'floor') ;; -2.5 | round ;; 7 | round(0, 'floor') ;; 2.5 | round(1, 'x') ;; 'a' | round ;; none | round ;; true | round ;; 0.15 | round(1) ;; 1e300 | round(3) ;; 2.567 | round(precision=1)
'abc'.startswith('b', 1) ;; 'abc'.startswith('b', 1, 2) ;; 'abc'.startswith(('x', 'c'), -1) ;; 'abc'.startswith('', 3) ;; 'abc'.startswith('', 4) ;; 'abc'.endswith('b', 0, 2) ;; 'abc'.endswith('b', none, -1) ;; 'abcabc'.find('b', 2) ;; 'abcabc'.find('b', 2, 4) ;; 'abcabc'.rfind('b', 0, 3) ;; 'abcabc'.count('b', 2) ;; 'abc'.count('', 1) ;; 'abc'.find('', 3) ;; 'abc'.find('', 4) ;; 'abc'.index('c', -1) ;; 'abc'.index('a', 1) ;; s.find('w', -8)
'a'.ljust(3) ~ '|' ;; 'a'.rjust(3, '-') ;; 'ab'.center(5, '*') ;; 'a'.center(4, '*') ;; 'abc'.center(2) ;; '-5'.zfill(4) ;; 'aBc'.swapcase() ;; 'Straße'.casefold() ;; 'a\tbc\td'.expandtabs() ;; 'a\tb'.expandtabs(4) ;; '½'.isnumeric() ;; '1'.isdecimal() ;; 'Ab Cd'.istitle() ;; 'AB'.istitle() ;; 'a_1'.isidentifier() ;; '1a'.isidentifier() ;; 'a\n'.isprintable() ;; 'é'.isascii() ;; 'a' | center(5) ~ '|' ;; 'aa bb-cc' | wordcount
[1, 2, 3, 4, 5] | batch(2) | list ;; [1, 2, 3] | batch(2, 'x') | list ;; [1, 2, 3, 4, 5] | slice(3) | list ;; [1, 2, 3, 4] | slice(3, 'x') | list ;; rows | groupby('k') | map(attribute='grouper') | list ;; rows | groupby('k') | map('last') | map('length') | list ;; (rows | groupby('k'))[0].list | length ;; rows | groupby('k', case_sensitive=true) | map('first') | list ;; rows | groupby('v', default=0)
'foo bar baz qux' | truncate(9) ;; 'foo bar baz qux' | truncate(9, true) ;; 'foo bar baz qux' | truncate(11) ;; 'foo bar baz qux' | truncate(11, false, '...', 0) ;; 'foo' | truncate(2) ;; {'a': 1, 'b': none, 'c': '<'} | xmlattr ;; {'a b': 1} | xmlattr ;; 'a b/ü?' | urlencode ;; {'a b': 'c/d', 'e': 1} | urlencode ;; 5 | urlencode ;; 1 | filesizeformat ;; 999 | filesizeformat ;; 1000 | filesizeformat ;; 1234567 | filesizeformat ;; 1234567 | filesizeformat(true) ;; {'a': 1} | attr('a') is defined ;; 'abc' | attr('upper') is defined
'0x1f' | int(0, 16) ;; '1f' | int(0, 16) ;; '101' | int(0, 2) ;; '1_000' | int ;; '1__0' | int ;; ' 12 ' | int ;; '+5' | int ;; '-5' | int ;; '1e3' | int ;; 'inf' | float ;; '1_0.5' | float ;; '.5' | float ;; '0x10' | float ;; '5.' | float ;; rows | sort(attribute='k,v.n') | map(attribute='k') | list ;; range(3) ;; range(1, 9, 3) ;; range(3)[1] ;; range(3)[-1] ;; range(3) is sequence ;; range(3) | length ;; 2 in range(3) ;; d.keys() ;; d.items() ;; d.values() ;; d.keys()[0] is defined ;; d.items() is sequence ;; d.items() is iterable ;; d.keys() | tojson ;; range(2) | tojson ;; d.items() + [1] ;; 'b' in d.keys() ;; d.items() | length ;; d.keys() == d.keys() ;; range(3) == range(3) ;; d.keys() | list + ['x'] ;; d.values() | first ;; d.items() | last
{}.fromkeys(['a', 'b'], 1) ;; dict.fromkeys(['a']) ;; l.index(1, 1) ;; l.index(3, 1) ;; l.copy() ;; d.copy() ;; d.pop('b') ;; d.setdefault('b', 1) ;; l.pop() ;; l.sort() ;; dict(**{'a': 1}) ;; dict(a=1, **{'b': 2}) ;; dict(a=1, **{'a': 2}) ;; 'upper' is filter ;; 'nope' is filter ;; 'odd' is test ;; 'nope' is test ;; '{}'.format(*[1], **{}) ;; '<{}>'.format('<') | e ;; 'a' % 1 ;; (l | first).x is defined ;; 5 is sameas 5 ;; none is sameas false ;; d.get('b', default=3) ;; d.get(key='b')"""
layouts = ["a\n  {% if t %}\n  b\n  {% endif %}\nc", "a\n  {%- if t -%}\n  b\n  {%- endif %}  \nc\n", "{% if t %}\n\n x {% endif %} y\n\n",
    "  {{ n }}\n  {{- n }}\n{{ n -}}\n  z", "  {#- c -#}  a {# b #}\n  b\n  {# line #}\nc", "a\r\nb\rc\n\n", "x{% raw %} {{ n }} {% if %}{% endraw %}\ny",
    "  {% raw -%}\n {{ }}\n  {%- endraw %}\n y", " {%+ if t %} a {%+ endif +%}\n b", "{{ '{{' }}{{ \"%}\" }}{{ {'a': {'b': 1}}['a']['b'] }}",
    "\t{% set x = 1 %}\n\t{{ x }}\n", "{% for i in l %}\n  {{ i }}\n{% endfor %}\n", "{% for i in l -%} {{ i }} {%- endfor %}",
    "{%- for k, v in d.items() %}{{ k }}={{ v }};{% endfor -%}\n", "{% for i in [] %}a{% else %}none{% endfor %}", "{% for i in l if i > 1 %}{{ loop.index }}/{{ loop.length }}:{{ i }} {{ loop.revindex }}{{ loop.previtem is defined }} {% endfor %}",
    "{% for a in l %}{% for b in l %}{{ loop.depth }}{{ loop.index }}{% if b == 1 %}{% break %}{% endif %}{% endfor %}{{ loop.index0 }} {% endfor %}",
    "{% set x = 1 %}{% for i in l %}{% set x = x + i %}{{ x }} {% endfor %}{{ x }}", "{% set x = 1 %}{% if t %}{% set x = 2 %}{% endif %}{{ x }}",
    "{% set ns = namespace(x=0, y='') %}{% for i in l %}{% set ns.x = ns.x + i %}{% set ns.y = ns.y ~ i %}{% endfor %}{{ ns.x }}{{ ns.y }}{{ ns.q is defined }}",
    "{% set a, b = 1, [2, 3] %}{{ a }}{{ b }}{% for (p, q) in [(1, 2), [3, 4]] %}{{ p }}{{ q }}{% endfor %}", "{% set x %}\n a {{ n }}\n{% endset %}[{{ x }}]", "{% set x | trim | upper %}\n a {{ s }}\n{% endset %}[{{ x }}]",
    "{% filter upper %}a{{ s }}{% endfilter %}", "{% macro f(a, b=2, c=a) %}{{ a }}{{ b }}{{ c }}{% endmacro %}{{ f(1) }} {{ f(1, c=3) }} {{ f(b=5) }} {{ f(*[7, 8]) }}",
    "{% macro f(n) %}{{ n }}{% if n > 0 %}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(5) }}", "{% macro f() %}{{ later }}{% endmacro %}{% set later = 4 %}{{ f() }}",
    "{% macro f(a) %}{% endmacro %}{{ f(1, 2) }}", "{% set u = rows | selectattr('k') %}{{ u | list | length }}{{ u | list | length }}{% if u %}y{% endif %}", "{{ n }}{% if e %}a{% elif z %}b{% elif n > 6 %}c{% else %}d{% endif %}",
    "{% if t %}", "{% endif %}", "{{ }}", "{{ 1 +", "{% for x in %}{% endfor %}", "{% unknown %}", "{{ 'a }}", "{% set loop.x = 1 %}", "{{ raise_exception('stop: ' ~ n) }}", "{% set d.x = 1 %}", "{{ (1, 2 }}", "{# open",
    "{% for (a, b), c in [((1, 2), 3)] %}{{ a }}{{ b }}{{ c }}{% endfor %}", "{% for a, (b, (c, d)) in [(1, (2, (3, 4)))] %}{{ a + b + c + d }}{% endfor %}", "{% set (a, (b, c)) = (1, (2, 3)) %}{{ a }}{{ b }}{{ c }}", "{% for (a, b) in [(1, 2, 3)] %}{% endfor %}",
    "{% macro f(a) %}{{ a }}{{ varargs }}{{ kwargs }}{% endmacro %}{{ f(1, 2, 3, x=4) }}{{ f(a=5) }}{{ f(1, a=2) }}", "{% macro f(a) %}{{ varargs }}{% endmacro %}{{ f(1, x=2) }}", "{% macro f() %}{{ kwargs.x }}{% endmacro %}{{ f(x=1) }}{{ f(2) }}", "{% macro f() %}{{ kwargs | dictsort }}{{ varargs | length }}{% endmacro %}{{ f(*[1, 2], **{'z': 1, 'y': 2}) }}",
    "{% macro f(t) %}<{{ t }}>{{ caller() }}</{{ t }}>{% endmacro %}{% call f('a') %}x{{ n }}{% endcall %}", "{% macro f(l) %}{% for i in l %}{{ caller(i, loop.index) }}{% endfor %}{% endmacro %}{% call(x, k=0) f(l) %}[{{ x }}:{{ k }}]{% endcall %}", "{% macro f() %}{{ caller is defined }}{% endmacro %}{{ f() }}{% call f() %}{% endcall %}", "{% macro f() %}x{% endmacro %}{% call f() %}y{% endcall %}", "{% macro f() %}{{ caller('<') }}{% endmacro %}{% call(a) f() %}{{ a }}{% endcall %}", "{% macro f() %}{{ caller() }}{% endmacro %}{{ f() }}",
    "{% with %}{% set q = 1 %}{{ q }}{% endwith %}{{ q is defined }}", "{% with a = 1, b = n %}{{ a }}{{ b }}{% endwith %}{{ a is defined }}", "{% set a = 5 %}{% with a = 1, b = a %}{{ a }}{{ b }}{% endwith %}{{ a }}",
    "{% for x in [{'k': 1, 'c': [{'k': 2, 'c': []}, {'k': 3}]}] recursive %}{{ loop.depth }}{{ loop.depth0 }}:{{ x.k }}{% if x.c %}({{ loop(x.c) }}){% endif %}{% endfor %}", "{% for x in l %}{{ loop(l) }}{% endfor %}", "{% for x in [1, 1, 2, 2, 1] %}{{ loop.changed(x) }} {% endfor %}", "{% for x in [1, 2] %}{{ loop.nope is defined }}{% endfor %}",
    "{% set x = '<a>' | safe %}{% macro f() %}<b>{% endmacro %}{{ x + f() }}{% set y %}<c>{% endset %}{{ x + y }}", "{% filter e %}<{{ n }}>{% endfilter %}", "{% for c in '<a>' | safe %}{{ c + '<' }}{% endfor %}",
    "{% generation %}{% set x = 5 %}g{{ x }}{% endgeneration %}{{ x is defined }}", "{{ strftime_now('%Y-%m-%d %H:%M') }} {{ messages is defined }}"]


def render(template, variables):
    try:
        return {"text": chat_template_utils._compile_jinja_template(template).render(**variables)}
    except Exception:
        return {"error": True}


def main():
    tokens = {"bos_token": "<s>", "eos_token": "</s>"}
    rows = [(t, {**tokens, "tools": None, "documents": None, "add_generation_prompt": False, "messages": c, **e})
            for t in (TURNS, PARTS) for c in conversations for e in extras]
    singles = [e.strip() for line in expressions.split("\n") for e in line.split(";;")]
    rows += [(t, None) for t in ["{{ %s }}" % e for e in singles] + layouts]
    place = os.path.join(os.path.dirname(os.path.abspath(__file__)), "chat_templates.jsonl")
    with open(place, "w") as file:
        file.write(json.dumps({"data": data, "now": NOW}, ensure_ascii=False) + "\n")
        for template, variables in rows:
            row = {"template": template, "variables": variables, **render(template, variables or data)}
            file.write(json.dumps(row, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
