/**
 * `gump.toml`: what a project sets for all of its workflows. Strict: a value of the wrong kind is an error, a key
 * that nobody knows a warning, and all faults are told in one pass. Keys of the language's own command line that
 * mean nothing in a job are passed over.
 */
import { TomlError, type TomlTable } from 'smol-toml';
import { readDuration } from './duration.js';
import { excerpt, printable } from './source-line.js';
import { closest } from './suggest.js';
import { isTable, lineOf, readToml, type TomlPath } from './toml.js';

export interface Settings {
  /** The agent of steps that name none. */
  readonly defaultAgent?: string;
  readonly gateTimeoutMs?: number;
  /** The commands of gates. */
  readonly commands: Readonly<Partial<Record<'compile' | 'test' | 'lint' | 'coverage', string>>>;
  /** Characters of `{error}`. */
  readonly maxErrorChars?: number;
  /** Characters of `{diff}` in the note on the attempt before. */
  readonly maxDiffChars?: number;
}

/** A project without `gump.toml`. */
export const noSettings: Settings = { commands: {} };

export interface SettingsProblem {
  readonly severity: 'error' | 'warning';
  /** What is wrong and what to do. */
  readonly message: string;
  /** From 1. */
  readonly line: number;
}

export interface SettingsResult {
  /** Without values of the wrong kind. */
  readonly settings: Settings;
  /** In the order of the file. */
  readonly problems: readonly SettingsProblem[];
}

export interface SettingsOptions {
  /** What is wrong with the name of an agent, as a sentence; without it names are not checked. */
  agentProblem?(agent: string): string | undefined;
}

// Far more than the file has to say; finding the line of a fault takes the square of it.
const longest = 32_768;

/** Reads the text of a `gump.toml`. Never throws. */
export function readSettings(text: string, options: SettingsOptions = {}): SettingsResult {
  if (text.length > longest) {
    const message = `The file is ${text.length} characters long; ${longest} are allowed.`;
    return { settings: noSettings, problems: [{ severity: 'error', message, line: 1 }] };
  }
  const table = readToml(text);
  if (table instanceof TomlError) return { settings: noSettings, problems: [syntaxProblem(table)] };
  const found = checkTable(table, shape, [], options);
  const problems = found.problems.map(({ path, ...problem }) => ({ ...problem, line: lineOf(text, path) }));
  return { settings: toSettings(found.values), problems: problems.sort((a, b) => a.line - b.line) };
}

function syntaxProblem({ message, line, column }: TomlError): SettingsProblem {
  const what = printable(message.split('\n', 1)[0] ?? '').replace(/^Invalid TOML document: /, '');
  return { severity: 'error', message: `This is not valid TOML: ${what} (column ${column}).`, line };
}

/** What a value has to be, and whether it is; a text says what is wrong with one of the right kind. */
interface ValueKind {
  readonly expected: string;
  accepts(value: unknown, options: SettingsOptions): boolean | string;
}

const text: ValueKind = {
  expected: 'text that is not empty',
  accepts: (value) => typeof value === 'string' && value.trim() !== '',
};
const duration: ValueKind = {
  expected: 'a length of time such as `"10m"` or `"1h30m"`',
  accepts: (value) => typeof value === 'string' && (readDuration(value) ?? 0) > 0,
};
const characters: ValueKind = {
  expected: 'a whole number from 1 on',
  accepts: (value) => Number.isSafeInteger(value) && Number(value) >= 1,
};
const agent: ValueKind = {
  expected: text.expected,
  accepts: (value, { agentProblem }) =>
    (text.accepts(value, {}) && agentProblem?.(String(value).trim())) || text.accepts(value, {}),
};

/** A key, or the keys of a table; `ignored` with whatever is in it. */
type Shape = {
  readonly [key: string]: ValueKind | 'ignored' | { readonly keys: Readonly<Record<string, ValueKind>> };
};

const shape: Shape = {
  default_agent: agent,
  log_level: 'ignored',
  display: 'ignored',
  analytics: 'ignored',
  update: 'ignored',
  validation: {
    keys: { timeout: duration, compile_cmd: text, test_cmd: text, lint_cmd: text, coverage_cmd: text },
  },
  error_context: { keys: { max_error_chars: characters, max_diff_chars: characters } },
};

