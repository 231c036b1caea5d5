/** The inputs that are YAML mappings: which names and values each of them accepts. */

import { z } from 'zod';
import type { CommandName } from '../gates/resolve-gate.js';
import { quoted, useOneOf } from './quote.js';
import { readMapping, textListValue, textValue } from './yaml-mapping.js';

/** Gates whose command the input `commands` can set. */
const commandGates: readonly CommandName[] = ['compile', 'test', 'lint', 'coverage'];

type Texts = Readonly<Record<string, string>>;

/** Names with a meaning in the workflow language, which would hide a variable with the same name. */
const reservedNames: ReadonlySet<string> = new Set(['spec', 'attempt', 'error', 'diff', 'output']);

const variableName = z
  .string()
  .refine((name) => !reservedNames.has(name), 'is reserved by the workflow language. Choose another name.')
  .refine(
    (name) => /^[\w/-][\w./-]*$/.test(name),
    'is not a template name. Use letters, digits and the characters `_`, `.`, `/` and `-`.',
  );

export function readVars(text: string): Texts {
  return readMapping('vars', text, 'name: value', { name: variableName, value: textValue });
}

const gateName = z
  .string()
  .refine(
    (name) => commandGates.some((gate) => gate === name),
    `is not a gate with a command. ${useOneOf(commandGates)}`,
  );
const command = textValue.refine(
  (text) => text.trim() !== '',
  'has no command. Give a command, or remove the line.',
);

export function readCommands(text: string): Readonly<Partial<Record<CommandName, string>>> {
  return readMapping('commands', text, 'name: value', { name: gateName, value: command });
}

/** A range or a tag would be another version tomorrow. */
const exactVersion = textValue.refine((text) => /^\d+\.\d+\.\d+(?:-[\w.-]+)?$/.test(text), {
  error: ({ input }) => `must be one exact version, such as \`1.2.3\`, but is ${quoted(String(input))}.`,
});

/** Provider → the exact version of its CLI. */
export function readCliVersions(text: string): Texts {
  return readMapping('cli-versions', text, 'name: value', { value: exactVersion });
}

/** Provider → further arguments for its CLI. */
export function readAgentArgs(text: string): Readonly<Record<string, readonly string[]>> {
  return readMapping('agent-args', text, 'name: [text, text]', { value: textListValue });
}
