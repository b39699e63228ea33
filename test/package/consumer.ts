import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** A project outside the tree, with the packed package installed as a user would. */
export class Consumer {
  readonly dir = fs.mkdtempSync(path.join(os.tmpdir(), "pinshift-consumer-"));
  readonly tarball: string;

  constructor() {
    const report = npm(root, "pack", "--json", "--pack-destination", this.dir);
    const [packed]: [{ filename: string }] = JSON.parse(report);
    this.tarball = path.join(this.dir, packed.filename);
    this.write("package.json", JSON.stringify({ name: "consumer", private: true, type: "module" }));
    npm(this.dir, "install", "--prefer-offline", "--no-audit", "--no-fund", this.tarball);
  }

  write(file: string, text: string): void {
    const target = path.join(this.dir, file);
    fs.mkdirSync(path.dirname(target), { recursive: true });
    fs.writeFileSync(target, text);
  }

  node(...args: string[]): string {
    return run(this.dir, process.execPath, args);
  }

  /** Runs a tool that this repository has installed, in the consumer's folder. */
  tool(script: string, ...args: string[]): string {
    return this.node(path.join(root, "node_modules", script), ...args);
  }

  remove(): void {
    fs.rmSync(this.dir, { recursive: true, force: true });
  }
}

function npm(cwd: string, ...args: string[]): string {
  return run(cwd, "npm", args);
}

function run(cwd: string, command: string, args: string[]): string {
  // npm is a batch file on Windows.
  const shell = command === "npm" && process.platform === "win32";
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, shell, encoding: "utf8" });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`${command} ${args.join(" ")}: exit code ${status}\n${stdout}${stderr}`);
  return stdout;
}
