/** Recordings made for a test: a small one that can be replayed, and changes to it. */
import { type CaseResult, parseRecording, replay } from "../../../src/run/validate.ts";

export interface Json {
  [name: string]: unknown;
}

const node = (id: number, firstPfn: number, pages: number): Json => ({ id, firstPfn, pages });

/** Two nodes of 64 MiB. */
export const host: Json = {
  pageSize: 4096,
  memoryBlockPages: 32768,
  nodes: [node(0, 0, 16384), node(1, 16384, 16384)],
};

export function mapStep(pages: number, more: Json = {}): Json {
  return { op: "map", region: "a", kind: "anon", pages, node: 0, touch: "write", ...more };
}

export function moveStep(target: number, observed: Json, more: Json = {}): Json {
  return { op: "movePages", region: "a", entries: "all", node: target, flags: "MOVE", ...more, observed };
}

export function pinStep(id: string, pages: unknown, more: Json = {}): Json {
  return { op: "pin", region: "a", pages, how: "vmsplice", id, ...more };
}

/** The text of a recording with these steps. */
export function recordingOf(steps: readonly Json[], more: Json = {}): string {
  const head = {
    name: "made",
    title: "Made for a test.",
    kernel: "6.1.192",
    recorded: "2026-01-01",
    needs: [],
  };
  return JSON.stringify({ ...head, host, ...more, steps });
}

export async function replaySteps(steps: readonly Json[], more: Json = {}): Promise<CaseResult> {
  return replay(parseRecording(recordingOf(steps, more), "case.json"));
}

/** What a test looks at; AGREES if all went as recorded and everything was compared. */
export async function outcomeOf(steps: readonly Json[], more: Json = {}): Promise<Json> {
  const { result, disagreements, notCompared } = await replaySteps(steps, more);
  return { result, disagreements, notCompared };
}

export const AGREES = { result: "agree", disagreements: [], notCompared: [] };
