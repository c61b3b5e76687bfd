"""How the page of a report looks, on wide and narrow screens, in the dark and on paper; and its script."""

STYLE = """
:root { color-scheme: light dark; --ink: #222; --faint: #5d5d5d; --line: #dcdcdc; --ground: #fff; --head: #f3f3f1;
        --shade: rgb(0 0 0 / .22); --card: #fff; }
@media screen and (prefers-color-scheme: dark) {
  :root { --ink: #e4e4e2; --faint: #a3a3a0; --line: #3b3b3b; --ground: #191919; --head: #262626;
          --shade: rgb(255 255 255 / .3); --card: #f4f4f2; }
}
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--ground); max-width: 75rem;
       margin: 2.5rem auto; padding: 0 1.5rem; }
h1 { font-size: 1.7rem; margin: 0 0 1rem; } h2 { font-size: 1.15rem; margin: 2.5rem 0 .3rem; }
p { max-width: 48rem; margin: 0 0 .8rem; } p.note, p.hint { color: var(--faint); margin: 0 0 .6rem; }
p.hint { display: none; font-size: .85rem; } .wide + p.hint { display: block; margin-top: .3rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1.2rem; margin: 0; }
dt { color: var(--faint); } dd { margin: 0; overflow-wrap: anywhere; }
pre { background: var(--head); padding: .7rem 1rem; border-radius: 4px; white-space: pre-wrap;
      overflow-wrap: anywhere; margin: .6rem 0; }
div.scroll { overflow: auto; max-height: 34rem; border: 1px solid var(--line); border-radius: 4px;
             scrollbar-color: var(--faint) var(--head); }
div.wide.more { box-shadow: inset -1.1rem 0 .9rem -.9rem var(--shade); }
div.scroll:focus-visible { outline: 2px solid #0072b2; outline-offset: 2px; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .9rem; width: 100%; }
th { position: sticky; top: 0; z-index: 1; background: var(--head); text-align: left; padding: 0;
     vertical-align: bottom; }
th button { font: inherit; font-weight: 600; border: 0; background: none; padding: .4rem .8rem; cursor: pointer;
            width: 100%; min-width: max-content; text-align: inherit; color: inherit; }
th button::after { content: " \\21C5"; color: var(--faint); font-weight: 400; }
th[aria-sort=ascending] button::after { content: " \\2191"; color: inherit; }
th[aria-sort=descending] button::after { content: " \\2193"; color: inherit; }
th button:hover { background: var(--line); }
td { padding: .25rem .8rem; border-top: 1px solid var(--line); white-space: nowrap; } .number { text-align: right; }
tr > :first-child { position: sticky; left: 0; border-right: 1px solid var(--line); }
td:first-child { background: var(--ground); } th:first-child { z-index: 2; }
figure { margin: 0 0 1.2rem; overflow-x: auto; } figcaption { color: var(--faint); font-size: .85rem; }
figure img { max-width: 100%; display: block; margin: .8rem 0 .3rem; background: var(--card); border-radius: 4px; }
@media screen and (max-width: 600px) {
  body { margin: 1rem auto; padding: 0 .8rem; } dl { grid-template-columns: 1fr; gap: 0; } dd { margin-bottom: .4rem; }
  td { padding: .3rem .5rem; } th button { padding: .4rem .5rem; min-width: 0; } table { font-size: .85rem; }
  figure img { max-width: 44rem; }
  figure.wide figcaption::after { content: " (wider than the page: scroll it sideways)"; }
}
@media print {
  @page { size: landscape; margin: 1.2cm; }
  body { font-size: 9pt; max-width: none; margin: 0; padding: 0; }
  div.scroll, div.wide.more { max-height: none; overflow: visible; border: 0; box-shadow: none; }
  table { font-size: 7pt; } th, tr > :first-child { position: static; } p.hint, .sorts { display: none !important; }
  th button { display: none; } th::before { content: attr(data-name); } /* buttons are not repeated on further pages */
  th, td { padding: .1rem .25rem; }
  tr, figure, dl { break-inside: avoid; } h2 { break-after: avoid; } figure { overflow: visible; }
  figure img { max-height: 16cm; }
}
"""
SCRIPT = """
for (const head of document.querySelectorAll("th")) head.onclick = () => {
  const body = head.closest("table").tBodies[0], down = head.ariaSort === "ascending";
  const key = row => row.cells[head.cellIndex].dataset.value, number = head.classList.contains("number");
  const order = (a, b) => number ? key(a) - key(b) : key(a).localeCompare(key(b));
  for (const other of head.parentNode.cells) other.ariaSort = "none";
  head.ariaSort = down ? "descending" : "ascending";
  body.append(...[...body.rows].sort((a, b) => down ? order(b, a) : order(a, b)));
};
const mark = box => {
  box.classList.toggle("wide", box.scrollWidth > box.clientWidth + 1);
  box.classList.toggle("more", box.scrollWidth - box.scrollLeft > box.clientWidth + 1);
};
for (const box of document.querySelectorAll("div.scroll, figure")) {
  box.onscroll = () => mark(box);
  new ResizeObserver(() => mark(box)).observe(box);
}
"""
"""A click on a heading sorts by it, another one the other way round; what is wider than the page says so."""
