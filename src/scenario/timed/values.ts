/** Schemas of single values of a scenario: what a file says goes in, what the simulation takes comes out. */
import * as z from "zod";
import { MAX_PFN } from "../../core/abi.ts";
import { shown } from "../check-shape.ts";
import { either, fields, kebabName, oneField } from "../fields.ts";
import type { Distribution } from "../scenario.ts";
import * as distributions from "./distribution.ts";
import { durationPattern, parseDuration, parseSize, sizePattern } from "./quantity.ts";

/** A schema's transform; `convert` may return in words what is wrong. */
export function converted<Input, Output extends number | object>(convert: (input: Input) => Output | string) {
  return (input: Input, context: z.core.$RefinementCtx<Input>): Output => {
    const output = convert(input);
    if (typeof output !== "string") return output;
    context.addIssue({ code: "custom", message: `${shown(input)} ${output}` });
    return z.NEVER;
  };
}

const DURATION = "is not a duration with its unit: 800ns, 75us, 1.5ms, 3s, 10min";

/** The most of a duration that the core keeps in 32 bits: 2.1 s. */
export const MAX_SHORT_NS = 2 ** 31 - 1;

/** A duration, in ns. */
export function duration(min = 0, max = Number.MAX_SAFE_INTEGER) {
  return z
    .string({ error: DURATION })
    .regex(durationPattern, { error: DURATION })
    .transform(
      converted((text: string) => {
        const ns = parseDuration(text);
        if (typeof ns === "string") return ns;
        if (ns < min) return `is less than ${min}ns`;
        return ns > max ? `is more than ${max}ns` : ns;
      }),
    );
}

/** A size, in pages of 4 KiB; at least `min`. */
export function size(min = 1) {
  const text = z.string().regex(sizePattern, { error: "is not a size with its unit: 4KiB, 128MiB, 2GiB" });
  return either(
    "a number of pages or a size with its unit: 4KiB, 128MiB, 2GiB",
    z.int().min(min).max(MAX_PFN),
    text.transform(
      converted((given: string) => {
        const pages = parseSize(given);
        return typeof pages === "number" && pages < min ? `is not at least ${min} pages` : pages;
      }),
    ),
  );
}

// The core has shares in units of 2^-24: six digits stay apart.
const share = z.string().regex(/^(?:0(?:\.\d{1,6})?|1)$/, { error: 'is not a share from "0" to "1"' });

const drawn = oneField("a distribution is one of exponential, quantiles, uniform", {
  exponential: duration().exactOptional().describe("Exponential with this mean."),
  quantiles: z
    .record(share, duration())
    .transform(converted(distributions.quantiles))
    .exactOptional()
    .describe('Values by the share of draws that lie below them, as {"0": 50us, "0.99": 200us, "1": 2ms}.'),
  uniform: z
    .array(duration())
    .min(2)
    .max(2)
    .transform(
      converted(([low = 0, high = 0]: number[]) =>
        low <= high ? distributions.uniform(low, high) : "has the larger value first",
      ),
    )
    .exactOptional()
    .describe("Every value from the first to the second alike."),
}).transform(({ exponential, quantiles, uniform }): Distribution => {
  if (exponential !== undefined) return distributions.exponential(exponential);
  return quantiles ?? uniform ?? distributions.constant(0);
});

/** A duration that is always the same, or a distribution. */
export function distribution() {
  return either("a duration or a distribution", duration().transform(distributions.constant), drawn);
}

export function integer(min: number, max: number): z.ZodInt {
  return z.int().min(min).max(max);
}

/** So many a second. */
export function perSecond(): z.ZodNumber {
  return z.number().min(0).max(1e9);
}

/** Skew of a Zipf distribution in steps of 0.01. */
const skew = z
  .number()
  .min(0.01)
  .max(10)
  .transform(
    converted((given: number) => {
      const hundredths = Math.round(given * 100);
      return Math.abs(given * 100 - hundredths) < 1e-6 ? hundredths / 100 : "is not in steps of 0.01";
    }),
  );

/** zipfian constant of YCSB, which most key-value benchmarks took over. */
const USUAL_SKEW = 0.99;

const named = z.enum(["none", "uniform", "zipf", "sequential"]).transform((kind) => {
  return kind === "zipf" ? { kind, skew: USUAL_SKEW } : { kind };
});

const described = oneField("a pattern is one of zipf, shift, pingPong, trace", {
  zipf: skew
    .exactOptional()
    .describe("Zipf's law with this skew: the first page of the range is the hottest."),
  shift: fields({
    pages: size().describe("Pages of the window, or their size."),
    step: integer(1, MAX_PFN).describe("Pages by which the window moves on."),
    every: duration(1).describe("How long it stays."),
  })
    .exactOptional()
    .describe("Uniform in a window that moves through the range."),
  pingPong: fields({ every: duration(1).describe("How long a task stays in a half.") })
    .exactOptional()
    .describe("Sequential through one half of the range, then through the other."),
  trace: z
    .string()
    .min(1)
    .exactOptional()
    .describe(
      "The accesses of a file, again and again: CSV (*.csv) with the head page,write or with libCacheSim's " +
        "columns time,obj,size,op; any other name is libCacheSim's oracleGeneral. Relative to this file.",
    ),
}).transform(({ zipf, shift, pingPong, trace = "" }) => {
  if (zipf !== undefined) return { kind: "zipf", skew: zipf } as const;
  if (shift !== undefined) {
    return { kind: "shift", pages: shift.pages, step: shift.step, everyNs: shift.every } as const;
  }
  if (pingPong !== undefined) return { kind: "ping-pong", everyNs: pingPong.every } as const;
  return { kind: "trace", file: trace } as const;
});

/** How a task picks pages; a trace is still the name of its file. */
export function pattern() {
  return either("none, uniform, zipf, sequential or a map", named, described);
}

/** The name of a guest, of which there may be one alone. */
export function guestName() {
  return kebabName.exactOptional().describe("Name of the guest; it may be left out if there is one alone.");
}

/** Where a range of guest pages begins and how long it is. */
export const range = {
  firstPage: size(0).prefault(0).describe("First guest page of the range, counted from 0, or its address."),
  pages: size().exactOptional().describe("Pages of the range, or its size; otherwise all up to the end."),
};
