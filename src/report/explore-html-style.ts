/** The style of the HTML report: one column of text, tables in the kernel's type, light and dark. */

export const STYLE = `
:root {
  color-scheme: light dark;
  --ground: #fbfbfa; --panel: #ffffff; --text: #1c1f24; --quiet: #5a616c; --rule: #dcdfe4;
  --accent: #1f5bb5; --current: #e8f0fb; --changed: #fdf0c8; --changed-text: #5d4300;
  --broken: #b3261e; --inevitable: #855600; --good: #1d6b3a;
  --mono: ui-monospace, "SF Mono", "Cascadia Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace;
  --thumb: 1.125rem;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #14161a; --panel: #1b1e23; --text: #e6e8ec; --quiet: #a2a9b4; --rule: #343942;
    --accent: #8db6f5; --current: #1f2d42; --changed: #40360f; --changed-text: #f6dc8e;
    --broken: #ff9187; --inevitable: #efbb55; --good: #7fd09a;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body {
  margin: 0 auto; padding: 3rem 2rem 5rem; max-width: 82rem; background: var(--ground); color: var(--text);
  font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif;
  font-variant-numeric: tabular-nums lining-nums;
}
h1, h2, h3, p, dl, dd { margin: 0; }
h1 { font-size: 1.75rem; line-height: 1.2; letter-spacing: -0.015em; text-wrap: balance; }
h2 { font-size: 1.25rem; line-height: 1.3; letter-spacing: -0.01em; overflow-wrap: anywhere; }
h3 { font-size: 0.875rem; font-weight: 600; }
a { color: var(--accent); text-underline-offset: 0.15em; }
code { font: 0.8125rem/1.5 var(--mono); overflow-wrap: anywhere; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: 3px; }
.quiet { color: var(--quiet); }
.eyebrow { color: var(--quiet); font-size: 0.875rem; margin-bottom: 0.5rem; }
.summary { margin-top: 0.75rem; max-width: 46rem; font-size: 1.125rem; }
.said {
  position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap;
}
main > section { margin-top: 3rem; }
main > section > h2 { margin-bottom: 0.75rem; }

.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: 0.875rem; }
th, td { padding: 0.5rem 1.25rem 0.5rem 0; text-align: left; vertical-align: baseline; }
th:last-child, td:last-child { padding-right: 0; }
thead th { color: var(--quiet); font-weight: 500; white-space: nowrap; }
thead tr { border-bottom: 1px solid var(--text); }
tbody tr { border-bottom: 1px solid var(--rule); }
tbody th { font-weight: 600; white-space: nowrap; }
.number { text-align: right; white-space: nowrap; }
.good { color: var(--good); }
.bad, .broken { color: var(--broken); }
.warn, .inevitable { color: var(--inevitable); }

.finding { margin-top: 3rem; padding-top: 2rem; border-top: 1px solid var(--rule); }
.finding h2 span { color: var(--quiet); font-weight: 400; }
.detail { margin-top: 0.375rem; max-width: 60rem; overflow-wrap: anywhere; }
.facts { display: flex; flex-wrap: wrap; gap: 0.25rem 2rem; margin-top: 0.75rem; font-size: 0.875rem; }
.facts div { display: flex; gap: 0.5rem; min-width: 0; }
.facts dt { color: var(--quiet); white-space: nowrap; }
.facts dd { overflow-wrap: anywhere; min-width: 0; }
.replay {
  display: flex; align-items: center; justify-content: space-between; gap: 1rem; margin-top: 1rem;
  padding: 0.375rem 0.375rem 0.375rem 0.875rem;
  background: var(--panel); border: 1px solid var(--rule); border-radius: 6px;
}
button {
  min-width: 2.25rem; min-height: 2.25rem; padding: 0 0.75rem; color: var(--text); background: var(--panel);
  border: 1px solid var(--rule); border-radius: 6px; font: inherit; font-size: 0.875rem; cursor: pointer;
}
button:hover { border-color: var(--quiet); }
button[aria-disabled="true"] { color: var(--quiet); border-style: dashed; cursor: default; }
[data-copy] { min-width: 5.5rem; }
[hidden] { display: none !important; }

.stepper {
  position: sticky; top: 0; z-index: 2; display: grid; grid-template-columns: auto 1fr auto auto;
  align-items: end; gap: 0.75rem; margin-top: 1.25rem; padding: 0.5rem 0 0.75rem; background: var(--ground);
}
.where { min-width: 7.5rem; line-height: 2.25rem; text-align: right; font-size: 0.875rem; }
.track { position: relative; padding-top: 1.125rem; }
.track span {
  position: absolute; top: -0.125rem; transform: translateX(-50%); font-size: 0.8125rem; line-height: 1.25rem;
  left: calc(var(--thumb) / 2 + (100% - var(--thumb)) * var(--at));
}
.track .right { transform: none; }
.track .left { transform: translateX(-100%); }
input[type="range"] {
  display: block; width: 100%; height: 2.25rem; margin: 0; background: none; cursor: pointer;
  -webkit-appearance: none; appearance: none;
}
input::-webkit-slider-runnable-track { height: 4px; background: var(--rule); border-radius: 2px; }
input::-moz-range-track { height: 4px; background: var(--rule); border-radius: 2px; }
input::-webkit-slider-thumb {
  -webkit-appearance: none; width: var(--thumb); height: var(--thumb);
  margin-top: calc(2px - var(--thumb) / 2); background: var(--accent); border: 0; border-radius: 50%;
}
input::-moz-range-thumb {
  width: var(--thumb); height: var(--thumb); background: var(--accent); border: 0; border-radius: 50%;
}

.story { display: grid; grid-template-columns: minmax(0, 1fr) 17rem; gap: 2rem; align-items: start; }
.steps td, .steps th { vertical-align: top; padding: 0.375rem 1rem 0.375rem 0.75rem; }
.steps .lane { border-left: 1px solid var(--rule); min-width: 9rem; }
.steps .lane code { display: block; overflow-wrap: break-word; }
.steps tbody tr { cursor: pointer; scroll-margin: 6.5rem 0 1rem; }
.steps tbody th { text-align: right; font-weight: 500; padding-left: 0.5rem; }
.steps tr[aria-current] { background: var(--current); }
.steps tr[aria-current] th { box-shadow: inset 3px 0 var(--accent); }
.steps .changes { color: var(--quiet); border-left: 1px solid var(--rule); min-width: 11rem; }
.steps .changes span { display: block; }
.page {
  position: sticky; top: 6rem; padding: 1rem 1.125rem; background: var(--panel);
  border: 1px solid var(--rule); border-radius: 8px; font-size: 0.875rem;
}
.page h3 { margin-bottom: 0.5rem; }
.page div { display: grid; grid-template-columns: 5rem minmax(0, 1fr); border-top: 1px solid var(--rule); }
.page dt { color: var(--quiet); padding: 0.3125rem 0; }
.page dd { padding: 0.3125rem 0.5rem; font: 0.8125rem/1.55 var(--mono); overflow-wrap: anywhere; }
.page .changed { background: var(--changed); color: var(--changed-text); font-weight: 600; }
.page .changed small { display: block; font-size: 0.75rem; font-weight: 400; }
.marks { margin: 1rem 0 0; padding: 0; list-style: none; font-size: 0.875rem; max-width: 60rem; }
.marks li { overflow-wrap: anywhere; }
footer { margin-top: 4rem; color: var(--quiet); font-size: 0.875rem; }

@media (max-width: 60rem) {
  .story { grid-template-columns: minmax(0, 1fr); gap: 1rem; }
  .page { position: static; order: -1; }
  .page dl {
    display: grid; grid-template-columns: repeat(auto-fill, minmax(15rem, 1fr)); column-gap: 1.5rem;
  }
}
@media (max-width: 36rem) {
  body { padding: 1.5rem 1rem 3rem; }
  h1 { font-size: 1.5rem; }
  .replay { align-items: start; }
  .stepper { grid-template-columns: auto 1fr auto; gap: 0.375rem 0.75rem; }
  .track { grid-area: 1 / 1 / 2 / 4; }
  .stepper [data-previous] { order: 1; }
  .where { order: 2; text-align: center; }
  .stepper [data-next] { order: 3; }
  .page { padding: 0.75rem 0.875rem; }
  .page dl { grid-template-columns: 1fr; }
  .steps, .steps tbody { display: block; }
  .steps thead, .steps .lane:empty, .steps .changes:empty { display: none; }
  .steps tbody tr {
    display: grid; grid-template-columns: 3rem minmax(0, 1fr); padding: 0.375rem 0; scroll-margin-top: 9rem;
  }
  .steps tbody th { grid-row: 1 / 3; padding: 0 0.75rem 0 0.25rem; }
  .steps .lane, .steps .changes { border: 0; padding: 0; min-width: 0; }
  .steps .lane::before { content: attr(data-actor); font-weight: 600; }
}
@media print {
  .stepper, button { display: none; }
  .page { position: static; }
  .finding { break-before: page; }
}
`;
