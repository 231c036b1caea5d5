/**
 * Inputs that are YAML mappings. Read with the schema in which every scalar is a text, so that `1.10` stays
 * `1.10` and `no` stays `no`.
 */
import { isMap, isScalar, isSeq, parseDocument, type YAMLMap } from 'yaml';
import { UserError } from './failure.js';

type NameCheck = (name: string) => string | undefined;

/** A mapping of names to texts; a name that `faultOf` says something of is a fault. Throws `UserError`. */
export function readMapping(
  input: string,
  text: string,
  checkName: NameCheck,
): Readonly<Record<string, string>> {
  const wrong = 'is not a text. Allowed: a text, a number, true or false';
  return readMappingEntries(input, text, 'name: value', (name, value) => {
    const problem = checkName(name);
    const read = value === null || isScalar(value) ? textOf(value) : undefined;
    const problems = [...(problem === undefined ? [] : [`${quoted(name)} ${problem}`])];
    if (read === undefined) problems.push(`the value of ${quoted(name)} ${wrong}`);
    return { value: read ?? '', problems };
  });
}

/** A mapping of names to lists of texts. Throws `UserError`. */
export function readListMapping(input: string, text: string): Readonly<Record<string, readonly string[]>> {
  return readMappingEntries(input, text, 'name: [text, text]', (name, value) => {
    if (isSeq(value) && value.items.every((item) => isScalar(item)))
      return { value: value.items.map(textOf), problems: [] };
    return { value: [], problems: [`the value of ${quoted(name)} is not a list of texts`] };
  });
}

interface EntryResult<T> {
  readonly value: T;
  /** What is wrong with it, to stand behind the name of the input. */
  readonly problems: readonly string[];
}

function readMappingEntries<T>(
  input: string,
  text: string,
  form: string,
  read: (name: string, value: unknown) => EntryResult<T>,
): Readonly<Record<string, T>> {
  if (text.trim() === '') return {};
  const entries = mapOf(input, text, form).items.map(({ key, value }) => {
    const name = isScalar(key) ? String(key.value) : String(key);
    return { name, ...read(name, value) };
  });
  const problems = entries.flatMap((entry) => entry.problems);
  if (problems.length > 0)
    throw new UserError(problems.map((problem) => `Input ${input}: ${problem}.`).join('\n'));
  return Object.fromEntries(entries.map(({ name, value }) => [name, value]));
}

function mapOf(input: string, text: string, form: string): YAMLMap {
  const document = parseDocument(text, { schema: 'failsafe' });
  // The first alone: the others mostly follow from it.
  const [broken] = document.errors;
  if (broken !== undefined) {
    const why = broken.message.split('\n', 1)[0]?.replace(/:$/, '');
    throw new UserError(`Input ${input} is not YAML: ${why}.`);
  }
  if (isMap(document.contents)) return document.contents;
  throw new UserError(
    `Input ${input}: ${quoted(text.trim())} is not allowed. Allowed: a YAML mapping, one \`${form}\` a line.`,
  );
}

function textOf(value: unknown): string {
  return isScalar(value) ? String(value.value ?? '') : '';
}

/** A value as it is shown in a message: on one line, and not longer than one. */
export function quoted(text: string): string {
  const shown = JSON.stringify(text);
  return shown.length <= 100 ? shown : `${shown.slice(0, 97)}…"`;
}
