import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("../../", import.meta.url));
const binary = fileURLToPath(new URL("../../dist/src/cli/main.js", import.meta.url));

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the built command. */
export function pinshift(...args: string[]): Finished {
  return pinshiftIn(root, ...args);
}

export function pinshiftIn(cwd: string, ...args: string[]): Finished {
  return node(cwd, binary, ...args);
}

/** Runs the built command in a process where `script` has run before. */
export function pinshiftAfter(script: string, ...args: string[]): Finished {
  return node(root, "--import", `data:text/javascript,${encodeURIComponent(script)}`, binary, ...args);
}

/** A script that sends Ctrl-C once the command waits for it; what `then` does happens at the same time. */
export function ctrlC(then: string): string {
  return `
    const timer = setInterval(() => {
      if (process.listenerCount("SIGINT") === 0) return;
      clearInterval(timer);
      ${then}
      setTimeout(() => process.kill(process.pid, "SIGINT"), 300);
    }, 10);
    timer.unref();`;
}

/** Runs Node itself. */
export function node(cwd: string, ...args: string[]): Finished {
  const { status, stdout, stderr, error } = spawnSync(process.execPath, args, { cwd, encoding: "utf8" });
  if (error !== undefined) throw error;
  return { code: status, stdout, stderr };
}
