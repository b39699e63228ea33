/** Schedules as strings. */
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SimError } from "../../../src/errors.ts";
import { parseSchedule, scheduleText } from "../../../src/run/explore/schedule.ts";

const variants = fc.record({
  kernel: fc.constantFrom("v3.12", "v6.1", "v6.12"),
  policy: fc.constantFrom("pin", "rfc", "drop-get", "longterm"),
  repairs: fc.subarray(["L1", "L2", "L3", "L4", "L5"] as const),
} as const);

it("reads back what it writes", () => {
  const named = fc.record({
    model: fc.constantFrom("migrate", "two-vcpus-migrate", "x1"),
    variant: variants,
    schedule: fc.array(fc.nat({ max: 15 }), { maxLength: 80 }),
  });
  fc.assert(
    fc.property(named, (schedule) => {
      expect(parseSchedule(scheduleText(schedule))).toEqual(schedule);
    }),
  );
});

it("is short where one actor takes many steps", () => {
  const variant = { kernel: "v3.12", policy: "rfc", repairs: ["L1"] } as const;
  const schedule = [0, 2, 2, 2, 1, 0];
  expect(scheduleText({ model: "migrate", variant, schedule })).toBe("migrate@v3.12/rfc+L1:ac3ba");
});

describe("a string that is none is refused", () => {
  it.each([
    ["", "is not of the form MODEL@KERNEL/POLICY:STEPS"],
    ["migrate:abc", "is not of the form"],
    ["migrate@v3.12/rfc", "is not of the form"],
    ["migrate@v2.6/rfc:a", 'kernel: "v2.6" is not one of'],
    ["migrate@v3.12/none:a", 'policy: "none" is not one of'],
    ["migrate@v3.12/rfc+L9:a", 'repairs: "L9" is not one of'],
    ["migrate@v3.12/rfc:ab0", 'column 21: "0" is no step'],
    ["migrate@v3.12/rfc:aXc", 'column 20: "Xc" is no step'],
    ["migrate@v3.12/rfc:a z", 'column 20: " z" is no step'],
  ])("%j", (text, message) => {
    expect(() => parseSchedule(text)).toThrow(SimError);
    expect(() => parseSchedule(text)).toThrow(message);
  });
});
