/** The suites in the order in which they run. */
import type { Suite } from "../question.ts";
import { content } from "./content.ts";
import { explore } from "./explore.ts";
import { fault } from "./fault.ts";
import { init } from "./init.ts";
import { migrate } from "./migrate.ts";
import { reclaim } from "./reclaim.ts";
import { swapin } from "./swapin.ts";
import { timed } from "./timed.ts";
import { verify } from "./verify.ts";

export const suites: readonly Suite[] = [
  migrate,
  content,
  fault,
  reclaim,
  swapin,
  verify,
  init,
  explore,
  timed,
];
