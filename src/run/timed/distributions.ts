/** Distributions as the core has them: points in one table, each distribution a run of them. */
import type { Exports } from "../../core/core.ts";
import type { Distribution } from "../../scenario/scenario.ts";

const SHARE_UNIT = 2 ** 24;
const COUNT_BITS = 8;
/** Points of a Zipf distribution over as many ranks as there can be pages. */
export const ZIPF_POINTS = 640;

// oxlint-disable oxc/approx-constant -- ln 2 is the median
/** Exponential with a mean of `ns`: quantiles −ln(1−p), to six figures, up to p = 0.9999. */
const exponentialQuantiles: readonly (readonly [share: number, value: number])[] = [
  [0, 0],
  [0.05, 0.051293],
  [0.1, 0.105361],
  [0.15, 0.162519],
  [0.2, 0.223144],
  [0.25, 0.287682],
  [0.3, 0.356675],
  [0.35, 0.430783],
  [0.4, 0.510826],
  [0.45, 0.597837],
  [0.5, 0.693147],
  [0.55, 0.798508],
  [0.6, 0.916291],
  [0.65, 1.049822],
  [0.7, 1.203973],
  [0.75, 1.386294],
  [0.8, 1.609438],
  [0.84, 1.832581],
  [0.88, 2.120264],
  [0.91, 2.407946],
  [0.94, 2.813411],
  [0.96, 3.218876],
  [0.97, 3.506558],
  [0.98, 3.912023],
  [0.985, 4.199705],
  [0.99, 4.60517],
  [0.993, 4.961845],
  [0.996, 5.521461],
  [0.998, 6.214608],
  [0.999, 6.907755],
  [0.9995, 7.600902],
  [0.9999, 9.21034],
  [1, 11.512925],
];

/** An exponential distribution with this mean, ns. */
export function exponential(meanNs: number): Distribution {
  return {
    points: exponentialQuantiles.map(([share, value]) => ({ share, ns: Math.round(value * meanNs) })),
  };
}

export class Distributions {
  readonly #points: { share: number; ns: number }[] = [];
  readonly #known = new Map<Distribution, number>();
  readonly #zipf: { first: number; ranks: number; skew: number }[] = [];
  #length = 0;

  /** Points of all distributions. */
  get length(): number {
    return this.#length;
  }

  /** The number by which the core knows a distribution. */
  place(distribution: Distribution): number {
    const known = this.#known.get(distribution);
    if (known !== undefined) return known;
    const first = this.#length;
    for (const { share, ns } of distribution.points) {
      this.#points[this.#length] = { share: Math.round(share * SHARE_UNIT), ns };
      this.#length += 1;
    }
    const number = first * 2 ** COUNT_BITS + distribution.points.length;
    this.#known.set(distribution, number);
    return number;
  }

  /** Room for a Zipf distribution. Returns its first point. */
  placeZipf(ranks: number, skew: number): number {
    const known = this.#zipf.find((one) => one.ranks === ranks && one.skew === skew);
    if (known !== undefined) return known.first;
    const first = this.#length;
    this.#zipf.push({ first, ranks, skew });
    this.#length += ZIPF_POINTS;
    return first;
  }

  write(x: Exports): void {
    this.#points.forEach(({ share, ns }, number) => x.setQuantile(number, share, BigInt(ns)));
  }
}
