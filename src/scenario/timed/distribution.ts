/** What a YAML file says of quantities that are drawn, as points of their inverse distribution functions. */
import type { Distribution } from "../scenario.ts";

const MAX_QUANTILES = 128;

type Points = Distribution["points"];

export function constant(ns: number): Distribution {
  return uniform(ns, ns);
}

/** Every value from `low` to `high` alike. */
export function uniform(low: number, high: number): Distribution {
  return {
    points: [
      { share: 0, ns: low },
      { share: 1, ns: high },
    ],
  };
}

/** Points of exponential: so many for each halving of what is left, and so many halvings. */
const STEPS = 8;
const HALVINGS = 14;

/**
 * Exponential with a mean. The points are equally far apart in value, up to the share 1 − 2^-14 = 0.99994;
 * the last one is where it gives the draws beyond their mean. Lines between points make the mean of all draws
 * larger by 0.06 %.
 */
export function exponential(meanNs: number): Distribution {
  // Square roots are exact to the last bit everywhere, Math.pow() need not be.
  const factor = Math.sqrt(Math.sqrt(Math.sqrt(0.5)));
  const points: Points[number][] = [];
  let halved = 1;
  for (let halving = 0; halving < HALVINGS; halving += 1) {
    let left = halved;
    for (let step = 0; step < STEPS; step += 1) {
      const nr = halving * STEPS + step;
      points.push({ share: 1 - left, ns: Math.round((meanNs * Math.LN2 * nr) / STEPS) });
      left *= factor;
    }
    halved /= 2;
  }
  const last = meanNs * Math.LN2 * HALVINGS;
  points.push({ share: 1 - halved, ns: Math.round(last) });
  points.push({ share: 1, ns: Math.round(last + 2 * meanNs) });
  return { points };
}

/** Quantiles by share, in any order; or in words what is wrong with them. */
export function quantiles(table: Readonly<Record<string, number>>): Distribution | string {
  const nr = Object.keys(table).length;
  if (nr > MAX_QUANTILES) return `has ${nr} shares, at most ${MAX_QUANTILES} may be`;
  const points = Object.entries(table)
    .map(([share, ns]) => ({ share: Number(share), ns }))
    .toSorted((a, b) => a.share - b.share);
  if (points.at(0)?.share !== 0 || points.at(-1)?.share !== 1) return 'has not both "0" and "1"';
  for (const [i, point] of points.entries()) {
    const before = points[i - 1];
    if (before === undefined) continue;
    if (before.share === point.share) return `has ${point.share} twice`;
    if (before.ns > point.ns) return `has less at ${point.share} than at ${before.share}`;
  }
  return { points };
}
