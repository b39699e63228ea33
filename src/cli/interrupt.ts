/** Ctrl-C, once: what runs ends and reports what it has. The second time it kills, as ever. */
export class Interrupt {
  static readonly EXIT_CODE = 130; // 128 + SIGINT
  readonly #controller = new AbortController();
  readonly #listener = (): void => this.#controller.abort();

  constructor() {
    process.once("SIGINT", this.#listener);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** From now on Ctrl-C kills. */
  end(): void {
    process.removeListener("SIGINT", this.#listener);
  }
}
