/** The difference between two trees, as a patch. */
import { isUtf8 } from 'node:buffer';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Git } from './git.js';

/** `diff-tree` instead of `diff`, because it ignores the user's settings (colours, prefixes, external programs). */
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
 * A patch relative to the repository root that `git apply` accepts. A file whose text is not UTF-8 (for example
 * Latin-1) is in it as a binary file, because a string cannot represent its bytes.
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
  const quoted = 'core.quotePath=true'; // names may not be UTF-8 either
  const asText = await git.run(args, { settings: [quoted] });
  const asBinary = await git.run(args, { settings: [quoted, `core.attributesFile=${attributes}`] });
  const binaries = sections(asBinary.stdout);
  return sections(asText.stdout)
    .map((text) => Buffer.from(text, 'latin1'))
    .map((text, number) => (isUtf8(text) ? text.toString('utf8') : (binaries[number] ?? '')))
    .join('');
}

/** One section for each file. Content lines begin with a space, `+`, `-` or `\`, so none looks like a header. */
function sections(patch: Buffer): readonly string[] {
  return patch.toString('latin1').split(/(?<=\n)(?=diff --git )/);
}
