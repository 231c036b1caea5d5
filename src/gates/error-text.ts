/** The output of failed gates, shortened for prompts (`{error}`) and for the state (`gate.NAME.error`). Pure. */
import { cutMiddle } from './cut-middle.js';
import type { GateResult } from './gate-result.js';

/** The length limit of `{error}`, unless `gump.toml` sets another one. */
export const maxPromptErrorCharacters = 8000;
const maxStateErrorCharacters = 4000;
const separator = '\n---\n';

/**
 * `{error}`: the output of every failed gate under its name, separated by lines with `---`, at most `max`
 * characters. Long outputs are shortened first, so that one of them does not hide the other gates.
 */
export function errorText(results: readonly GateResult[], max: number = maxPromptErrorCharacters): string {
  const failed = results.filter((result) => result.status === 'failed').map(gateErrorSection);
  const room = max - separator.length * Math.max(0, failed.length - 1);
  const share = fairShare(
    failed.map((text) => text.length),
    room,
  );
  // If there are very many gates, the separators alone can exceed the limit.
  return cutMiddle(failed.map((text) => cutMiddle(text, share)).join(separator), max);
}

/** `gate.NAME.error`: empty if the gate did not fail. */
export function gateErrorText(result: GateResult): string {
  return result.status === 'failed' ? cutMiddle(result.output.trim(), maxStateErrorCharacters) : '';
}

function gateErrorSection(result: GateResult): string {
  return `gate ${result.name}:\n${result.output.trim()}`;
}

/** The largest limit per text with which all texts together fit into `room`. */
function fairShare(lengths: readonly number[], room: number): number {
  let left = room;
  const ascending = [...lengths].sort((a, b) => a - b);
  for (const [index, length] of ascending.entries()) {
    const share = Math.floor(left / (ascending.length - index));
    if (length > share) return share;
    left -= length;
  }
  return room;
}
