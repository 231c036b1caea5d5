/** A template before the run, with what is known by then. Pure. */
import { parseTemplate, renderTemplate } from '../workflow/template.js';
import type { Plan } from './plan.js';

/** What only the run knows, such as the output of a step, stays as its name: `{tests.output}`. */
export function knownText(template: string, { spec = '', vars }: Pick<Plan, 'spec' | 'vars'>): string {
  const known: Readonly<Record<string, string>> = { ...vars, spec, attempt: '1', error: '', diff: '' };
  return renderTemplate(parseTemplate(template), (name) =>
    Object.hasOwn(known, name) ? known[name] : `{${name}}`,
  );
}
