/** Lists of numbers that are compared as a whole, and named only where they differ. */

/** The same numbers in the same order are put into the list of the core and into that of the reference. */
export interface Words {
  put(name: string, id: number, value: number): void;
}

/** Keeps the numbers alone. */
export class PlainWords implements Words {
  #words = new Int32Array(1 << 10);
  #length = 0;

  clear(): void {
    this.#length = 0;
  }

  put(_name: string, _id: number, value: number): void {
    if (this.#length === this.#words.length) {
      const longer = new Int32Array(this.#words.length * 2);
      longer.set(this.#words);
      this.#words = longer;
    }
    this.#words[this.#length] = value;
    this.#length += 1;
  }

  equals(other: PlainWords): boolean {
    if (this.#length !== other.#length) return false;
    for (let at = 0; at < this.#length; at++) {
      if (this.#words[at] !== other.#words[at]) return false;
    }
    return true;
  }
}

/** Keeps names and numbers. */
export class NamedWords implements Words {
  readonly named: [string, number][] = [];

  put(name: string, id: number, value: number): void {
    this.named.push([`${name} of ${id}`, value | 0]);
  }
}

/** Numbers as bytes, to be compared as a whole. */
export function bytesOf(words: Int32Array): Buffer {
  return Buffer.from(words.buffer, words.byteOffset, words.byteLength);
}
