/**
 * `gump.toml`: the settings of a project for all of its workflows. A value of the wrong kind is an error and an
 * unknown key is a warning. All problems are reported together.
 */
import { TomlError, type TomlTable } from 'smol-toml';
import type { z } from 'zod';
import { defined } from '../optional-keys.js';
import { settingsSchema, tableKeys, topKeys } from './settings-schema.js';
import { excerpt, printable } from './source-line.js';
import { closest } from './suggest.js';
import { isTable, lineOf, readToml, type TomlPath } from './toml.js';

export interface Settings {
  /** The agent of steps that name none. */
  readonly defaultAgent?: string;
  readonly gateTimeoutMs?: number;
  /** The commands of gates. */
  readonly commands: Readonly<Partial<Record<'compile' | 'test' | 'lint' | 'coverage', string>>>;
  /** Maximum length of `{error}`, in characters. */
  readonly maxErrorChars?: number;
  /** Maximum length of `{diff}` in the note on the previous attempt, in characters. */
  readonly maxDiffChars?: number;
}

/** The settings of a project without `gump.toml`. */
export const noSettings: Settings = { commands: {} };

export interface SettingsProblem {
  readonly severity: 'error' | 'warning';
  /** What is wrong and what to do. */
  readonly message: string;
  /** Counted from 1. */
  readonly line: number;
}

export interface SettingsResult {
  /** The valid values, even if there are errors. */
  readonly settings: Settings;
  /** In the order of the file. */
  readonly problems: readonly SettingsProblem[];
}

export interface SettingsOptions {
  /** The problem of an agent name, as a sentence without its subject. If this is absent, names are not checked. */
  agentProblem?(agent: string): string | undefined;
}

// No real file is this long. The time to find the line of a problem grows with the square of the length.
const maxLength = 32_768;

/** Reads the text of a `gump.toml`. Never throws. */
export function readSettings(text: string, { agentProblem }: SettingsOptions = {}): SettingsResult {
  if (text.length > maxLength) {
    const message = `The file has ${text.length} characters. Shorten it to ${maxLength} characters at most.`;
    return { settings: noSettings, problems: [{ severity: 'error', message, line: 1 }] };
  }
  const table = readToml(text);
  if (table instanceof TomlError) return { settings: noSettings, problems: [syntaxProblem(table)] };
  const { settings, problems } = checkTable(table);
  const agent = settings.defaultAgent === undefined ? undefined : agentProblem?.(settings.defaultAgent);
  const found = [
    ...problems,
    ...(agent === undefined ? [] : [errorAt(['default_agent'], agent)]),
    ...unknownKeys(table).map(unknownKeyWarning),
  ];
  const located = found.map(({ path, ...problem }) => ({ ...problem, line: lineOf(text, path) }));
  return { settings, problems: located.sort((a, b) => a.line - b.line) };
}

type LocatedProblem = Omit<SettingsProblem, 'line'> & { readonly path: TomlPath };

function syntaxProblem({ message, line, column }: TomlError): SettingsProblem {
  const what = printable(message.split('\n', 1)[0] ?? '').replace(/^Invalid TOML document: /, '');
  return { severity: 'error', message: `This is not valid TOML: ${what} (column ${column}).`, line };
}

function checkTable(table: TomlTable): {
  readonly settings: Settings;
  readonly problems: readonly LocatedProblem[];
} {
  const { data, error } = settingsSchema.safeParse(table);
  if (data !== undefined) return { settings: toSettings(data), problems: [] };
  const problems = error.issues.map(({ path, message }) => errorAt(path.map(String), message));
  const valid = problems.reduce((rest, { path }) => withoutPath(rest, path), table);
  return { settings: toSettings(settingsSchema.parse(valid)), problems };
}

function withoutPath(table: TomlTable, [key = '', ...rest]: TomlPath): TomlTable {
  const { [key]: value, ...others } = table;
  return rest.length > 0 && isTable(value) ? { ...others, [key]: withoutPath(value, rest) } : others;
}

function errorAt(path: TomlPath, message: string): LocatedProblem {
  return { severity: 'error', message: `\`${shortName(path)}\` ${message}`, path };
}

function unknownKeys(table: TomlTable): readonly TomlPath[] {
  return Object.entries(table).flatMap(([key, value]) => {
    if (!topKeys.includes(key)) return [[key]];
    const known = tableKeys[key];
    if (known === undefined || !isTable(value)) return [];
    return Object.keys(value)
      .filter((inner) => !known.includes(inner))
      .map((inner) => [key, inner]);
  });
}

function unknownKeyWarning(path: TomlPath): LocatedProblem {
  const suggestion = suggestKey(path);
  const hint = suggestion === undefined ? '' : ` Did you mean \`${suggestion}\`?`;
  const message = `There is no setting \`${shortName(path)}\`, so it has no effect.${hint}`;
  return { severity: 'warning', message, path };
}

/** A key with a similar name: in the same table if there is one, otherwise anywhere in the file. */
function suggestKey(path: TomlPath): string | undefined {
  const key = path.at(-1) ?? '';
  const table = path.slice(0, -1);
  const near = closest(key, tableKeys[table[0] ?? ''] ?? topKeys);
  if (near !== undefined) return shortName([...table, near]);
  const elsewhere = closest(key, [...pathsByKey.keys()]);
  return elsewhere && pathsByKey.get(elsewhere);
}

/** Key → its path, for a key that was written in another table. */
const pathsByKey: ReadonlyMap<string, string> = new Map([
  ['default_agent', 'default_agent'],
  ...Object.entries(tableKeys).flatMap(([table, keys]) =>
    keys.map((key): [string, string] => [key, `${table}.${key}`]),
  ),
]);

function shortName(path: TomlPath): string {
  return excerpt(path.join('.'));
}

function toSettings({ default_agent, validation, error_context }: z.output<typeof settingsSchema>): Settings {
  return {
    ...defined({ defaultAgent: default_agent, gateTimeoutMs: validation?.timeout }),
    commands: defined({
      compile: validation?.compile_cmd,
      test: validation?.test_cmd,
      lint: validation?.lint_cmd,
      coverage: validation?.coverage_cmd,
    }),
    ...defined({
      maxErrorChars: error_context?.max_error_chars,
      maxDiffChars: error_context?.max_diff_chars,
    }),
  };
}
