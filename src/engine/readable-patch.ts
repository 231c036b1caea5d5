/** A patch as an agent can read it. */
import { cutMiddle } from '../gates/cut-middle.js';

/** More of it crowds out what the agent is asked to do, and every prompt is kept with the run. */
const maxPatchCharacters = 100_000;

/** The bytes of binary files are left out, and of a long patch the middle. */
export function readablePatch(patch: string): string {
  const sections = patch.split(/(?<=\n)(?=diff --git )/);
  return cutMiddle(sections.map(withoutBytes).join(''), maxPatchCharacters);
}

function withoutBytes(section: string): string {
  const at = section.search(/^GIT binary patch$/m);
  return at < 0 ? section : `${section.slice(0, at)}(a binary file, whose bytes are not shown)\n`;
}
