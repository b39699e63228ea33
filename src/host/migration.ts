/** The migration of one page, a step at a time, for what happens between the steps of migrate_pages(). */
import * as abi from "../core/abi.ts";
import type { Core, Exports } from "../core/core.ts";
import { type MigrationMode, migrationModes, nameIn } from "../core/names.ts";
import { SimError } from "../errors.ts";
import { lookUp } from "./config.ts";
import { type CallResult, callResult } from "./region.ts";

export interface MigrationOptions {
  /** Node of the target. */
  readonly node: number;
  /** Default: sync. */
  readonly mode?: MigrationMode;
  /** May sleep for the page lock, as passes 3 to 9 of migrate_pages() do. Default: false. */
  readonly force?: boolean;
}

export interface StepResult extends CallResult {
  /** The step waits for a page lock; nothing has changed, and it is to be taken again. */
  readonly sleeps: boolean;
}

const calls = ["isolate", "unmap", "move", "finish"] as const;
type Call = (typeof calls)[number];

/** How far a migration is. look, put and check are steps of the RFC's callback, within the move. */
const steps = {
  isolate: abi.MIGRATION_ISOLATED,
  unmap: abi.MIGRATION_UNMAPPED,
  look: abi.MIGRATION_LOOKED,
  put: abi.MIGRATION_PUT,
  check: abi.MIGRATION_CHECKED,
  move: abi.MIGRATION_MOVED,
} as const;
export type MigrationStep = keyof typeof steps;

/** After which steps a call may come. */
const allowed: Readonly<Record<Call, readonly (MigrationStep | null)[]>> = {
  isolate: [null],
  unmap: ["isolate"],
  move: ["unmap", "look", "put", "check"],
  finish: ["isolate", "unmap", "move"],
};

export class Migration {
  readonly pfn: number;
  readonly #core: Core;
  readonly #options: MigrationOptions;
  #id = 0;

  /** Migrations come from Host.migration(). */
  constructor(core: Core, pfn: number, options: MigrationOptions) {
    lookUp("mode", migrationModes, options.mode ?? "sync");
    this.#core = core;
    this.#options = options;
    this.pfn = pfn;
  }

  /** How far it is: the step that was taken last, null before the first and after the end. */
  get step(): MigrationStep | null {
    if (this.#id === 0) return null;
    const word = this.#core.words(abi.TABLE_MIGRATIONS)[
      (this.#id * abi.MIGRATION_SIZE + abi.MIGRATION_STEP) >> 2
    ];
    return nameIn(steps, word ?? abi.MIGRATION_NONE) ?? null;
  }

  /**
   * isolate_lru_page(): 0 or -EBUSY.
   *
   * @throws {SimError} ERR_LIMIT if limits.migrations are under way.
   */
  isolate(): StepResult {
    this.#expect("isolate");
    const { node, mode = "sync", force = false } = this.#options;
    const id = this.#core.run((core) => core.migrationIsolate(this.pfn, node, migrationModes[mode], force));
    if (id === 0) {
      const most = this.#core.config(abi.CFG_MIGRATIONS);
      throw new SimError("ERR_LIMIT", `isolate: ${most} migrations are under way, all of limits.migrations`);
    }
    if (id !== undefined && id > 0) this.#id = id;
    return { ...callResult(this.#core, id === undefined || id < 0 ? id : 0), sleeps: false };
  }

  /**
   * Allocates the target, takes the page lock and replaces the PTEs with migration entries: 0 if the move may
   * be tried. -ENOMEM also if limits.pins leaves none to note the target with.
   */
  unmap(): StepResult {
    return this.#step("unmap", (core) => core.migrationUnmap(this.#id));
  }

  /** move_to_new_page(): the reference-count check, the mapping, the content, the PTEs of the target. */
  move(): StepResult {
    return this.#step("move", (core) => core.migrationMove(this.#id));
  }

  /**
   * As much of move() as has to happen at once. That is all of it, but of the RFC's callback as posted, which
   * shares no lock with a completion: look (it follows page->private to the context and its work item), put
   * (it drops that item's reference of the page), check (of the count), move. `step` says how far that was.
   */
  stepMove(): StepResult {
    return this.#step("move", (core) => core.migrationStepMove(this.#id));
  }

  /** Puts everything back that has not moved, and both pages: the result of the attempt. */
  finish(): StepResult {
    const result = this.#step("finish", (core) => core.migrationFinish(this.#id));
    this.#id = 0;
    return result;
  }

  #step(call: Call, body: (core: Exports) => number): StepResult {
    this.#expect(call);
    const rc = this.#core.run(body);
    const sleeps = call === "unmap" && rc === abi.MIGRATION_SLEEPS;
    return { ...callResult(this.#core, sleeps ? 0 : rc), sleeps };
  }

  #expect(call: Call): void {
    const now = this.step;
    if (allowed[call].includes(now)) return;
    const last = now === null ? "not begun" : `after ${now}`;
    throw new SimError(
      "ERR_ARGUMENT",
      `${call}: the migration of page ${this.pfn} is ${last}; the steps are ${calls.join(", ")}`,
    );
  }
}
