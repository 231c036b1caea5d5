/** Reads `action.yml` as the runner does: entry points, and inputs with their defaults evaluated. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';

export interface ActionMetadata {
  /** Absolute paths. */
  readonly main: string;
  readonly post?: string;
  /** Input name → default as written, with its expressions. */
  readonly defaults: Readonly<Record<string, string>>;
}

/** The values to which expressions in defaults may refer. */
export interface ExpressionContext {
  readonly token: string;
  /** Absent if the job has no matrix. */
  readonly matrix?: Readonly<Record<string, unknown>>;
  readonly jobStatus: string;
}

interface ActionFile {
  readonly inputs?: Readonly<Record<string, { readonly default?: unknown } | null>>;
  readonly runs: { readonly main: string; readonly post?: string };
}

export async function readActionMetadata(directory: string): Promise<ActionMetadata> {
  const file = parse(await readFile(join(directory, 'action.yml'), 'utf8')) as ActionFile;
  const inputs = Object.entries(file.inputs ?? {});
  return {
    main: join(directory, file.runs.main),
    ...(file.runs.post === undefined ? {} : { post: join(directory, file.runs.post) }),
    defaults: Object.fromEntries(inputs.map(([name, input]) => [name, String(input?.default ?? '')])),
  };
}

/**
 * INPUT_* for a stage. The runner passes every declared input, absent ones as empty text, and only warns about an
 * undeclared one. Here an undeclared input is an error, because in a test it is a mistake.
 */
export function inputVariables(
  metadata: ActionMetadata,
  given: Readonly<Record<string, string>>,
  context: ExpressionContext,
): Record<string, string> {
  const unknown = Object.keys(given).filter((name) => !(name in metadata.defaults));
  if (unknown.length > 0) throw new Error(`action.yml declares no input ${unknown.join(', ')}`);
  const entries = Object.entries(metadata.defaults).map(([name, text]) => [
    `INPUT_${name.replaceAll(' ', '_').toUpperCase()}`,
    given[name] ?? evaluate(text, context),
  ]);
  return Object.fromEntries(entries);
}

function evaluate(text: string, context: ExpressionContext): string {
  return text.replaceAll(/\$\{\{\s*(.*?)\s*\}\}/g, (_, expression: string) => {
    if (expression === 'github.token') return context.token;
    if (expression === 'job.status') return context.jobStatus;
    if (/^toJSON\(matrix\)$/i.test(expression)) return JSON.stringify(context.matrix ?? null, null, 2);
    throw new Error(`the rig cannot evaluate \${{ ${expression} }}, a default in action.yml`);
  });
}
