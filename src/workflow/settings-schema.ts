/** The settings that `gump.toml` may contain, as a schema. Every setting is optional. */
import { z } from 'zod';
import { readDuration } from './duration.js';
import { excerpt } from './source-line.js';
import { isTable } from './toml.js';

/** The end of a message: `must be WHAT, but is VALUE.` */
const mustBe = (what: string) => ({
  error: ({ input }: { readonly input?: unknown }) => `must be ${what}, but is ${describe(input)}.`,
});

const nonEmpty = mustBe('text that is not empty');
const text = z
  .string(nonEmpty)
  .refine((value) => value.trim() !== '', nonEmpty)
  .transform((value) => value.trim());

const positiveDuration = mustBe('a duration such as `"10m"` or `"1h30m"`');
const milliseconds = z
  .string(positiveDuration)
  .transform((value) => readDuration(value) || value)
  .refine((value) => typeof value === 'number', positiveDuration)
  .pipe(z.number());

const wholeNumber = mustBe('a whole number, 1 or more');
const characters = z.int(wholeNumber).min(1, wholeNumber);

/** Zod takes a date for an object, TOML does not take it for a table. */
const tableOf = <Shape extends z.ZodRawShape>(name: string, shape: Shape) =>
  z
    .unknown()
    .refine((value): boolean => isTable(value), `must be a table: write \`[${name}]\`.`)
    .pipe(z.object(shape))
    .optional();

const tables = {
  validation: {
    timeout: milliseconds.optional(),
    compile_cmd: text.optional(),
    test_cmd: text.optional(),
    lint_cmd: text.optional(),
    coverage_cmd: text.optional(),
  },
  error_context: { max_error_chars: characters.optional(), max_diff_chars: characters.optional() },
};

export const settingsSchema = z.object({
  default_agent: text.optional(),
  validation: tableOf('validation', tables.validation),
  error_context: tableOf('error_context', tables.error_context),
});

/** Settings of Gump's own command line, which have no meaning in a job. The action ignores them. */
const ignored = ['log_level', 'display', 'analytics', 'update'];

/** Keys at the top of the file. */
export const topKeys: readonly string[] = [...Object.keys(settingsSchema.shape), ...ignored];

/** Table → its keys. */
export const tableKeys: Readonly<Record<string, readonly string[]>> = {
  validation: Object.keys(tables.validation),
  error_context: Object.keys(tables.error_context),
};

function describe(value: unknown): string {
  if (typeof value === 'string') return `"${excerpt(value)}"`;
  if (typeof value === 'number' || typeof value === 'boolean') return `\`${value}\``;
  if (Array.isArray(value)) return 'a list';
  return isTable(value) ? 'a table' : 'a date';
}
