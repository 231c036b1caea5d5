/** Environment variables in which commands get the values of names of the event. Never a part of the command itself. */
import type { EventValues } from '../engine/engine-ports.js';
import { eventNamesInCommand, eventVariable } from '../workflow/event-names.js';
import { cutAtLine } from './cut-lines.js';

export interface CommandVariables {
  readonly env: Readonly<Record<string, string>>;
  /** Why a name that the command itself uses could not be read: then it must not start. */
  readonly problem?: string;
}

/** The variables of commands that run together. */
export type ReadCommandVariables = (commands: readonly string[]) => Promise<CommandVariables>;

/** `used`: names that the workflow uses. Each command gets them, and those that it uses itself. */
export function createCommandVariables(values: EventValues, used: readonly string[]): ReadCommandVariables {
  return async (commands) => {
    const own = commands.flatMap(eventNamesInCommand);
    const names = [...new Set([...used, ...own])];
    if (names.length === 0) return { env: {} };
    const read = await values.read(names);
    const env = Object.fromEntries(
      [...read.values].map(([name, value]) => [eventVariable(name), variableText(value)]),
    );
    const failed = own.find((name) => read.problems.has(name));
    if (failed === undefined) return { env };
    return { env, problem: `\`$${eventVariable(failed)}\`: ${read.problems.get(failed)}` };
  };
}

/** Linux starts no program with a variable of 128 KiB or more, including its name. */
const maxVariableBytes = 120 * 1024;

const cutNote = '[The rest does not fit into a variable.]';

/** The value, cut to what fits. */
export function variableText(value: string): string {
  const shown = cutAtLine(value, maxVariableBytes);
  return shown === value ? value : `${shown}\n${cutNote}`;
}
