/** The report of `pinshift explore` as one HTML file: an overview, each finding step by step. */
import type { ExploreReport, Finding, PageView } from "../run/explore/result.ts";
import { SCRIPT } from "./explore-html-script.ts";
import { STYLE } from "./explore-html-style.ts";
import { completeText, findingsIn, summaryText } from "./explore.ts";
import {
  BROKEN_MARK,
  type MarkedStep,
  actorsOf,
  brokenText,
  findingTitle,
  markedSteps,
  replayCommand,
} from "./finding.ts";
import { formatCount } from "./format.ts";
import { PAGE_FIELDS, changeTexts, fieldText, isChanged, pageFields } from "./page-view.ts";
import { variantLabel } from "./run.ts";

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Text that is text in an element and in a quoted attribute. */
export function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? character);
}

/** A kernel function's name, which goes on behind an underscore where it is too long for a line. */
function breakable(name: string): string {
  return escapeHtml(name).replaceAll("_", "_<wbr>");
}

/** JSON that cannot end the script element it stands in. */
function scriptData(value: unknown): string {
  return JSON.stringify(value).replaceAll("<", String.raw`\u003c`);
}

/** A table that scrolls sideways by itself where it does not fit. */
function scrolling(label: string, table: string): string {
  return `<div class="scroll" tabindex="0" role="region" aria-label="${escapeHtml(label)}">${table}</div>`;
}

function headRow(heads: readonly (readonly [head: string, style?: string])[]): string {
  const cells = heads.map(
    ([head, style = ""]) => `<th scope="col" class="${style}">${escapeHtml(head)}</th>`,
  );
  return `<thead><tr>${cells.join("")}</tr></thead>`;
}

function countCell(nr: number): string {
  return `<td class="number">${formatCount(nr)}</td>`;
}

function modelsTable(report: ExploreReport): string {
  const rows = report.models.map((model) => {
    const nr = findingsIn(report, model);
    return (
      `<tr><th scope="row">${escapeHtml(model.model)}</th><td>${escapeHtml(model.title)}</td>` +
      `${countCell(model.states)}${countCell(model.transitions)}${countCell(model.depth)}` +
      `<td class="${model.complete ? "good" : "warn"}">${completeText(model)}</td>` +
      `<td class="number${nr === 0 ? "" : " bad"}">${nr}</td></tr>`
    );
  });
  const head = headRow([
    ["model"],
    ["what happens in it"],
    ["states", "number"],
    ["transitions", "number"],
    ["depth", "number"],
    ["complete"],
    ["findings", "number"],
  ]);
  return scrolling("Models", `<table>${head}<tbody>${rows.join("")}</tbody></table>`);
}

function findingsTable({ findings }: ExploreReport): string {
  const rows = findings.map((finding, index) => {
    const nr = index + 1;
    return (
      `<tr><td class="number">${nr}</td>` +
      `<th scope="row"><a href="#finding-${nr}">${escapeHtml(finding.invariant)}</a></th>` +
      `<td>${escapeHtml(finding.kind)}</td><td>${escapeHtml(finding.field)}</td>` +
      `<td>${escapeHtml(brokenText(finding))}</td><td>${escapeHtml(finding.models.join(", "))}</td>` +
      `<td class="number">${finding.steps.length}</td></tr>`
    );
  });
  const head = headRow([
    ["#", "number"],
    ["invariant"],
    ["kind"],
    ["field"],
    ["broken by"],
    ["models"],
    ["steps", "number"],
  ]);
  return scrolling("Findings", `<table>${head}<tbody>${rows.join("")}</tbody></table>`);
}

function markClass(mark: string): string {
  return mark === BROKEN_MARK ? "broken" : "inevitable";
}

/** "✗" for who sees it, a word for who hears it. */
function markHtml({ mark }: MarkedStep): string {
  const word = markClass(mark);
  return `<span class="${word}" aria-hidden="true">${mark}</span><span class="said">${word}</span>`;
}

/** The marks above the slider, beside each other where they are of one step. */
function trackMarks(finding: Finding): string {
  const last = Math.max(finding.steps.length - 1, 1);
  const together = finding.brokenBy === finding.inevitableFrom;
  return markedSteps(finding)
    .map(({ mark, index, text }) => {
      const side = mark === BROKEN_MARK ? " right" : " left";
      const title = escapeHtml(`step ${index + 1}: ${text}`);
      const place = `style="--at:${(index / last).toFixed(4)}" title="${title}" aria-hidden="true"`;
      return `<span class="${markClass(mark)}${together ? side : ""}" ${place}>${mark}</span>`;
    })
    .join("");
}

function stepper(finding: Finding, nr: number, shown: number): string {
  const nrSteps = finding.steps.length;
  return (
    `<div class="stepper" data-stepper hidden>` +
    `<button type="button" data-previous aria-label="Previous step">←</button>` +
    `<div class="track">${trackMarks(finding)}` +
    `<input type="range" data-slider min="1" max="${nrSteps}" step="1" value="${shown + 1}" ` +
    `aria-label="Step of finding ${nr}" autocomplete="off"></div>` +
    `<button type="button" data-next aria-label="Next step">→</button>` +
    `<span class="where">step <span data-number>${shown + 1}</span> of ${nrSteps}</span></div>`
  );
}

