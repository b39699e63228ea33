/** pinshift explain and pinshift policies: what the names mean. */
import type { Command } from "commander";
import type { NamedTopic } from "../explain.ts";
import { type OutputOptions, columnsFor, emit, formatOption, outOption, paintFor } from "./output.ts";
import { packageVersion } from "./package.ts";
import { UsageError } from "./usage-error.ts";

async function topicOf(name: string): Promise<NamedTopic> {
  const { findTopic, similarTopics, topics } = await import("../explain.ts");
  const topic = findTopic(name);
  if (topic !== undefined) return topic;
  const similar = similarTopics(name);
  const hint = similar.length > 0 ? ` Did you mean ${similar.join(" or ")}?` : "";
  const all = topics.map((one) => one.name).join(", ");
  throw new UsageError(`explain: there is no ${JSON.stringify(name)}.${hint} There is: ${all}`);
}

async function explainCommand(name: string | undefined, options: OutputOptions): Promise<void> {
  const { renderTopic, renderTopicJson, renderTopicList } = await import("../report/explain.ts");
  const layout = { paint: paintFor(options), columns: columnsFor(options) };
  if (name === undefined) {
    const { topics } = await import("../explain.ts");
    const json = () => renderTopicJson({ command: "explain", version: packageVersion(), topics });
    emit(options.format === "json" ? json() : renderTopicList(topics, layout), options);
    return;
  }
  const topic = await topicOf(name);
  const json = () => renderTopicJson({ command: "explain", version: packageVersion(), ...topic });
  emit(options.format === "json" ? json() : renderTopic(topic, layout), options);
}

async function policiesCommand(options: OutputOptions): Promise<void> {
  const { renderPoliciesCsv, renderPoliciesJson, renderPoliciesTable } =
    await import("../report/policies.ts");
  const layout = { paint: paintFor(options), columns: columnsFor(options) };
  const render = {
    table: () => renderPoliciesTable(layout),
    json: () => renderPoliciesJson(packageVersion()),
    csv: () => renderPoliciesCsv(),
  };
  emit(render[options.format](), options);
}

export function addExplainCommands(program: Command): void {
  program
    .command("policies")
    .description("List the pin policies and the repairs of the RFC.")
    .addOption(formatOption())
    .addOption(outOption())
    .action(policiesCommand);
  program
    .command("explain")
    .description("Say what a policy, repair, invariant, errno, kernel profile, crash kind or scenario is.")
    .argument("[name]", "what to explain; without it, what there is")
    .allowUnknownOption() // -EAGAIN is a name, not an option
    .addOption(formatOption(["table", "json"]))
    .addOption(outOption())
    .action(explainCommand);
}
