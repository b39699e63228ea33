/** One value of a recording, with the place that an error about it names. */
import { SimError } from "../../errors.ts";

const SHOWN_CHARACTERS = 60;

export type Fields = Readonly<Record<string, unknown>>;

export function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function shown(value: unknown): string {
  if (value === undefined) return "nothing";
  const text = JSON.stringify(value);
  return text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}…` : text;
}

export class Field {
  readonly file: string;
  /** Where it stands: `steps[3].pages`. */
  readonly path: string;
  readonly value: unknown;
  readonly #read = new Set<string>();

  constructor(file: string, path: string, value: unknown) {
    this.file = file;
    this.path = path;
    this.value = value;
  }

  /** The error that says what is allowed here. */
  error(allowed: string): SimError {
    const place = this.path === "" ? this.file : `${this.file}: ${this.path}`;
    return new SimError("ERR_RECORDING", `${place}: ${shown(this.value)} is not ${allowed}`);
  }

  fields(): Fields {
    if (!isFields(this.value)) throw this.error("an object");
    return this.value;
  }

  /** A field of the object that this is; it may be missing. */
  at(name: string): Field {
    this.#read.add(name);
    return new Field(this.file, this.path === "" ? name : `${this.path}.${name}`, this.fields()[name]);
  }

  /** The names of fields that nobody has asked for. */
  unread(): string[] {
    return Object.keys(this.fields()).filter((name) => !this.#read.has(name));
  }

  get missing(): boolean {
    return this.value === undefined;
  }

  items(): Field[] {
    if (!Array.isArray(this.value)) throw this.error("a list");
    return this.value.map((item: unknown, i) => new Field(this.file, `${this.path}[${i}]`, item));
  }

  string(): string {
    if (typeof this.value !== "string") throw this.error("a string");
    return this.value;
  }

  boolean(): boolean {
    if (typeof this.value !== "boolean") throw this.error("true or false");
    return this.value;
  }

  number(): number {
    if (typeof this.value !== "number") throw this.error("a number");
    return this.value;
  }

  integer(min = 0, max = 2 ** 31 - 1): number {
    const { value } = this;
    if (typeof value !== "number" || !Number.isInteger(value) || value < min || value > max) {
      throw this.error(`an integer from ${min} to ${max}`);
    }
    return value;
  }

  /** One of the names; the error lists them. */
  oneOf<K extends string>(names: readonly K[]): K {
    const found = names.find((name) => name === this.value);
    if (found === undefined) throw this.error(`one of ${names.join(", ")}`);
    return found;
  }
}
