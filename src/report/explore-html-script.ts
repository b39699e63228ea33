/** The script of the HTML report: a slider that steps through the story of each finding. */

/** Plain JavaScript for a browser. The page works without it: then the step that broke it is shown. */
export const SCRIPT = String.raw`"use strict";
const report = JSON.parse(document.getElementById("report").textContent);

/** What a field of the page says after a step, what it said before, and whether they differ. */
function fieldAfter(steps, index, field) {
  const text = (page) => {
    const value = page[field];
    if (value === null || value === "" || value.length === 0 || (field === "pfn" && value === 0)) return "–";
    return Array.isArray(value) ? value.join(", ") : String(value);
  };
  const now = text(steps[index].page);
  const before = index === 0 ? now : text(steps[index - 1].page);
  return { now, before, changed: now !== before };
}

/** The step to which a key leads, or null if the key is not for the story. */
function stepForKey(key, index, nrSteps) {
  const targets = { ArrowLeft: index - 1, ArrowRight: index + 1, Home: 0, End: nrSteps - 1 };
  return Object.hasOwn(targets, key) ? Math.min(Math.max(targets[key], 0), nrSteps - 1) : null;
}

function showPage(article, steps, index) {
  for (const value of article.querySelectorAll("[data-field]")) {
    const { now, before, changed } = fieldAfter(steps, index, value.dataset.field);
    value.textContent = now;
    value.classList.toggle("changed", changed);
    if (!changed) continue;
    const was = document.createElement("small");
    was.textContent = "was " + before;
    value.append(was);
  }
}

function connectStory(article) {
  // A replay is one story, an exploration has one for each finding.
  const { steps } = report.findings?.[Number(article.dataset.finding)] ?? report;
  const slider = article.querySelector("[data-slider]");
  if (slider === null) return;
  const rows = [...article.querySelectorAll("[data-step]")];
  const previous = article.querySelector("[data-previous]");
  const next = article.querySelector("[data-next]");
  let current = Number(slider.value) - 1;

  const select = (index) => {
    current = index;
    const { actor, transition } = steps[index];
    slider.value = String(index + 1);
    slider.setAttribute("aria-valuetext", "step " + (index + 1) + ": " + actor + ", " + transition);
    for (const number of article.querySelectorAll("[data-number]")) number.textContent = String(index + 1);
    rows.forEach((row, nr) => {
      if (nr === index) row.setAttribute("aria-current", "step");
      else row.removeAttribute("aria-current");
    });
    previous.setAttribute("aria-disabled", String(index === 0));
    next.setAttribute("aria-disabled", String(index === steps.length - 1));
    showPage(article, steps, index);
  };
  const go = (index) => {
    if (index < 0 || index >= steps.length) return;
    select(index);
    rows[index].scrollIntoView({ block: "nearest", inline: "nearest" });
  };

  slider.addEventListener("input", () => go(Number(slider.value) - 1));
  previous.addEventListener("click", () => go(current - 1));
  next.addEventListener("click", () => go(current + 1));
  rows.forEach((row, index) => row.addEventListener("click", () => select(index)));
  article.querySelector("[data-story]").addEventListener("keydown", (event) => {
    if (event.target === slider || event.altKey || event.ctrlKey || event.metaKey) return;
    const index = stepForKey(event.key, current, steps.length);
    if (index === null) return;
    event.preventDefault();
    go(index);
  });
  article.querySelector("[data-stepper]").hidden = false;
  select(current);
}

/** Copies the text of an element; where the clipboard is out of reach it is selected, at least. */
async function copyText(element) {
  try {
    await navigator.clipboard.writeText(element.textContent);
    return "Copied";
  } catch {
    getSelection().selectAllChildren(element);
    return document.execCommand("copy") ? "Copied" : "Selected";
  }
}

function connectCopy(article) {
  const button = article.querySelector("[data-copy]");
  const command = article.querySelector("[data-command]");
  button.hidden = false;
  button.addEventListener("click", async () => {
    const label = button.textContent;
    button.textContent = await copyText(command);
    setTimeout(() => (button.textContent = label), 1500);
  });
}

for (const article of document.querySelectorAll("[data-finding]")) {
  connectStory(article);
  connectCopy(article);
}
`;
