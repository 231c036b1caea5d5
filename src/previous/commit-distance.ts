/**
 * What changed between the commit of an earlier run and the present one. The checkout answers if it has both commits,
 * otherwise GitHub: most checkouts have one commit only, and after a force-push no checkout has the earlier one.
 */
import type { CommitDistance } from '../engine/previous-run.js';
import { withoutBinaryContent } from '../engine/readable-patch.js';
import { cleanLine } from '../event/clean-text.js';
import { diffText } from '../event/diff-text.js';
import { UserError } from '../failure.js';
import type { CommitComparison } from '../workspace/compare-commits.js';

/** Where commits are compared. `undefined`: it cannot tell. */
export interface CommitSource {
  compare(base: string, head: string): Promise<CommitComparison | undefined>;
  /** From the merge base of both to the head. */
  diff(base: string, head: string): Promise<string | undefined>;
}

export interface ComparedCommits {
  /** The commit of the earlier run. */
  readonly earlier: string;
  /** The present one. */
  readonly head: string;
  /** Asked in this order. */
  readonly sources: readonly CommitSource[];
  /** The commit or branch that the pull request is to be merged into. `undefined` outside of a pull request. */
  readonly pullBase?: string;
}

/** Does not reject because of what a source does. */
export async function findDistance(commits: ComparedCommits): Promise<CommitDistance> {
  const { earlier, head, pullBase } = commits;
  if (earlier === head) return { relation: 'same', base: earlier, files: [] };
  const compared = await firstAnswer(commits, (source) => source.compare(earlier, head));
  if (compared !== undefined) {
    const { mergeBase } = compared;
    return { relation: relationOf(mergeBase, commits), base: mergeBase, files: named(compared) };
  }
  // Nobody has the earlier commit any more, so all of the pull request may be new.
  const whole = pullBase && (await firstAnswer(commits, (source) => source.compare(pullBase, head)));
  return whole
    ? { relation: 'rewritten', base: whole.mergeBase, files: named(whole) }
    : { relation: 'unknown', base: earlier };
}

function relationOf(mergeBase: string, { earlier, head }: ComparedCommits): CommitDistance['relation'] {
  if (mergeBase === earlier) return 'ahead';
  return mergeBase === head ? 'behind' : 'rewritten';
}

/** A name can have line breaks and invisible characters, and becomes part of a sentence in a prompt. */
function named({ files }: CommitComparison): readonly string[] {
  return files.map(cleanLine);
}

/** Rejects with a `UserError` if no source has the changes. */
export async function readDiffSince(
  commits: ComparedCommits,
  { relation, base }: CommitDistance,
): Promise<string> {
  if (relation === 'same' || relation === 'behind') return '';
  const from = relation === 'unknown' ? commits.earlier : base;
  const diff = await firstAnswer(commits, (source) => source.diff(from, commits.head));
  if (diff === undefined) throw new UserError(unreadableDiffText(commits.earlier));
  const note =
    relation === 'rewritten'
      ? `The branch was rewritten since the earlier run: commit ${commits.earlier} is no longer part of it. These are the changes since ${base}.\n\n`
      : '';
  return `${note}${diffText(withoutBinaryContent(diff))}`;
}

function unreadableDiffText(commit: string): string {
  return (
    `\`{pr.diff_since_previous}\`: the changes since commit ${commit} cannot be read, neither in the checkout nor from GitHub. ` +
    'Set `fetch-depth: 0` for `actions/checkout`, or give the job the permission `contents: read` and the input `github-token`.'
  );
}

async function firstAnswer<T>(
  { sources }: ComparedCommits,
  ask: (source: CommitSource) => Promise<T | undefined>,
): Promise<T | undefined> {
  for (const source of sources) {
    const answer = await ask(source);
    if (answer !== undefined) return answer;
  }
  return undefined;
}
