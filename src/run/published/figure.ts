/** Figures that others have published, and what the model gives for them. */
import type { CostProfileName } from "../../scenario/cost-profiles.ts";

export interface Figure {
  readonly id: string;
  readonly what: string;
  /** Where it was published. */
  readonly source: string;
  readonly profile: CostProfileName;
  readonly unit: string;
  readonly published: number;
  /** Its deviation as published, in the same unit; null if there is none. */
  readonly plusMinus: number | null;
  /** How far off the model may be, per cent. */
  readonly bandPercent: number;
  /** True if the profile was fixed by it, so that it proves nothing. */
  readonly calibrates: boolean;
}

export interface MeasuredFigure extends Figure {
  readonly model: number;
  readonly errorPercent: number;
  readonly verdict: "calibrated" | "inside" | "outside";
}

/** What was published and is not compared. */
export interface FigureNotModelled {
  readonly id: string;
  readonly what: string;
  readonly source: string;
  readonly reason: string;
}

/** One or more runs on the timed clock, and the figures that they give. */
export interface Experiment {
  readonly figures: readonly Figure[];
  measure(): Promise<readonly MeasuredFigure[]>;
}

/** A figure and how its value is read from the outcome of the runs. */
export type FigureOf<Outcome> = Figure & { readonly of: (outcome: Outcome) => number };

function judged(figure: Figure, model: number): MeasuredFigure {
  const errorPercent = (model / figure.published - 1) * 100;
  const isInside = Math.abs(errorPercent) <= figure.bandPercent;
  let verdict: MeasuredFigure["verdict"] = isInside ? "inside" : "outside";
  if (figure.calibrates && isInside) verdict = "calibrated";
  return { ...figure, model, errorPercent, verdict };
}

export function experiment<Outcome>(
  run: () => Promise<Outcome>,
  figures: readonly FigureOf<Outcome>[],
): Experiment {
  return {
    figures,
    async measure() {
      const outcome = await run();
      return figures.map(({ of, ...figure }) => judged(figure, of(outcome)));
    },
  };
}
