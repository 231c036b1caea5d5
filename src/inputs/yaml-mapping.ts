/**
 * Inputs that are YAML mappings. The YAML schema `failsafe` reads every scalar as text, so that `1.10` stays `1.10`
 * and `no` stays `no`.
 */
import { isMap, parseDocument } from 'yaml';
import { z } from 'zod';
import { UserError, UserErrors } from '../failure.js';
import { quoted } from './quote.js';

/** A value of a mapping; a key without a value has the empty text. */
export const textValue = z
  .string(must('be text, a number, `true` or `false`'))
  .nullable()
  .transform((text) => text ?? '');

export const textListValue = z.array(textValue, must('be a list of strings'));

/** The end of a message: `must WHAT, but is VALUE`. */
function must(what: string) {
  return { error: ({ input }: { readonly input?: unknown }) => `must ${what}, but is ${describe(input)}.` };
}

/**
 * Reads the mapping of an input and checks each name and value. The messages of the two schemas are ends of
 * sentences whose subject is the name. `form` is one line of such a mapping, for messages. Throws `UserErrors`
 * with all problems, or `UserError` if the text is no mapping.
 */
export function readMapping<Value>(
  input: string,
  text: string,
  form: string,
  { name = z.string(), value }: { readonly name?: z.ZodType<string>; readonly value: z.ZodType<Value> },
): Readonly<Record<string, Value>> {
  if (text.trim() === '') return {};
  // A map, because a record would drop the name `__proto__`.
  const { data, error } = z.map(name, value).safeParse(parseMapping(input, text, form));
  if (data !== undefined) return Object.fromEntries(data);
  throw new UserErrors(error.issues.map((issue) => `Input \`${input}\`: ${describeIssue(issue)}`));
}

function describeIssue({ path, message }: z.core.$ZodIssue): string {
  const [name] = path;
  return name === undefined
    ? 'a name is not text. Write each name as text.'
    : `${quoted(String(name))} ${message}`;
}

function parseMapping(input: string, text: string, form: string): unknown {
  const document = parseDocument(text, { schema: 'failsafe' });
  // Only the first error: the others mostly follow from it.
  const [broken] = document.errors;
  if (broken !== undefined) throw notYaml(input, broken.message);
  if (!isMap(document.contents))
    throw new UserError(
      `Input \`${input}\`: ${quoted(text.trim())} is not allowed. Give a YAML mapping with one \`${form}\` per line.`,
    );
  try {
    return document.toJS({ mapAsMap: true, maxAliasCount: 0 });
  } catch (error) {
    if (!(error instanceof ReferenceError)) throw error;
    throw new UserError(
      `Input \`${input}\`: aliases such as \`*name\` are not allowed. Write the value itself.`,
    );
  }
}

function notYaml(input: string, message: string): UserError {
  return new UserError(`Input \`${input}\` is not YAML: ${message.split('\n', 1)[0]?.replace(/:$/, '')}.`);
}

function describe(value: unknown): string {
  if (typeof value === 'string') return quoted(value);
  return Array.isArray(value) ? 'a list' : 'a mapping';
}
