/** A patch in a form that an agent can read. */
import { cutMiddle } from '../gates/cut-middle.js';

/** A longer patch distracts the agent from its task, and every prompt is stored with the run. */
const maxPatchCharacters = 100_000;

/** Leaves out the content of binary files and the middle of a long patch. */
export function readablePatch(patch: string): string {
  return cutMiddle(withoutBinaryContent(patch), maxPatchCharacters);
}

export function withoutBinaryContent(patch: string): string {
  const sections = patch.split(/(?<=\n)(?=diff --git )/);
  return sections.map(withoutBytes).join('');
}

function withoutBytes(section: string): string {
  const at = section.search(/^GIT binary patch$/m);
  return at < 0 ? section : `${section.slice(0, at)}(binary file, content not shown)\n`;
}
