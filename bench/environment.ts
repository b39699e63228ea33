/** Where and when a run was made. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import * as os from "node:os";
import { fileURLToPath } from "node:url";

export interface Environment {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGib: number;
  readonly os: string;
  readonly node: string;
  readonly date: string;
  /** Ends in "+" if the working tree has changes. */
  readonly commit: string;
  readonly version: string;
}

const root = fileURLToPath(new URL("..", import.meta.url));

function git(...args: string[]): string | null {
  try {
    return execFileSync("git", args, { cwd: root, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  } catch (error) {
    // An unpacked archive has no history; anything else is worth seeing.
    if (error instanceof Error && "status" in error) return null;
    throw error;
  }
}

function commit(): string {
  const hash = git("rev-parse", "--short", "HEAD");
  if (hash === null) return "unknown";
  const changed = git("status", "--porcelain", "--", "assembly", "src", "bench") ?? "";
  return hash.trim() + (changed === "" ? "" : "+");
}

export function environment(): Environment {
  const manifest: unknown = JSON.parse(readFileSync(`${root}/package.json`, "utf8"));
  const version =
    typeof manifest === "object" && manifest !== null && "version" in manifest ? manifest.version : null;
  return {
    cpu: os.cpus()[0]?.model.trim() ?? "unknown",
    cores: os.cpus().length,
    memoryGib: Math.round(os.totalmem() / 2 ** 30),
    os: `${os.type()} ${os.release()}`,
    node: process.version,
    date: new Date().toISOString().slice(0, 10),
    commit: commit(),
    version: String(version),
  };
}
