import type { Path } from "./yaml-text.ts";

/** Something in a file of the right shape that cannot be, for what the file says elsewhere. */
export interface Contradiction {
  readonly path: Path;
  readonly message: string;
}
