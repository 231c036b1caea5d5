/** What differs between two trees, as a patch. */
import { isUtf8 } from 'node:buffer';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Git } from './git.js';

/** diff-tree and not diff: settings of the user (colours, prefixes, external programs) do not count there. */
const patchArgs = [
  'diff-tree',
  '-r',
  '-p',
  '--binary',
  '--full-index',
  '--no-color',
  '--no-ext-diff',
  '--no-textconv',
  '--ignore-submodules=none',
  '--src-prefix=a/',
  '--dst-prefix=b/',
] as const;

/**
 * A patch from the repository root that `git apply` takes. A file whose text is not UTF-8 (Latin-1 sources)
 * stands in it as a binary one, because a string could not carry its bytes.
 */
export async function patchBetween(git: Git, scratch: string, from: string, to: string): Promise<string> {
  if (from === to) return '';
  const { stdout } = await git.run([...patchArgs, '-M', from, to]);
  return isUtf8(stdout) ? stdout.toString('utf8') : mixedPatch(git, scratch, from, to);
}

async function mixedPatch(git: Git, scratch: string, from: string, to: string): Promise<string> {
  const attributes = join(scratch, 'attributes');
  writeFileSync(attributes, '* -diff\n');
  const args = [...patchArgs, '--no-renames', from, to];
  const quoted = 'core.quotePath=true'; // names may be other than UTF-8 too
  const asText = await git.run(args, { settings: [quoted] });
  const asBinary = await git.run(args, { settings: [quoted, `core.attributesFile=${attributes}`] });
  const binaries = sections(asBinary.stdout);
  return sections(asText.stdout)
    .map((text) => Buffer.from(text, 'latin1'))
    .map((text, number) => (isUtf8(text) ? text.toString('utf8') : (binaries[number] ?? '')))
    .join('');
}

/** One for each file. Lines of a file begin with a space, `+`, `-` or `\`, so a head cannot be mistaken. */
function sections(patch: Buffer): readonly string[] {
  return patch.toString('latin1').split(/(?<=\n)(?=diff --git )/);
}
