/** Names of the cost profiles. */
export const costProfileNames = ["server", "zen3-6.16", "zen3-6.8", "tcg-3.11"] as const;
export type CostProfileName = (typeof costProfileNames)[number];
