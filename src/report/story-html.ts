/** Steps that a reader of an HTML report goes through with a slider. */
import type { PageView } from "../run/explore/result.ts";
import { BROKEN_MARK, type MarkedStep, type Told, actorsOf } from "./finding.ts";
import { escapeHtml, headRow, scrolling } from "./html.ts";
import { PAGE_FIELDS, changeTexts, fieldText, isChanged, pageFields } from "./page-view.ts";

/** A kernel function's name, which goes on behind an underscore where it is too long for a line. */
function breakable(name: string): string {
  return escapeHtml(name).replaceAll("_", "_<wbr>");
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
function trackMarks({ steps, marked }: Told): string {
  const last = Math.max(steps.length - 1, 1);
  return marked
    .map(({ mark, index, text }) => {
      const together = marked.some((other) => other.index === index && other.mark !== mark);
      const side = mark === BROKEN_MARK ? " right" : " left";
      const title = escapeHtml(`step ${index + 1}: ${text}`);
      const place = `style="--at:${(index / last).toFixed(4)}" title="${title}" aria-hidden="true"`;
      return `<span class="${markClass(mark)}${together ? side : ""}" ${place}>${mark}</span>`;
    })
    .join("");
}

function stepper(told: Told, nr: number, shown: number): string {
  const nrSteps = told.steps.length;
  return (
    `<div class="stepper" data-stepper hidden>` +
    `<button type="button" data-previous aria-label="Previous step">←</button>` +
    `<div class="track">${trackMarks(told)}` +
    `<input type="range" data-slider min="1" max="${nrSteps}" step="1" value="${shown + 1}" ` +
    `aria-label="Step of finding ${nr}" autocomplete="off"></div>` +
    `<button type="button" data-next aria-label="Next step">→</button>` +
    `<span class="where">step <span data-number>${shown + 1}</span> of ${nrSteps}</span></div>`
  );
}

function stepsTable(told: Told, nr: number, shown: number): string {
  const { steps, marked } = told;
  const actors = actorsOf(told);
  const rows = steps.map(({ actor: acting, function: where, transition, page }, index) => {
    const marks = marked.filter((one) => one.index === index).map((one) => markHtml(one));
    const lanes = actors.map((actor) =>
      actor === acting
        ? `<td class="lane" data-actor="${escapeHtml(actor)}">` +
          `<code>${breakable(where)}</code>${escapeHtml(transition)}</td>`
        : `<td class="lane"></td>`,
    );
    const changes = index === 0 ? [] : changeTexts(steps[index - 1]?.page, page);
    const texts = changes.map((text) => `<span>${escapeHtml(text)}</span>`).join("");
    return (
      `<tr data-step${index === shown ? ` aria-current="step"` : ""}>` +
      `<th scope="row">${marks.join("")} ${index + 1}</th>${lanes.join("")}` +
      `<td class="changes">${texts}</td></tr>`
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

function marksList({ marked }: Told): string {
  const items = marked.map(
    ({ mark, index, text }) =>
      `<li><span class="${markClass(mark)}">${mark} step ${index + 1}</span> ${escapeHtml(text)}</li>`,
  );
  return `<ul class="marks">${items.join("")}</ul>`;
}

/** The command that plays a schedule, with a button that copies it. */
export function commandHtml(command: string): string {
  return (
    `<div class="replay"><code data-command>${escapeHtml(command)}</code>` +
    `<button type="button" data-copy aria-live="polite" hidden>Copy</button></div>\n`
  );
}

/** A slider, the steps, the page after the step that is shown first, and what the marks mean. */
export function storyHtml(told: Told, nr: number, first: number): string {
  const { steps } = told;
  const shown = steps[first] === undefined ? steps.length - 1 : first;
  const after = steps[shown]?.page;
  if (after === undefined) return `<p class="detail quiet">No step was taken: it is so from the start.</p>`;
  return (
    `<div data-story>${stepper(told, nr, shown)}` +
    `<div class="story">${stepsTable(told, nr, shown)}` +
    `${pagePanel(steps[shown - 1]?.page, after, shown)}</div></div>${marksList(told)}`
  );
}
