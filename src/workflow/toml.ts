/** TOML, and where in it a value stands. */
import { parse, TomlError, type TomlTable } from 'smol-toml';

export type TomlPath = readonly string[];

/** The values, or what is wrong with the text and where. */
export function readToml(text: string): TomlTable | TomlError {
  try {
    return parse(text);
  } catch (error) {
    if (error instanceof TomlError) return error;
    throw error;
  }
}

export function isTable(value: unknown): value is TomlTable {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);
}

/**
 * The line, from 1, on which the value at this path begins, in a text that can be read. smol-toml 1.9 does not say
 * where a value stands, so it is asked for ever longer beginnings of the text: the first that has the value ends
 * with it, and the value's line comes behind the beginning that could be read before.
 */
export function lineOf(whole: string, path: TomlPath): number {
  const lines = whole.split('\n');
  let begins = 1;
  for (const [index, line] of lines.entries()) {
    if (/^\s*(?:#.*)?$/.test(line) && begins === index + 1) {
      begins = index + 2;
      continue;
    }
    const table = readToml(lines.slice(0, index + 1).join('\n'));
    if (table instanceof TomlError) continue;
    if (hasPath(table, path)) return begins;
    begins = index + 2;
  }
  return 1;
}

function hasPath(table: TomlTable, [key = '', ...rest]: TomlPath): boolean {
  if (!Object.hasOwn(table, key)) return false;
  const value = table[key];
  return rest.length === 0 || (isTable(value) && hasPath(value, rest));
}
