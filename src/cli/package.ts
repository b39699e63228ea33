/** What the command knows of the package that it is part of. */
import { createRequire } from "node:module";
import * as path from "node:path";

const require = createRequire(import.meta.url);
const manifest = require.resolve("pinshift/package.json");

export function packageVersion(): string {
  const { version }: { version: string } = require(manifest);
  return version;
}

/** The folder of package.json. */
export function packageRoot(): string {
  return path.dirname(manifest);
}
