/** Reads inputs one by one and keeps their errors, so that all of them are reported together. */
import { problemsOf, UserErrors } from '../failure.js';
import type { Environment } from '../system/environment.js';

/** The text of one input as the runner passes it, including blanks; empty if it is not set. */
export type GetInput = (name: string) => string;

/**
 * Inputs from the environment of the action step. Not `core.getInput`: it removes leading blanks, which changes the
 * meaning of an indented YAML mapping.
 */
export function createGetInput(environment: Environment): GetInput {
  return (name) => environment[`INPUT_${name.replaceAll(' ', '_').toUpperCase()}`] ?? '';
}

export interface InputReader {
  /** `reader` gets the text without blanks around it. If it throws a `UserError`, the result is `fallback`. */
  read<T>(name: string, reader: (text: string) => T, fallback: T): T;
  /** Throws `UserErrors` with every error so far, if there are any. */
  requireValid(): void;
}

export function openInputReader(get: GetInput): InputReader {
  const problems: string[] = [];
  return {
    read(name, reader, fallback) {
      try {
        return reader(get(name).trim());
      } catch (error) {
        problems.push(...problemsOf(error));
        return fallback;
      }
    },
    requireValid() {
      if (problems.length > 0) throw new UserErrors(problems);
    },
  };
}