interface CheckedValues {
  /** By the path with dots; only what is of the right kind. */
  readonly values: ReadonlyMap<string, unknown>;
  readonly problems: readonly (Omit<SettingsProblem, 'line'> & { readonly path: TomlPath })[];
}

function checkTable(
  table: TomlTable,
  known: Shape,
  above: TomlPath,
  options: SettingsOptions,
): CheckedValues {
  const found = Object.entries(table).map(([key, value]): CheckedValues => {
    const path = [...above, key];
    const kind = Object.hasOwn(known, key) ? known[key] : undefined;
    if (kind === undefined) return problemAt('warning', unknownSettingMessage(path, known), path);
    if (kind === 'ignored') return nothing;
    if (!('keys' in kind)) return checkValue(value, kind, path, options);
    if (isTable(value)) return checkTable(value, kind.keys, path, options);
    return problemAt('error', `\`${named(path)}\` must be a table: write \`[${named(path)}]\`.`, path);
  });
  return {
    values: new Map(found.flatMap(({ values }) => [...values])),
    problems: found.flatMap(({ problems }) => problems),
  };
}

const nothing: CheckedValues = { values: new Map(), problems: [] };

function checkValue(
  value: unknown,
  kind: ValueKind,
  path: TomlPath,
  options: SettingsOptions,
): CheckedValues {
  const accepted = kind.accepts(value, options);
  if (accepted === true) return { values: new Map([[path.join('.'), value]]), problems: [] };
  if (accepted === false)
    return problemAt(
      'error',
      `\`${named(path)}\` must be ${kind.expected}, but is ${describe(value)}.`,
      path,
    );
  const { problems } = problemAt('error', `\`${named(path)}\` ${accepted}`, path);
  return { values: new Map([[path.join('.'), value]]), problems };
}

function problemAt(severity: SettingsProblem['severity'], message: string, path: TomlPath): CheckedValues {
  return { values: new Map(), problems: [{ severity, message, path }] };
}

function unknownSettingMessage(path: TomlPath, known: Shape): string {
  const key = path.at(-1) ?? '';
  const near = closest(key, Object.keys(known));
  const elsewhere = near === undefined ? closest(key, [...settingPaths.keys()]) : undefined;
  const meant =
    near !== undefined ? named([...path.slice(0, -1), near]) : elsewhere && settingPaths.get(elsewhere);
  const hint = meant === undefined ? '' : ` Did you mean \`${meant}\`?`;
  return `There is no setting \`${named(path)}\`, so it has no effect.${hint}`;
}

/** Where a key belongs that stands elsewhere. */
const settingPaths: ReadonlyMap<string, string> = new Map(
  Object.entries(shape).flatMap(([key, kind]) =>
    kind !== 'ignored' && 'keys' in kind
      ? Object.keys(kind.keys).map((inner): [string, string] => [inner, `${key}.${inner}`])
      : [[key, key]],
  ),
);

function named(path: TomlPath): string {
  return excerpt(path.join('.'));
}

function describe(value: unknown): string {
  if (typeof value === 'string') return `"${excerpt(value)}"`;
  if (typeof value === 'number' || typeof value === 'boolean') return `\`${value}\``;
  if (Array.isArray(value)) return 'a list';
  return isTable(value) ? 'a table' : 'a date';
}

function toSettings(values: ReadonlyMap<string, unknown>): Settings {
  const textAt = (path: string): string | undefined => {
    const value = values.get(path);
    return typeof value === 'string' ? value.trim() : undefined;
  };
  const timeout = textAt('validation.timeout');
  return {
    ...given('defaultAgent', textAt('default_agent')),
    ...given('gateTimeoutMs', timeout === undefined ? undefined : readDuration(timeout)),
    commands: {
      ...given('compile', textAt('validation.compile_cmd')),
      ...given('test', textAt('validation.test_cmd')),
      ...given('lint', textAt('validation.lint_cmd')),
      ...given('coverage', textAt('validation.coverage_cmd')),
    },
    ...given('maxErrorChars', values.get('error_context.max_error_chars') as number | undefined),
    ...given('maxDiffChars', values.get('error_context.max_diff_chars') as number | undefined),
  };
}

function given<K extends string, T>(key: K, value: T | undefined): { readonly [key in K]?: T } {
  return value === undefined ? {} : ({ [key]: value } as { readonly [key in K]: T });
}
