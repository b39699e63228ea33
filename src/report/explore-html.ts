/** The report of `pinshift explore` as one HTML file: an overview, each finding step by step. */
import type { ExploreReport, Finding } from "../run/explore/result.ts";
import { completeText, findingsIn, summaryText } from "./explore.ts";
import { brokenText, findingTitle, replayCommand, toldOf } from "./finding.ts";
import { formatCount } from "./format.ts";
import { escapeHtml, headRow, htmlPage, scrolling } from "./html.ts";
import { variantLabel } from "./variant.ts";
import { commandHtml, storyHtml } from "./story-html.ts";

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
    commandHtml(replayCommand(finding)) +
    `${storyHtml(toldOf(finding), nr, finding.brokenBy)}\n</article>\n`
  );
}

export function renderExploreHtml(report: ExploreReport): string {
  const findings =
    report.findings.length === 0
      ? ""
      : `<section aria-labelledby="findings"><h2 id="findings">Findings</h2>` +
        `${findingsTable(report)}</section>\n` +
        report.findings.map(findingArticle).join("");
  const models = `<h2 id="models">Models</h2>${modelsTable(report)}`;
  return htmlPage({
    command: "explore",
    about: `model ${report.model}`,
    title: `${variantLabel(report)} on Linux ${report.kernel}`,
    summary: summaryText(report),
    main: `<section aria-labelledby="models">${models}</section>\n${findings}`,
    report,
  });
}
