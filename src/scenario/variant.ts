/** A pin policy with its repairs, as --policy and the `policies` of a scenario have it. */
import {
  type KernelName,
  type PolicyName,
  type RepairName,
  kernels,
  namesIn,
  policies,
  repairs,
} from "../core/names.ts";
import { SimError } from "../errors.ts";
import { nameOf } from "../host/config.ts";

export interface PolicyVariant {
  readonly policy: PolicyName;
  /** Repairs of the policy rfc; none is the patch as posted. */
  readonly repairs: readonly RepairName[];
}

/** A kernel profile by its name. @throws {SimError} ERR_UNKNOWN_NAME */
export function parseKernel(place: string, name: string): KernelName {
  return nameOf(place, kernels, name);
}

/** Repairs by their names, "L1,L2" or "L1+L2". @throws {SimError} ERR_UNKNOWN_NAME */
export function parseRepairs(place: string, names: readonly string[]): RepairName[] {
  const wanted = new Set(names.map((name) => nameOf(place, repairs, name)));
  return namesIn(repairs).filter((name) => wanted.has(name));
}

/** One policy as "pin" or "rfc+L1+L2". @throws {SimError} ERR_UNKNOWN_NAME, ERR_ARGUMENT */
export function parseVariant(place: string, text: string): PolicyVariant {
  const [name = "", ...repairNames] = text.split("+").map((part) => part.trim());
  const policy: PolicyName = nameOf(place, policies, name);
  if (policy !== "rfc" && repairNames.length > 0) {
    throw new SimError("ERR_ARGUMENT", `${place}: ${JSON.stringify(text)} has repairs, and only rfc has any`);
  }
  return { policy, repairs: parseRepairs(place, repairNames) };
}
