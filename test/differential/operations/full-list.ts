/** Lists of one length that shrink to shorter ones. */
import * as fc from "fast-check";

class FullList<T> extends fc.Arbitrary<T[]> {
  readonly #full: fc.Arbitrary<T[]>;
  readonly #any: fc.Arbitrary<T[]>;

  constructor(element: fc.Arbitrary<T>, length: number) {
    super();
    this.#full = fc.array(element, { minLength: length, maxLength: length });
    this.#any = fc.array(element, { minLength: 1, maxLength: length });
  }

  override generate(random: fc.Random, bias: number | undefined): fc.Value<T[]> {
    return this.#full.generate(random, bias);
  }

  override canShrinkWithoutContext(value: unknown): value is T[] {
    return this.#any.canShrinkWithoutContext(value);
  }

  override shrink(value: T[], context: unknown): fc.Stream<fc.Value<T[]>> {
    return this.#any.shrink(value, context);
  }
}

export function fullList<T>(element: fc.Arbitrary<T>, length: number): fc.Arbitrary<T[]> {
  return new FullList(element, length);
}
