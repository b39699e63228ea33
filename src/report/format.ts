/** How numbers and lists are written for people. */

const DURATIONS: readonly (readonly [limitNs: number, unitNs: number, unit: string])[] = [
  [1e3, 1, "ns"],
  [1e6, 1e3, "µs"],
  [1e9, 1e6, "ms"],
  [Number.POSITIVE_INFINITY, 1e9, "s"],
];

/** 40559800 → "40.6 ms". */
export function formatDuration(ns: number): string {
  const [, unitNs, unit] = DURATIONS.find(([limitNs]) => ns < limitNs) ?? [0, 1e9, "s"];
  const value = ns / unitNs;
  return `${unitNs === 1 || (value >= 10 && unit === "µs") ? Math.round(value) : value.toFixed(1)} ${unit}`;
}

/** 32736 → "32,736". */
export function formatCount(nr: number): string {
  return String(nr).replaceAll(/\B(?=(\d{3})+$)/g, ",");
}

/** The same up to 99,999; beyond, in millions: 66334056 → "66.3 M". */
export function formatLarge(nr: number): string {
  return nr < 100_000
    ? formatCount(nr)
    : `${formatCount(Math.floor(nr / 1e6))}.${Math.floor(nr / 1e5) % 10} M`;
}

/** [0, 1, 2, 3, 7] → "0–3, 7"; the numbers must ascend. */
export function formatRanges(numbers: readonly number[]): string {
  const runs: [number, number][] = [];
  for (const nr of numbers) {
    const last = runs.at(-1);
    if (last?.[1] === nr - 1) last[1] = nr;
    else runs.push([nr, nr]);
  }
  return runs.map(([first, last]) => (first === last ? `${first}` : `${first}–${last}`)).join(", ");
}
