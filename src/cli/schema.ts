/** pinshift schema: what files may say, for editors. */
import { Argument, type Command } from "commander";
import { emit, outOption } from "./output.ts";

const KINDS = ["scenario", "model"] as const;

const schemas: Readonly<Record<(typeof KINDS)[number], () => Promise<object>>> = {
  scenario: async () => (await import("../scenario/timed/schema.ts")).scenarioSchema(),
  model: async () => (await import("../scenario/model/schema.ts")).modelSchema(),
};

async function schemaCommand(
  kind: (typeof KINDS)[number],
  options: { readonly out?: string },
): Promise<void> {
  const { renderJson } = await import("../report/csv.ts");
  emit(renderJson(await schemas[kind]()), options);
}

export function addSchemaCommand(program: Command): void {
  program
    .command("schema")
    .description("Print the JSON Schema (draft 7) of scenario or model files.")
    .addArgument(new Argument("[kind]", "of which files").choices(KINDS).default("scenario"))
    .addOption(outOption())
    .addHelpText(
      "after",
      "\nEditors with the YAML language server complete and check a file that begins with its name:\n" +
        "  pinshift schema --out pinshift-scenario.json\n" +
        "  # yaml-language-server: $schema=./pinshift-scenario.json",
    )
    .action(schemaCommand);
}
