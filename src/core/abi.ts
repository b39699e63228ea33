/** The shared numbers, for everything above the core. */
export * from "../../assembly/abi.ts";
