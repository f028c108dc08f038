-- The look of plots and reports: colors as CSS variables, light or dark as the reader's system is.

return [[
:root { --page: #f6f6f4; --card: #ffffff; --ink: #1c1c1a; --quiet: #6b6b66; --grid: #e7e7e2;
  --c1: #2563eb; --c2: #d9610a; --c3: #0f8a5f; --c4: #8a3ffc; --c5: #c2256e; --c6: #64748b; }
@media (prefers-color-scheme: dark) {
  :root { --page: #161615; --card: #1f1f1e; --ink: #ececea; --quiet: #9c9c96; --grid: #33332f;
    --c1: #6ea0ff; --c2: #f59a4c; --c3: #4cc38a; --c4: #b58cff; --c5: #f078ae; --c6: #94a3b8; } }
body { margin: 0; padding: 28px; background: var(--page); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", sans-serif; }
main { max-width: 1320px; margin: 0 auto; }
h1 { font-size: 21px; font-weight: 650; margin: 0 0 2px; }
p { color: var(--quiet); margin: 0 0 18px; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(520px, 100%), 1fr));
  gap: 16px; }
.charts:has(figure:only-child) { max-width: 760px; }
figure { margin: 0; padding: 14px 10px 8px; background: var(--card); border-radius: 10px;
  border: 1px solid var(--grid); }
svg { display: block; width: 100%; height: auto; overflow: visible; }
text { font: 12px system-ui, -apple-system, "Segoe UI", sans-serif; fill: var(--quiet); }
.title { font-size: 14.5px; font-weight: 600; fill: var(--ink); }
.tick { font-variant-numeric: tabular-nums; }
.name { font-size: 14px; font-weight: 650; fill: revert-layer; }
.grid { stroke: var(--grid); } .axis, .mark { stroke: var(--quiet); }
.line { fill: none; stroke-width: 2.2; stroke-linejoin: round; stroke-linecap: round; }
.dash1 { stroke-dasharray: 7 4; } .dash2 { stroke-dasharray: 2 4; }
.dash3 { stroke-dasharray: 9 3 2 3; }
.faint { stroke-width: 1.2; opacity: 0.3; } .band { opacity: 0.13; }
.area { fill: transparent; } .hidden { opacity: 0; }
.tip { opacity: 0; fill: var(--ink); font-weight: 600; paint-order: stroke; stroke: var(--card);
  stroke-width: 5px; pointer-events: none; }
.point:hover .tip, .point:hover .dot { opacity: 1; }
]]
