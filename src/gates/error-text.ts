/** What a failed attempt's gates said, as prompts (`{error}`) and the state (`gate.NAME.error`) get it. Pure. */
import { cutMiddle } from './cut-middle.js';
import type { GateResult } from './gate-result.js';

/** How long `{error}` is at most, unless told. */
export const maxPromptErrorCharacters = 8000;
const maxStateErrorCharacters = 4000;
const separator = '\n---\n';

/**
 * `{error}`: the output of every failed gate under its name, joined by lines of `---`; at most `max`
 * characters. Each is cut in its middle, long ones first, so that one flood does not hide the other gates.
 */
export function errorText(results: readonly GateResult[], max: number = maxPromptErrorCharacters): string {
  const failed = results.filter((result) => result.status === 'failed').map(gateErrorSection);
  const room = max - separator.length * Math.max(0, failed.length - 1);
  const share = fairShare(
    failed.map((text) => text.length),
    room,
  );
  // With so many gates that a share is next to nothing, the shares and separators may still be too long.
  return cutMiddle(failed.map((text) => cutMiddle(text, share)).join(separator), max);
}

/** `gate.NAME.error`: empty for a gate that did not fail. */
export function gateErrorText(result: GateResult): string {
  return result.status === 'failed' ? cutMiddle(result.output.trim(), maxStateErrorCharacters) : '';
}

function gateErrorSection(result: GateResult): string {
  return `gate ${result.name}:\n${result.output.trim()}`;
}

/** The largest length that, as a limit for each of them, makes all fit into `room`. */
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
