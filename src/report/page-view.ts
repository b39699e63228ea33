/** A page after a step, in words: what each field says, and what the step changed. */
import { namesIn } from "../core/names.ts";
import type { PageView } from "../run/explore/result.ts";

export type PageField = keyof PageView;

/** Every field in the order in which it is told, with what it is called. */
export const pageFields = {
  pfn: "pfn",
  count: "count",
  mapcount: "mapcount",
  mapping: "mapping",
  private: "private",
  ctx: "context",
  pte: "PTE",
  flags: "flags",
} as const satisfies Record<PageField, string>;

export const PAGE_FIELDS = namesIn(pageFields);

/** What stands where there is nothing. */
export const NOTHING = "–";

/** The value of a field. */
export function fieldText(page: PageView, field: PageField): string {
  if (field === "flags") return page.flags.join(", ") || NOTHING;
  if (field === "pfn" && page.pfn === 0) return NOTHING;
  return String(page[field] ?? NOTHING);
}

/** page->private and the context that it points to, once if the one names the other. */
export function privateText(page: PageView): string {
  if (page.ctx === null) return page.private ?? NOTHING;
  if (page.private === null || page.ctx.startsWith(page.private)) return page.ctx;
  return `${page.private}, ${page.ctx}`;
}

/** Whether a step changed the field; the first step changed nothing that is known. */
export function isChanged(before: PageView | undefined, after: PageView, field: PageField): boolean {
  return before !== undefined && fieldText(before, field) !== fieldText(after, field);
}

/** "+locked −lru": the flags that a step set and cleared. */
export function flagChanges(before: PageView, after: PageView): string {
  const set = after.flags.filter((flag) => !before.flags.includes(flag)).map((flag) => `+${flag}`);
  const cleared = before.flags.filter((flag) => !after.flags.includes(flag)).map((flag) => `−${flag}`);
  return [...set, ...cleared].join(" ");
}

/** "count 3 (was 2)", "+locked −lru": each field that a step changed; of the first, all there is. */
export function changeTexts(before: PageView | undefined, after: PageView): string[] {
  if (before === undefined) {
    return PAGE_FIELDS.filter((field) => fieldText(after, field) !== NOTHING).map(
      (field) => `${pageFields[field]} ${fieldText(after, field)}`,
    );
  }
  return PAGE_FIELDS.filter((field) => isChanged(before, after, field)).map((field) => {
    if (field === "flags") return flagChanges(before, after);
    return `${pageFields[field]} ${fieldText(after, field)} (was ${fieldText(before, field)})`;
  });
}
