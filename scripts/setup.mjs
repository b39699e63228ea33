// Makes a clone ready to run: dependencies, build, and `npx pinshift`. Node's own modules only.
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { buildStale } from "./build.mjs";
import { absolute, root, runAsMain } from "./lib.mjs";

/** @typedef {{ version?: string, integrity?: string, optional?: boolean }} Locked */

/**
 * @param {string} file
 * @returns {Record<string, Locked> | undefined}
 */
function readLocked(file) {
  if (!fs.existsSync(absolute(file))) return undefined;
  return JSON.parse(fs.readFileSync(absolute(file), "utf8")).packages;
}

/** Whether node_modules holds what package-lock.json asks for, by npm's record of what it installed. */
function isInstalled() {
  const wanted = readLocked("package-lock.json") ?? {};
  const installed = readLocked("node_modules/.package-lock.json");
  if (installed === undefined) return false;
  return Object.entries(wanted).every(([path, { version, integrity, optional }]) => {
    const found = installed[path];
    // The packages of other platforms are optional and absent.
    if (path === "" || (optional && found === undefined)) return true;
    const same = found?.version === version && found?.integrity === integrity;
    return same && fs.existsSync(absolute(path));
  });
}

function install() {
  process.stderr.write("installing dependencies\n");
  // Dev dependencies build the package; NODE_ENV=production would leave them out.
  const command = "npm ci --include=dev --include=optional --no-audit --no-fund --loglevel=error";
  // Through a shell, because npm is a batch file on Windows.
  const { status } = spawnSync(command, { cwd: root, shell: true, stdio: ["ignore", 2, 2] });
  if (status !== 0) throw new Error(`${command}: exit code ${status}`);
}

/** `npm exec` finds a package's own command only where its dependencies' commands are. */
function linkCommand() {
  const link = absolute("node_modules/.bin/pinshift");
  if (process.platform === "win32" || fs.lstatSync(link, { throwIfNoEntry: false }) !== undefined) return;
  fs.symlinkSync("../../dist/src/cli/main.js", link);
}

export function setUp() {
  if (!isInstalled()) install();
  buildStale();
  linkCommand();
}

runAsMain(import.meta.url, setUp);
