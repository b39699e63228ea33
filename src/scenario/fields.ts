/**
 * Building blocks of schemas. What they say of a value begins in lower case, by which check-shape.ts tells it
 * from what zod says.
 */
import * as z from "zod";

/** A map with these keys and no others. */
export function fields<Shape extends z.ZodRawShape>(shape: Shape): z.ZodObject<Shape, z.core.$strict> {
  const known = Object.keys(shape).join(", ");
  return z.strictObject(shape, {
    error: ({ code }) => (code === "unrecognized_keys" ? `is not a known key: ${known}` : undefined),
  });
}

/** A map with one of these keys, which must all be optional; `what` says what an entry is. */
export function oneField<Shape extends z.ZodRawShape>(what: string, shape: Shape) {
  return fields(shape)
    .meta({ minProperties: 1, maxProperties: 1 })
    .superRefine((value, context) => {
      const keys = Object.keys(value);
      if (keys.length === 1) return;
      const found = keys.length === 0 ? "is empty" : `is ${keys.join(" and ")}`;
      context.addIssue({ code: "custom", message: `${found}: ${what}` });
    });
}

/** A word or a number in short, or a map in full: `what` names both. */
export function either<Short extends z.ZodType, Long extends z.ZodType>(
  what: string,
  short: Short,
  long: Long,
): z.ZodUnion<[Short, Long]> {
  return z.union([short, long], { error: `is not ${what}` });
}

/** A name in kebab-case. */
export const kebabName: z.ZodString = z
  .string()
  .regex(/^[a-z0-9]+(-[a-z0-9]+)*$/, { error: "is not a name in kebab-case" });
