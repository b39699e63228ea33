/** What scripts/mutate.mjs breaks: transitions of the simulated kernel, one at a time. */
import { asyncPfMutations } from "./async-pf.mjs";
import { migrateMutations } from "./migrate.mjs";
import { processMutations } from "./process.mjs";
import { reclaimMutations } from "./reclaim.mjs";

/** @typedef {import("./in-file.mjs").Mutation} Mutation */

export const mutations = [...asyncPfMutations, ...migrateMutations, ...reclaimMutations, ...processMutations];

/** Models that come upon something in the tree as it is, and why that is right. It is no news later. */
export const notClean = [
  { model: "exit", why: "v3.12's work items keep no mm_users: GUP maps a page beside exit_mmap()" },
  { model: "migrate-exit", why: "the same" },
];
