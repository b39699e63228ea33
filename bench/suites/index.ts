/** The suites in the order in which they run. */
import type { Suite } from "../question.ts";
import { content } from "./content.ts";
import { fault } from "./fault.ts";
import { init } from "./init.ts";
import { migrate } from "./migrate.ts";
import { verify } from "./verify.ts";

export const suites: readonly Suite[] = [migrate, content, fault, verify, init];
