/** What all HTML reports are made of: one file that needs no other. */
import { SCRIPT } from "./explore-html-script.ts";
import { STYLE } from "./explore-html-style.ts";

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

/** JSON that cannot end the script element it stands in. */
function scriptData(value: unknown): string {
  return JSON.stringify(value).replaceAll("<", String.raw`\u003c`);
}

/** A table that scrolls sideways by itself where it does not fit. */
export function scrolling(label: string, table: string): string {
  return `<div class="scroll" tabindex="0" role="region" aria-label="${escapeHtml(label)}">${table}</div>`;
}

export function headRow(heads: readonly (readonly [head: string, style?: string])[]): string {
  const cells = heads.map(
    ([head, style = ""]) => `<th scope="col" class="${style}">${escapeHtml(head)}</th>`,
  );
  return `<thead><tr>${cells.join("")}</tr></thead>`;
}

export interface HtmlPage {
  readonly command: string;
  /** What the page is about, in small letters above the title. */
  readonly about: string;
  readonly title: string;
  readonly summary: string;
  /** HTML. */
  readonly main: string;
  readonly report: { readonly version: string };
}

/** One file that needs no other: it may be opened from a disk, mailed, kept beside a log. */
export function htmlPage({ command, about, title, summary, main, report }: HtmlPage): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy"
  content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<title>${escapeHtml(title)} · pinshift ${command}</title>
<style>${STYLE}</style>
</head>
<body>
<header>
<p class="eyebrow">pinshift ${command} · ${escapeHtml(about)}</p>
<h1>${escapeHtml(title)}</h1>
<p class="summary">${escapeHtml(summary)}</p>
</header>
<main>
${main}</main>
<footer>Pinshift ${escapeHtml(report.version)}</footer>
<script type="application/json" id="report">${scriptData(report)}</script>
<script>
${SCRIPT}</script>
</body>
</html>
`;
}
