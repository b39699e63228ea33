import * as fs from "node:fs";
import { describe, expect, it } from "vitest";
import { node, pinshift, root } from "./pinshift.ts";

interface Block {
  readonly language: string;
  readonly text: string;
  /** The block behind it. */
  readonly next: Block | undefined;
}

function blocksOf(file: string): Block[] {
  const text = fs.readFileSync(`${root}/${file}`, "utf8");
  const blocks: Block[] = [];
  for (const [, language = "", body = ""] of [...text.matchAll(/^```(\w*)\n(.*?)^```$/gms)].toReversed()) {
    blocks.unshift({ language, text: body, next: blocks[0] });
  }
  return blocks;
}

/** The commands of a session, each with what it is said to print. */
function sessionOf(text: string): [command: string, output: string][] {
  return text
    .split(/^\$ /m)
    .slice(1)
    .map((part) => [part.slice(0, part.indexOf("\n")), part.slice(part.indexOf("\n") + 1)]);
}

const blocks = blocksOf("README.md");
const sessions = blocks
  .filter(({ language }) => language === "console")
  .flatMap(({ text }) => sessionOf(text));
const programs = blocks.filter(({ language }) => language === "js");

describe("README.md", () => {
  it("has code blocks of a kind that is run here, and no others", () => {
    expect(sessions.length).toBeGreaterThanOrEqual(3);
    expect(programs).toHaveLength(1);
    const outputs = programs.map(({ next }) => next);
    expect(blocks.filter((block) => block.language === "text")).toEqual(outputs);
    expect(new Set(blocks.map(({ language }) => language))).toEqual(new Set(["console", "js", "text"]));
  });

  it.each(sessions)("$ %s prints what it says", (command, output) => {
    const [npx, name, ...args] = command.split(" ");
    expect([npx, name]).toEqual(["npx", "pinshift"]);
    const { code, stdout } = pinshift(...args);
    expect(stdout.trimEnd()).toBe(output.trimEnd());
    expect(code).toBe(0);
  });

  it("shows what its program prints", () => {
    const [program] = programs;
    // Within the package its own name resolves to what is built.
    const { code, stdout, stderr } = node(root, "--input-type=module", "--eval", program?.text ?? "");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toBe(program?.next?.text);
  });

  it.each(["README.md", "ARCHITECTURE.md", "CHANGELOG.md", "docs/model.md"])(
    "%s names only files that are there",
    (file) => {
      const text = fs.readFileSync(`${root}/${file}`, "utf8");
      const links = [...text.matchAll(/\]\(([^):]+)\)/g)].map(([, target = ""]) => target);
      const paths = [...text.matchAll(/\b(?:assembly|src|test|scripts|docs|bench)\/[\w./-]*[\w/]/g)].map(
        ([target]) => target,
      );
      const missing = [...links, ...paths].filter((target) => !fs.existsSync(`${root}/${target}`));
      expect(missing).toEqual([]);
    },
  );
});
