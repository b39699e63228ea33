/** `--set path=value`: a value that takes the place of what a YAML text says. */
import { type Path, type Problem, YamlText } from "./yaml-text.ts";

/** `guests[0].vcpus` as steps; null if it is no path. */
function parsePath(text: string): Path | null {
  if (!/^[A-Za-z_]\w*(\[\d+\])*(\.[A-Za-z_]\w*(\[\d+\])*)*$/.test(text)) return null;
  return Array.from(text.matchAll(/(\w*[A-Za-z_]\w*)|\[(\d+)\]/g), ([, key, index]) =>
    key === undefined ? Number(index) : key,
  );
}

/**
 * Applies `path=value`, the value being YAML. What is wrong with the setting itself comes back as lines; what
 * is wrong with the value where it stands, the checks of the text will say.
 */
export function applySetting(text: YamlText, setting: string): string[] {
  const source = `--set ${setting}`;
  const equals = setting.indexOf("=");
  const path = parsePath(setting.slice(0, Math.max(equals, 0)).trim());
  if (path === null) return [`${source}: is not path=value, as guests[0].vcpus=8`];
  const value = new YamlText(setting.slice(equals + 1), source);
  if (value.problems.length > 0) return value.problems.map(({ message }) => `${source}: ${message}`);
  const problem: Problem | null = text.set(path, value.value, source);
  return problem === null ? [] : [text.report([problem])];
}
