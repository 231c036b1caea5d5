/** What lies in a directory without being recorded, by its top-level names. */
import { readdirSync } from 'node:fs';
import { type BytePath, bytesOf, splitRecords, toText } from './byte-path.js';
import { isDropped } from './exclude-rules.js';
import type { Git } from './git.js';
import type { Repository } from './repository.js';

/**
 * Names in the working directory that git ignores (`node_modules`, `dist`), sorted; our own and dropped
 * credentials are not among them. Costs one directory listing and one process, however much lies below.
 */
export async function ignoredNames(git: Git, repository: Repository): Promise<readonly string[]> {
  const { directory, prefix } = repository;
  const names = readdirSync(directory, { encoding: 'buffer' }).map((name) => name.toString('latin1'));
  const asked = names.filter(
    (name) => name !== '.git' && name !== '.gump' && !isDropped(prefix + name, prefix),
  );
  const input = bytesOf(asked.map((name) => `${prefix}${name}\0`).join(''));
  const { stdout } = await git.run(['check-ignore', '-z', '--stdin'], { input, accept: [0, 1] });
  return splitRecords(stdout)
    .map((path) => toText(path.slice(prefix.length)))
    .sort();
}

/** Everything that is ignored now, directories that are wholly ignored in one piece and with a `/` at their end. */
export async function allIgnored(git: Git): Promise<ReadonlySet<BytePath>> {
  const args = ['ls-files', '-z', '--others', '--ignored', '--exclude-standard', '--directory'];
  const { stdout } = await git.run(args);
  return new Set(splitRecords(stdout));
}
