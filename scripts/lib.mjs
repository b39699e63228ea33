import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { fileURLToPath } from "node:url";

export const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

/** @param {string} file relative to the root */
export function absolute(file) {
  return path.join(root, file);
}

/**
 * Runs a Node script in the root. What it prints goes to stderr: `npm start` keeps stdout for its result.
 *
 * @param {string} script
 * @param {string[]} args
 */
export function runNode(script, args) {
  const { status } = spawnSync(process.execPath, [script, ...args], { cwd: root, stdio: ["ignore", 2, 2] });
  if (status !== 0) throw new Error(`${path.basename(script)} ${args.join(" ")}: exit code ${status}`);
}

/**
 * Runs `main` if `url` is the script that Node was started with. Its errors are the user's to read: no stack.
 *
 * @param {string} url
 * @param {() => void} main
 */
export function runAsMain(url, main) {
  const script = process.argv[1];
  if (script === undefined || fs.realpathSync(script) !== fileURLToPath(url)) return;
  try {
    main();
  } catch (error) {
    process.stderr.write(
      `${path.basename(script)}: ${error instanceof Error ? error.message : String(error)}\n`,
    );
    process.exitCode = 1;
  }
}
