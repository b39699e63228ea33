import { describe, expect, it } from "vitest";
import { readTrace } from "../../../../src/scenario/timed/trace.ts";

function encoded(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** Bytes of a record, written out one by one: little-endian. */
function bytesOf(value: bigint, length: number): number[] {
  return Array.from({ length }, (_, i) => Number((BigInt.asUintN(64, value) >> BigInt(8 * i)) & 0xffn));
}

interface Request {
  readonly time: number;
  readonly object: bigint;
  readonly size?: number;
  readonly next?: bigint;
}

function oracle(requests: readonly Request[]): Uint8Array {
  return Uint8Array.from(
    requests.flatMap(({ time, object, size = 4096, next = -1n }) => [
      ...bytesOf(BigInt(time), 4),
      ...bytesOf(object, 8),
      ...bytesOf(BigInt(size), 4),
      ...bytesOf(next, 8),
    ]),
  );
}

const read = (page: number) => ({ page, write: false });
const written = (page: number) => ({ page, write: true });

describe("CSV of pages", () => {
  it("has page numbers as they stand", () => {
    const text = "page,write\n7,0\n3,1\n7,true\n0,false\n";
    expect(readTrace(encoded(text), "a.csv")).toEqual([read(7), written(3), written(7), read(0)]);
    expect(readTrace(text, "anything")).toHaveLength(4);
  });

  it("may come from Windows, with blanks and empty lines", () => {
    expect(readTrace("\uFEFFpage,write\r\n 7 , 0\r\n\r\n3,1", "a.csv")).toEqual([read(7), written(3)]);
  });

  it.each([
    ["x,0", 'a.csv:3: "x" is not a page number'],
    ["-1,0", 'a.csv:3: "-1" is not a page number'],
    ["1.5,0", 'a.csv:3: "1.5" is not a page number'],
    ["67108864,0", 'a.csv:3: "67108864" is not a page number'],
    ["1,2", 'a.csv:3: "2" is not one of 0, 1, false, true'],
    ["1,toString", 'a.csv:3: "toString" is not one of 0, 1, false, true'],
    ["1", 'a.csv:3: "" is not one of 0, 1, false, true'],
    ["1,0,5", "a.csv:3: has more than two columns"],
  ])("%s is refused by its line", (line, message) => {
    expect(() => readTrace(`page,write\n0,0\n${line}\n`, "a.csv")).toThrow(message);
  });
});

describe("CSV of libCacheSim", () => {
  it("has objects, which become pages in the order of their first access", () => {
    const text = "time,obj,size,op\n1,900,4096,get\n2,abc,4096,set\n2,900,4096,WRITE\n3,5,1,read\n";
    expect(readTrace(text, "a.csv")).toEqual([read(0), written(1), written(0), read(2)]);
  });

  it("needs no head, no size and no operation", () => {
    expect(readTrace("1,900\n2,5\n2,900\n", "a.csv")).toEqual([read(0), read(1), read(0)]);
    expect(readTrace("1.5,900,10\n", "a.csv")).toEqual([read(0)]);
  });

  it.each([
    ["x,1", 'a.csv:2: its time, "x", is not a number'],
    ["2", "a.csv:2: has no object"],
    ["2,", "a.csv:2: has no object"],
    ["2,1,big", 'a.csv:2: its size, "big", is not a number'],
    ["2,1,1,jump", 'a.csv:2: "jump" is not one of nop, get'],
    ["2,1,1,constructor", 'a.csv:2: "constructor" is not one of nop, get'],
    ["2,1,1,get,5", "a.csv:2: has more than four columns"],
  ])("%s is refused by its line", (line, message) => {
    expect(() => readTrace(`1,1\n${line}\n`, "a.csv")).toThrow(message);
  });

  it.each([
    ["nothing", ""],
    ["a head alone", "time,obj\n"],
    ["a head of pages alone", "page,write\n"],
  ])("%s is no trace", (_what, text) => {
    expect(() => readTrace(text, "a.csv")).toThrow("a.csv: has no accesses");
  });

  it("is UTF-8", () => {
    expect(() => readTrace(Uint8Array.of(0x31, 0x2c, 0xff), "a.csv")).toThrow("a.csv: is not UTF-8");
  });
});

describe("oracleGeneral", () => {
  it("has records of 24 bytes, all of them reads", () => {
    const requests = [
      { time: 1, object: 900n, size: 1 },
      { time: 1, object: 901n, next: 3n },
      { time: 2, object: 900n + 2n ** 63n },
      { time: 4_294_967_295, object: 900n, size: 2 },
    ];
    const pages = [read(0), read(1), read(2), read(0)];
    expect(readTrace(oracle(requests), "a.oracleGeneral.bin")).toEqual(pages);
  });

  it("may stand anywhere in a buffer", () => {
    const bytes = Uint8Array.from([9, 9, 9, ...oracle([{ time: 1, object: 7n }])]);
    expect(readTrace(bytes.subarray(3), "a")).toEqual([read(0)]);
  });

  it.each([
    ["has no records", [], 0, "a: has no records"],
    ["ends early", [{ time: 1, object: 1n }], -1, "a: record 1: ends after 23 of 24 bytes"],
    [
      "ends in its third record",
      Array.from({ length: 3 }, () => ({ time: 1, object: 1n })),
      -20,
      "a: record 3: ends after 4 of 24 bytes",
    ],
    [
      "goes back in time",
      [
        { time: 5, object: 1n },
        { time: 5, object: 1n },
        { time: 4, object: 1n },
      ],
      72,
      "a: record 3: its time, 4, is before that of the record before it, 5: is it an oracleGeneral file?",
    ],
  ])("is refused if it %s", (_what, requests, end, message) => {
    expect(() => readTrace(oracle(requests).slice(0, end), "a")).toThrow(message);
  });

  it("is refused if it is compressed", () => {
    const bytes = Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0, 0);
    expect(() => readTrace(bytes, "a.oracleGeneral.zst")).toThrow(
      "a.oracleGeneral.zst: is compressed with zstd: decompress it first, with zstd -d",
    );
  });
});
