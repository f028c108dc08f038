-- The web page of a report: one file that loads nothing. What one chooses between, x axes and the
-- curves as they are, works without scripts; the script filters the completions.

local apo = require "apo"
local escape, style = require "apo.plot.text", require "apo.plot.style"

local policy = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
  .. "img-src data:; base-uri 'none'; form-action 'none'"

local more_style = [[
h2 { font-size: 16px; font-weight: 650; margin: 28px 0 8px; }
.event { stroke: var(--c2); stroke-dasharray: 3 3; opacity: 0.7; }
.choice { position: absolute; opacity: 0; }
.choices { display: flex; flex-wrap: wrap; gap: 6px; margin: 0 0 14px; }
.choices label, button, input, select { font: inherit; font-size: 13px; padding: 3px 10px;
  border: 1px solid var(--grid); border-radius: 14px; background: var(--card); color: var(--ink); }
.choices label { cursor: pointer; }
.choices .gap { width: 14px; }
figure > svg { display: none; }
.legend-list { display: flex; flex-wrap: wrap; gap: 4px 18px; margin: 0 0 14px; font-size: 13px; }
.legend-list span { display: flex; align-items: center; gap: 6px; overflow-wrap: anywhere; }
.legend-list svg { width: 26px; height: 8px; flex: none; }
#by-step:checked ~ .charts .by-step, #by-time:checked ~ .charts .by-time,
#by-tokens:checked ~ .charts .by-tokens { display: block; }
#by-step:checked ~ .choices [for=by-step], #by-time:checked ~ .choices [for=by-time],
#by-tokens:checked ~ .choices [for=by-tokens], #no-raw:checked ~ .choices [for=no-raw] {
  border-color: var(--c1); color: var(--c1); }
.choice:focus-visible ~ .choices label { outline-offset: 2px; }
#no-raw:checked ~ .charts .faint { display: none; }
.wide { overflow-x: auto; background: var(--card); border: 1px solid var(--grid);
  border-radius: 10px; }
table { border-collapse: collapse; width: 100%; font-size: 13px; }
th, td { text-align: left; vertical-align: top; padding: 5px 10px; overflow-wrap: anywhere;
  border-top: 1px solid var(--grid); }
tr:first-child th { border-top: 0; }
thead th:nth-child(-n+4) { text-align: right; }
td.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
td.text { white-space: pre-wrap; font-family: ui-monospace, monospace; min-width: 180px; }
details { margin: 0 0 10px; } summary { cursor: pointer; color: var(--quiet); }
pre { font: 12px/1.5 ui-monospace, monospace; white-space: pre-wrap; margin: 8px 0; }
td { white-space: pre-wrap; } th, td.word { white-space: nowrap; }
:root { --t1: #fbe6c4; --t2: #fbd9a8; --t3: #f6b26b; --t4: #e8863a; }
@media (prefers-color-scheme: dark) {
  :root { --t1: #3a2f20; --t2: #5a421f; --t3: #7d531b; --t4: #a8611a; } }
.t1 { background: var(--t1); } .t2 { background: var(--t2); } .t3 { background: var(--t3); }
.t4 { background: var(--t4); }
.key span { color: var(--ink); padding: 1px 6px; border-radius: 4px; margin-left: 4px; }
]]

local script = [=[
"use strict";
const all = JSON.parse(document.getElementById("completions").textContent);
const body = document.getElementById("rows"), find = document.getElementById("find");
const sort = document.getElementById("sort"), step = document.getElementById("at-step");
const least = document.getElementById("least"), reasons = document.getElementById("finish");
const count = document.getElementById("count");
let shown = 60;
function cell(row, text, name) {
  const td = row.insertCell();
  td.textContent = text === undefined || text === null ? "" : text;
  td.className = name;
}
function level(x) { return x > -0.1 ? 0 : x > -0.7 ? 1 : x > -1.6 ? 2 : x > -3 ? 3 : 4; }
function colored(row, s) {
  const td = row.insertCell();
  td.className = "text";
  s.tokens.forEach((token, i) => {
    const span = document.createElement("span");
    span.textContent = token;
    span.className = "t" + level(s.logprobs[i]);
    span.title = "log-probability " + s.logprobs[i] + ", "
      + +(100 * Math.exp(s.logprobs[i])).toPrecision(3) + " %";
    td.append(span);
  });
}
function short(x) { return typeof x === "number" ? String(+x.toPrecision(4)) : ""; }
const orders = {
  newest: (a, b) => b.step - a.step, best: (a, b) => (b.reward ?? -1e99) - (a.reward ?? -1e99),
  worst: (a, b) => (a.reward ?? 1e99) - (b.reward ?? 1e99), longest: (a, b) => b.length - a.length,
  prompt: (a, b) => a.prompt < b.prompt ? -1 : a.prompt > b.prompt ? 1 : a.step - b.step,
};
function draw() {
  const words = find.value.toLowerCase(), bound = parseFloat(least.value);
  const list = all.filter(s => (!words || (s.prompt + "\n" + s.text).toLowerCase().includes(words))
    && (!step.value || s.step === +step.value) && (!reasons.value || s.finish === reasons.value)
    && (isNaN(bound) || s.reward >= bound)).sort(orders[sort.value]);
  body.textContent = "";
  for (const s of list.slice(0, shown)) {
    const row = body.insertRow();
    for (const x of [s.step, short(s.reward), short(s.v), s.length]) cell(row, x, "number");
    cell(row, s.finish, "word");
    cell(row, s.prompt, "text");
    if (s.tokens) colored(row, s); else cell(row, s.text, "text");
  }
  count.textContent = Math.min(shown, list.length) + " of " + list.length + " shown";
}
for (const [box, name] of [[step, "step"], [reasons, "finish"]])
  for (const value of [...new Set(all.map(s => s[name]))].sort((a, b) => a < b ? -1 : 1)) {
    const option = document.createElement("option");
    option.value = option.textContent = value;
    box.append(option);
  }
for (const box of [find, sort, step, least, reasons])
  box.addEventListener("input", () => { shown = 60; draw(); });
document.getElementById("more").addEventListener("click", () => { shown += 200; draw(); });
draw();
]=]

-- Where the page comes from a server, one that is not complete loads itself anew now and then.
local reload = [[
if (location.protocol.startsWith("http")) setTimeout(() => {
  if (!document.querySelector("input:focus")) location.reload();
}, 15000);
]]

local function choices()
  local out = {}
  for i, x in ipairs{"step", "time", "tokens"} do
    out[i] = ('<input class="choice" type="radio" name="x" id="by-%s"%s>'):format(
      x, i == 1 and " checked" or "")
  end
  out[#out + 1] = '<input class="choice" type="checkbox" id="no-raw">'
  out[#out + 1] = '<div class="choices"><label for="by-step">by step</label>'
    .. '<label for="by-time">by time</label><label for="by-tokens">by tokens</label>'
    .. '<span class="gap"></span><label for="no-raw">smoothed only</label></div>'
  return table.concat(out, "\n")
end

-- The names of groups of runs beside the lines that stand for them.
local function legend(names)
  if #names == 0 then return "" end
  local out = {}
  for i, name in ipairs(names) do
    local round = (i - 1) // 6 % 4
    out[i] = ('<span><svg viewBox="0 0 26 8" aria-hidden="true"><path class="line%s" '
      .. 'stroke="var(--c%d)" d="M1 4H25"/></svg>%s</span>'):format(
      round > 0 and " dash" .. round or "", (i - 1) % 6 + 1, escape(name))
  end
  return '<div class="legend-list">' .. table.concat(out) .. "</div>\n"
end

-- A table of texts; the first row is the heading.
local function html_table(rows)
  local out = {'<div class="wide"><table>'}
  for i, row in ipairs(rows) do
    local cells, tag = {}, i == 1 and "th" or "td"
    for k, cell in ipairs(row) do
      cells[k] = ("<%s>%s</%s>"):format(tag, escape(cell, true), tag)
    end
    out[#out + 1] = "<tr>" .. table.concat(cells) .. "</tr>"
  end
  out[#out + 1] = "</table></div>"
  return table.concat(out, "\n")
end

-- A completion whose tokens are colored by their log-probability, as the script does it.
local function colored(sample)
  if not sample.tokens then return escape(sample.text, true) end
  local out = {}
  for i, token in ipairs(sample.tokens) do
    local x = sample.logprobs[i]
    local level = x > -0.1 and 0 or x > -0.7 and 1 or x > -1.6 and 2 or x > -3 and 3 or 4
    out[i] = ('<span class="t%d" title="%g">%s</span>'):format(level, x, escape(token, true))
  end
  return table.concat(out)
end

local token_key = [[
<p class="key">Tokens by their probability:<span>above 90 %</span><span class="t1">50 to 90 %</span>
<span class="t2">20 to 50 %</span><span class="t3">5 to 20 %</span><span class="t4">below 5 %</span>
</p>
]]

-- Completions for readers without scripts.
local function static_completions(list)
  local out = {'<div class="wide"><table><tr><th>step</th><th>reward</th><th>end</th>'
    .. "<th>prompt</th><th>completion</th></tr>"}
  for i = 1, math.min(20, #list) do
    local s = list[i]
    out[#out + 1] = ('<tr><td>%s</td><td>%s</td><td>%s</td><td class="text">%s</td>'
      .. '<td class="text">%s</td></tr>'):format(
      s.step, s.reward and ("%.4g"):format(s.reward) or "", escape(s.finish),
      escape(s.prompt, true), colored(s))
  end
  out[#out + 1] = "</table></div>"
  return table.concat(out, "\n")
end

-- Text for an element <script>: no text in it can end the element.
local function embedded(value)
  local text = apo.json.encode(value, {lossy = true})
  return (text:gsub("[<>&]", {["<"] = "\\u003c", [">"] = "\\u003e", ["&"] = "\\u0026"}))
end

local function completions(list, count)
  if #list == 0 then return "" end
  local has_tokens = false
  for _, s in ipairs(list) do has_tokens = has_tokens or s.tokens ~= nil end
  return table.concat{
    "<h2>Completions</h2>\n<p>", ("%d of the %d recorded: all of the last step, of the others the "
    .. "best and the worst."):format(#list, count), "</p>\n", has_tokens and token_key or "",
    "<noscript>", static_completions(list), [[</noscript>
<div class="choices"><input id="find" type="search" placeholder="text" aria-label="text">
<input id="least" type="number" step="any" placeholder="reward from" aria-label="reward from">
<select id="at-step" aria-label="step"><option value="">any step</option></select>
<select id="finish" aria-label="finish reason"><option value="">any end</option></select>
<select id="sort" aria-label="order"><option value="newest">newest first</option>
<option value="best">best first</option><option value="worst">worst first</option>
<option value="longest">longest first</option><option value="prompt">by prompt</option></select>
<span id="count"></span></div>
<div class="wide"><table><thead><tr><th>step</th><th>reward</th><th>V*</th><th>length</th>
<th>end</th><th>prompt</th><th>completion</th></tr></thead><tbody id="rows"></tbody></table></div>
<p><button id="more">more</button></p>
<script type="application/json" id="completions">]], embedded(list), "</script>\n<script>", script,
    "</script>\n",
  }
end

-- The whole page from its parts: title, subtitle, `figures` (each a list of `{class, svg}`), tables
-- as `{title, rows}`, texts as `{title, text}`, completions.
return function(parts)
  local out = {
    '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">\n',
    ('<meta http-equiv="Content-Security-Policy" content="%s">\n'):format(policy),
    '<meta name="viewport" content="width=device-width, initial-scale=1">\n<title>',
    escape(parts.title), "</title>\n<style>\n", style, more_style,
    "</style></head>\n<body><main>\n<h1>", escape(parts.title), "</h1>\n<p>",
    escape(parts.subtitle), "</p>\n", choices(), "\n", legend(parts.legend),
    '<div class="charts">\n',
  }
  local function add(text) out[#out + 1] = text end
  for _, figure in ipairs(parts.figures) do
    add "<figure>"
    for _, variant in ipairs(figure) do
      add((variant.svg:gsub("^<svg", ('<svg class="%s"'):format(variant.class))))
    end
    add "</figure>\n"
  end
  add "</div>\n"
  for _, of in ipairs(parts.tables) do
    add(("<h2>%s</h2>\n%s\n"):format(escape(of.title), html_table(of.rows)))
  end
  add(completions(parts.completions, parts.completion_count))
  for _, of in ipairs(parts.texts) do
    add(("<details><summary>%s</summary><pre>%s</pre></details>\n"):format(
      escape(of.title), escape(of.text, true)))
  end
  if parts.is_live then add("<script>" .. reload .. "</script>\n") end
  add "</main></body></html>\n"
  return table.concat(out)
end
