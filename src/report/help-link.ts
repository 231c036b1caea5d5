/** The page and section of the documentation that explains an error. Pure. */

import { failureKinds } from '../failure.js';
import type { Environment } from '../system/environment.js';
import { codes } from '../workflow/diagnostic-codes.js';
import { troubleshootingHeadings } from './troubleshooting-headings.js';

/** A path from the top of the action's repository, with an anchor. `undefined` if no section is about the error. */
export function helpSection(message: string): string | undefined {
  const heading = bestHeading(message);
  if (heading !== undefined) return `docs/troubleshooting.md#${anchorOf(heading)}`;
  const code = /\[([a-z-]+)\]$/m.exec(message)?.[1];
  if (code !== undefined && Object.hasOwn(codes, code))
    return 'docs/workflow.md#errors-warnings-and-their-codes';
  const kind = /\(([a-z-]+)\): /.exec(message)?.[1];
  return failureKinds.some((known) => known === kind)
    ? 'docs/troubleshooting.md#kinds-of-failure'
    : undefined;
}

/**
 * The address of a section at the version of the action that runs. The runner sets both variables for an action of
 * another repository (GitHub documentation, "Default environment variables"). `undefined` without them.
 */
export function helpLink(message: string, environment: Environment): string | undefined {
  const { GITHUB_ACTION_REPOSITORY: repository = '', GITHUB_ACTION_REF: ref = '' } = environment;
  if (!/^[\w.-]+\/[\w.-]+$/.test(repository) || !/^[\w./-]+$/.test(ref)) return undefined;
  const section = helpSection(message);
  return section && `https://github.com/${repository}/blob/${ref}/${section}`;
}

/** The heading whose words, all in the message in their order, are the longest. */
function bestHeading(message: string): string | undefined {
  const plain = message.replaceAll('`', '');
  const found = troubleshootingHeadings.filter((heading) => isIn(plain, heading));
  return found.sort((one, other) => other.length - one.length)[0];
}

function isIn(message: string, heading: string): boolean {
  let from = 0;
  return heading.split('…').every((part) => {
    const words = part.replaceAll('`', '').trim();
    const at = message.indexOf(words, from);
    from = at + words.length;
    return at !== -1;
  });
}

/** The anchor that GitHub creates for a heading. */
function anchorOf(heading: string): string {
  return heading
    .trim()
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');
}
