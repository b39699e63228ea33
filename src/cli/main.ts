#!/usr/bin/env node
import { main } from "./program.ts";

// A reader that has seen enough, as in `pinshift | head`, is no error.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  process.exit();
});

await main(process.argv.slice(2));