function stepsTable(finding: Finding, nr: number, shown: number): string {
  const { steps } = finding;
  const actors = actorsOf(finding);
  const marked = markedSteps(finding);
  const rows = steps.map(({ actor: acting, function: where, transition, page }, index) => {
    const marks = marked.filter((one) => one.index === index).map((one) => markHtml(one));
    const lanes = actors.map((actor) =>
      actor === acting
        ? `<td class="lane" data-actor="${escapeHtml(actor)}">` +
          `<code>${breakable(where)}</code>${escapeHtml(transition)}</td>`
        : `<td class="lane"></td>`,
    );
    const changes = index === 0 ? [] : changeTexts(steps[index - 1]?.page, page);
    const told = changes.map((text) => `<span>${escapeHtml(text)}</span>`).join("");
    return (
      `<tr data-step${index === shown ? ` aria-current="step"` : ""}>` +
      `<th scope="row">${marks.join("")} ${index + 1}</th>${lanes.join("")}` +
      `<td class="changes">${told}</td></tr>`
    );
  });
  const head = headRow([
    ["#", "number"],
    ...actors.map((actor) => [actor, "lane"] as const),
    ["changed in the page", "changes"],
  ]);
  const table = `<table class="steps">${head}<tbody>${rows.join("")}</tbody></table>`;
  return scrolling(`Steps of finding ${nr}`, table);
}

function pagePanel(before: PageView | undefined, after: PageView, shown: number): string {
  const rows = PAGE_FIELDS.map((field) => {
    const changed = isChanged(before, after, field);
    const was =
      changed && before !== undefined ? `<small>was ${escapeHtml(fieldText(before, field))}</small>` : "";
    return (
      `<div><dt>${escapeHtml(pageFields[field])}</dt>` +
      `<dd data-field="${field}"${changed ? ` class="changed"` : ""}>` +
      `${escapeHtml(fieldText(after, field))}${was}</dd></div>`
    );
  });
  const head = `<h3>The page after step <span data-number>${shown + 1}</span></h3>`;
  return `<section class="page">${head}<dl>${rows.join("")}</dl></section>`;
}

function marksList(finding: Finding): string {
  const items = markedSteps(finding).map(
    ({ mark, index, text }) =>
      `<li><span class="${markClass(mark)}">${mark} step ${index + 1}</span> ${escapeHtml(text)}</li>`,
  );
  return `<ul class="marks">${items.join("")}</ul>`;
}

function story(finding: Finding, nr: number): string {
  const { steps, brokenBy } = finding;
  const shown = steps[brokenBy] === undefined ? steps.length - 1 : brokenBy;
  const after = steps[shown]?.page;
  if (after === undefined) return `<p class="detail quiet">No step was taken: it is so from the start.</p>`;
  return (
    `<div data-story>${stepper(finding, nr, shown)}` +
    `<div class="story">${stepsTable(finding, nr, shown)}` +
    `${pagePanel(steps[shown - 1]?.page, after, shown)}</div></div>${marksList(finding)}`
  );
}

function findingArticle(finding: Finding, index: number): string {
  const nr = index + 1;
  const facts: readonly (readonly [string, string])[] = [
    ["broken by", brokenText(finding)],
    ["found in", finding.models.join(", ")],
    ["steps", String(finding.steps.length)],
  ];
  const items = facts.map(
    ([term, text]) => `<div><dt>${escapeHtml(term)}</dt><dd>${escapeHtml(text)}</dd></div>`,
  );
  return (
    `<article class="finding" id="finding-${nr}" data-finding="${index}" aria-labelledby="title-${nr}">\n` +
    `<h2 id="title-${nr}"><span>${nr}</span> ${escapeHtml(findingTitle(finding))}</h2>` +
    `<p class="detail">${escapeHtml(finding.detail)}</p><dl class="facts">${items.join("")}</dl>\n` +
    `<div class="replay"><code data-command>${escapeHtml(replayCommand(finding))}</code>` +
    `<button type="button" data-copy aria-live="polite" hidden>Copy</button></div>\n` +
    `${story(finding, nr)}\n</article>\n`
  );
}

/** One file that needs no other: it may be opened from a disk, mailed, kept beside a log. */
export function renderExploreHtml(report: ExploreReport): string {
  const title = `${variantLabel(report)} on Linux ${report.kernel}`;
  const findings =
    report.findings.length === 0
      ? ""
      : `<section aria-labelledby="findings"><h2 id="findings">Findings</h2>` +
        `${findingsTable(report)}</section>\n` +
        report.findings.map(findingArticle).join("");
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy"
  content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<title>${escapeHtml(title)} · pinshift explore</title>
<style>${STYLE}</style>
</head>
<body>
<header>
<p class="eyebrow">pinshift explore · model ${escapeHtml(report.model)}</p>
<h1>${escapeHtml(title)}</h1>
<p class="summary">${escapeHtml(summaryText(report))}</p>
</header>
<main>
<section aria-labelledby="models"><h2 id="models">Models</h2>${modelsTable(report)}</section>
${findings}</main>
<footer>Pinshift ${escapeHtml(report.version)}</footer>
<script type="application/json" id="report">${scriptData(report)}</script>
<script>
${SCRIPT}</script>
</body>
</html>
`;
}
