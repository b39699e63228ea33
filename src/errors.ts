/** What a caller can get wrong, and what can go wrong in Pinshift itself. Users switch on the code. */
export type SimErrorCode =
  | "ERR_ARGUMENT" // a value of the wrong kind
  | "ERR_RANGE" // a number outside what is allowed
  | "ERR_LIMIT" // more than the host was configured for
  | "ERR_UNKNOWN_NAME" // a policy, kernel, repair … that does not exist
  | "ERR_STOPPED" // the simulated kernel has crashed: inspection only
  | "ERR_MEMORY" // the wasm memory is not to be had
  | "ERR_SNAPSHOT" // not a snapshot, or a damaged one
  | "ERR_ABI_MISMATCH" // made by another build
  | "ERR_RECORDING" // a recording that cannot be replayed as it stands
  | "ERR_MODEL" // a bounded model that cannot be run as it stands: a line for each problem
  | "ERR_SCENARIO" // a scenario that cannot be run as it stands: a line for each problem
  | "ERR_CORE_PANIC"; // a bug of Pinshift

export class SimError extends Error {
  readonly code: SimErrorCode;

  constructor(code: SimErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "SimError";
    this.code = code;
  }
}
