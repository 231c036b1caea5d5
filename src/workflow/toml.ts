/** Reads TOML and finds the line of a value. */
import { parse, TomlError, type TomlTable } from 'smol-toml';

export type TomlPath = readonly string[];

/** The values, or the syntax error with its position. */
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
 * The line, counted from 1, on which the value at this path begins in a valid TOML text. smol-toml 1.9 does not
 * report positions, so this parses longer and longer beginnings of the text. The first one that has the value ends
 * with the value, and the value begins after the previous beginning that was valid.
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
