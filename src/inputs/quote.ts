import { UserError } from '../failure.js';

/** Names what an input accepts, as a sentence. */
export function useOneOf(allowed: readonly string[]): string {
  return `Use one of: ${allowed.map((one) => `\`${one}\``).join(', ')}.`;
}

/** A value as messages show it: on one line, 100 characters at most. */
export function quoted(text: string): string {
  const shown = JSON.stringify(text);
  return shown.length <= 100 ? shown : `${shown.slice(0, 97)}…"`;
}

/** The error about an invalid value. */
export function notAllowed(name: string, text: string, whatToDo: string): UserError {
  return new UserError(`Input \`${name}\`: ${quoted(text)} is not allowed. ${whatToDo}`);
}
