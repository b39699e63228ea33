import * as vm from "node:vm";
import { describe, expect, it } from "vitest";
import { STYLE } from "../../../src/report/explore-html-style.ts";
import { renderExploreHtml } from "../../../src/report/explore-html.ts";
import { renderStoryHtml } from "../../../src/report/story.ts";
import type { Story } from "../../../src/run/explore/story.ts";
import { bounded, clean, crash, found, named } from "./explore-fixture.ts";

const DATA = /<script type="application\/json" id="report">(.*?)<\/script>/s;

function dataOf(html: string): unknown {
  return JSON.parse(DATA.exec(html)?.[1] ?? "null");
}

function scriptOf(html: string): string {
  return /<script>(.*?)<\/script>/s.exec(html)?.[1] ?? "";
}

/** The crash played again. */
const replayed: Story = {
  command: "replay",
  version: "0.1.0",
  kernel: "v3.12",
  policy: "rfc",
  repairs: [],
  model: "one-fault",
  title: "What becomes of <one> fault?",
  schedule: crash.schedule,
  stateHash: "0123456789abcdef",
  crash: null,
  before: crash.before,
  steps: crash.steps.map((step) => ({ ...step, breaks: [] })),
  end: null,
};

describe("the HTML of a replay", () => {
  it("needs no other file, has the story as data, and shows the last step if none breaks anything", () => {
    const html = renderStoryHtml(replayed);
    expect(html).not.toMatch(/https?:\/\/|\bsrc=|<link|@import|url\(|<one>/);
    expect(dataOf(html)).toEqual(replayed);
    expect(html).toMatch(/aria-current="step"><th scope="row">.*? 8<\/th>/);
    expect(html).toContain("After 8 steps it can go on. State hash 0123456789abcdef.");
  });
});

describe("the HTML of an exploration", () => {
  it.each([
    ["findings", found],
    ["no findings", clean],
    ["bounds", bounded],
  ])("needs no other file and has the report as data: %s", (_, report) => {
    const html = renderExploreHtml(report);
    expect(html).not.toMatch(/https?:\/\/|\bsrc=|<link|@import|url\(/);
    expect(dataOf(html)).toEqual(report);
  });

  it.each(["</script><b>", `" onclick="x`, "'&<!--<script>", "]]>&amp;"])("contains a name of %s", (name) => {
    const hostile = named(name);
    const html = renderExploreHtml(hostile);
    expect(html).not.toMatch(/<b\b|<!--/);
    expect(html.match(/<script/g)).toHaveLength(2);
    expect(html.match(/<\/script/g)).toHaveLength(2);
    expect(html).not.toContain('" onclick="x');
    expect(dataOf(html)).toEqual(hostile);
  });

  it("opens and closes the same elements", () => {
    const html = renderExploreHtml(found).replaceAll(/<(script|style)\b.*?<\/\1>/gs, "");
    const pending: string[] = [];
    const unmatched: string[] = [];
    for (const [tag, slash, name = ""] of html.matchAll(/<(\/?)([a-z]+[0-9]?)\b/g)) {
      if (["meta", "input", "wbr"].includes(name)) continue;
      if (slash === "") pending.push(name);
      else if (pending.pop() !== name) unmatched.push(tag);
    }
    expect([...pending, ...unmatched]).toEqual([]);
  });

  it("links each finding, and marks the steps on its slider", () => {
    const html = renderExploreHtml(found);
    for (const nr of [1, 2]) {
      expect(html).toContain(`href="#finding-${nr}"`);
      expect(html).toContain(`id="finding-${nr}"`);
    }
    expect(html).toMatch(/class="inevitable" style="--at:0\.7143"[^>]*>◆</);
    expect(html).toMatch(/class="broken" style="--at:1\.0000"[^>]*>✗</);
  });

  it("shows the step that broke it before any script runs", () => {
    expect(renderExploreHtml(found)).toMatch(/aria-current="step"><th scope="row">.*? 8<\/th>/);
  });

  it("has no slider for a finding without steps", () => {
    const html = renderExploreHtml({ ...found, findings: [{ ...crash, steps: [] }] });
    expect(html.replaceAll(/<(script|style)\b.*?<\/\1>/gs, "")).not.toContain("data-slider");
  });
});

type Listener = (event: object) => void;

/** As much of an element as the script asks for. */
class FakeElement {
  textContent = "";
  value = "";
  hidden = true;
  readonly attributes = new Map<string, string>();
  readonly classes = new Set<string>();
  readonly children: FakeElement[] = [];
  readonly dataset: Record<string, string>;
  readonly #listeners = new Map<string, Listener>();
  readonly classList = {
    toggle: (name: string, on: boolean) => (on ? this.classes.add(name) : this.classes.delete(name)),
  };

  constructor(dataset: Record<string, string> = {}) {
    this.dataset = dataset;
  }

  setAttribute(name: string, value: string): void {
    this.attributes.set(name, value);
  }
  removeAttribute(name: string): void {
    this.attributes.delete(name);
  }
  append(child: FakeElement): void {
    this.children.push(child);
  }
  scrollIntoView(): void {
    this.attributes.set("scrolled", "");
  }
  addEventListener(type: string, listener: Listener): void {
    this.#listeners.set(type, listener);
  }
  fire(type: string, event: object = {}): void {
    this.#listeners.get(type)?.({ target: this, preventDefault: () => {}, ...event });
  }
}

const FIELDS = ["count", "mapping", "flags"];

/** The name in "[data-name]". */
function nameIn(selector: string): string {
  return selector.slice("[data-".length, -"]".length);
}

/** A page with the steps of the crash, with the script of the report run in it. */
function openReport(html = renderExploreHtml({ ...found, findings: [crash] })) {
  const one = Object.fromEntries(
    ["slider", "previous", "next", "story", "stepper", "copy", "command"].map((name) => [
      name,
      new FakeElement(),
    ]),
  );
  const { slider, previous, next, story, stepper, copy, command } = one;
  if (!slider || !previous || !next || !story || !stepper || !copy || !command) throw new Error("not made");
  const rows = crash.steps.map(() => new FakeElement());
  const fields = FIELDS.map((field) => new FakeElement({ field }));
  const number = new FakeElement();
  const many: Record<string, FakeElement[]> = { step: rows, field: fields, number: [number] };
  const article = Object.assign(new FakeElement({ finding: "0" }), {
    querySelector: (selector: string) => one[nameIn(selector)] ?? null,
    querySelectorAll: (selector: string) => many[nameIn(selector)] ?? [],
  });
  slider.value = String(crash.brokenBy + 1);
  const copied: string[] = [];
  command.textContent = "pinshift replay 'x'";
  copy.textContent = "Copy";
  vm.runInNewContext(scriptOf(html), {
    document: {
      getElementById: () => ({ textContent: DATA.exec(html)?.[1] }),
      querySelectorAll: () => [article],
      createElement: () => new FakeElement(),
    },
    navigator: { clipboard: { writeText: (text: string) => copied.push(text) } },
    setTimeout: () => 0,
  });
  const current = (): number[] =>
    rows.flatMap((row, index) => (row.attributes.get("aria-current") === "step" ? [index] : []));
  return { slider, previous, next, story, stepper, copy, rows, fields, number, copied, current };
}

describe("the slider", () => {
  it("starts at the step that broke it, without scrolling there", () => {
    const page = openReport();
    expect(page.current()).toEqual([7]);
    expect(page.stepper.hidden).toBe(false);
    expect(page.rows[7]?.attributes.has("scrolled")).toBe(false);
    expect(page.next.attributes.get("aria-disabled")).toBe("true");
  });

  it("shows the page after the chosen step and what that step changed", () => {
    const page = openReport();
    page.slider.value = "4";
    page.slider.fire("input");
    expect(page.current()).toEqual([3]);
    expect(page.number.textContent).toBe("4");
    expect(page.fields.map(({ textContent }) => textContent)).toEqual(["4", "apf_mapping", "uptodate"]);
    expect(page.fields.map(({ classes }) => classes.has("changed"))).toEqual([true, false, true]);
    expect(page.fields[0]?.children[0]?.textContent).toBe("was 3");
    expect(page.slider.attributes.get("aria-valuetext")).toBe("step 4: migrator, isolate");
  });

  it("moves by buttons and stops at both ends", () => {
    const page = openReport();
    page.next.fire("click");
    expect(page.current()).toEqual([7]);
    for (let nr = 0; nr < 9; nr++) page.previous.fire("click");
    expect(page.current()).toEqual([0]);
    expect(page.fields.some(({ classes }) => classes.has("changed"))).toBe(false);
    expect(page.previous.attributes.get("aria-disabled")).toBe("true");
    page.next.fire("click");
    expect(page.slider.value).toBe("2");
  });

  it.each([
    ["ArrowLeft", 6],
    ["ArrowRight", 7],
    ["Home", 0],
    ["End", 7],
    ["a", 7],
    ["toString", 7],
  ])("moves by the key %s to step %i", (key, index) => {
    const page = openReport();
    page.story.fire("keydown", { key });
    expect(page.current()).toEqual([index]);
  });

  it("leaves keys with a modifier, and those of the range itself, to the browser", () => {
    const page = openReport();
    page.story.fire("keydown", { key: "ArrowLeft", altKey: true });
    page.story.fire("keydown", { key: "ArrowLeft", target: page.slider });
    expect(page.current()).toEqual([7]);
  });

  it("steps through a replay, too", () => {
    const page = openReport(renderStoryHtml(replayed));
    expect(page.current()).toEqual([7]);
    page.slider.value = "4";
    page.slider.fire("input");
    expect(page.current()).toEqual([3]);
    expect(page.fields.map(({ textContent }) => textContent)).toEqual(["4", "apf_mapping", "uptodate"]);
  });

  it("goes to a row that is clicked", () => {
    const page = openReport();
    page.rows[2]?.fire("click");
    expect(page.current()).toEqual([2]);
  });

  it("copies the command", async () => {
    const page = openReport();
    page.copy.fire("click");
    await expect.poll(() => page.copy.textContent).toBe("Copied");
    expect(page.copied).toEqual(["pinshift replay 'x'"]);
  });
});

/** WCAG's relative luminance of "#rrggbb". */
function luminance(colour: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(one: string, other: string): number {
  const [light = 0, dark = 0] = [luminance(one), luminance(other)].toSorted((a, b) => b - a);
  return (light + 0.05) / (dark + 0.05);
}

describe("colours", () => {
  const schemes = Array.from(STYLE.matchAll(/:root \{.*?\}/gs), ([block]) =>
    Object.fromEntries(
      Array.from(block.matchAll(/--([a-z-]+): (#[0-9a-f]{6});/g), ([, name, value]) => [name, value]),
    ),
  );
  const pairs = [
    ...["ground", "panel", "current"].flatMap((ground) =>
      ["text", "quiet", "broken", "inevitable"].map((text) => [text, ground] as const),
    ),
    ...["accent", "good"].map((text) => [text, "ground"] as const),
    ["changed-text", "changed"] as const,
  ];

  it.each(["light", "dark"])("can be read by WCAG AA: %s", (name) => {
    const scheme = schemes[name === "light" ? 0 : 1] ?? {};
    for (const [text, ground] of pairs) {
      expect(
        contrast(scheme[text] ?? "", scheme[ground] ?? ""),
        `${text} on ${ground}`,
      ).toBeGreaterThanOrEqual(4.5);
    }
  });
});
