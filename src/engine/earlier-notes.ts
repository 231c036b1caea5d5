/**
 * What a prompt says about an earlier run on the same subject: that its conversation continues in changed code, or, if it
 * could not be resumed, what its results were. Pure.
 */
import { cutMiddle } from '../gates/cut-middle.js';
import type { EarlierSession } from '../journal/event.js';
import type { CommitDistance, EarlierStep } from './previous-run.js';

const maxStepCharacters = 6_000;
const maxHandOverCharacters = 20_000;
const maxListedFiles = 50;

/** The conversation of an earlier run continues. */
export function resumedRunNote(
  { runId, commit, isInterrupted }: EarlierSession,
  distance: CommitDistance,
): string {
  return [
    `This conversation continues from an earlier run (run ${runId}, at commit ${shortened(commit)}).`,
    ...(isInterrupted
      ? ['You were interrupted in that run, and processes that you started there are no longer running.']
      : []),
    distanceText(commit, distance),
    'The files in the working directory are those of the present commit. What you read earlier may have changed: read it again before you rely on it.',
    'Changes that you made in the earlier run are present only if somebody committed them.',
  ].join(' ');
}

/** A new conversation gets the results of the one that could not be resumed. */
export function handOverNote(
  { runId, commit }: EarlierSession,
  steps: readonly EarlierStep[],
  distance: CommitDistance,
): string {
  const results = steps.map(resultText).filter((text) => text !== '');
  const head =
    `An earlier run of this workflow (run ${runId}, at commit ${shortened(commit)}) worked on the same subject. ` +
    `Its conversation could not be resumed, so you do not remember it. ${distanceText(commit, distance)}`;
  if (results.length === 0) return `${head} It left no results.`;
  const text = cutMiddle(results.join('\n\n'), maxHandOverCharacters);
  return `${head} Its last results:\n\n${text}`;
}

/** What became of the code since, in one or two sentences. */
function distanceText(commit: string, { relation, base, files }: CommitDistance): string {
  const list = files === undefined ? '' : ` ${filesText(files)}`;
  switch (relation) {
    case 'same':
      return 'The commit is still the same.';
    case 'ahead':
      return `There are new commits since.${list}`;
    case 'behind':
      return 'The present commit is older: it does not have the newest commits that the earlier run saw.';
    case 'rewritten':
      return `The branch was rewritten since (force-push): commit ${shortened(commit)} is no longer part of it. Compared with the merge base ${shortened(base)}:${list === '' ? ' unknown.' : list}`;
    case 'unknown':
      return 'There may be new commits since.';
  }
}

function filesText(files: readonly string[]): string {
  if (files.length === 0) return 'No file changed.';
  const more = files.length - maxListedFiles;
  const listed = files.slice(0, maxListedFiles).map((file) => `\`${file}\``);
  return `Changed files: ${listed.join(', ')}${more > 0 ? ` and ${more} more` : ''}.`;
}

function resultText({ path, result = '', comments = '', files }: EarlierStep): string {
  const parts = [
    result.trim() === '' ? undefined : `Result of step \`${path}\`:\n${result.trim()}`,
    comments.trim() === '' || comments === result
      ? undefined
      : `Comments of step \`${path}\`:\n${comments.trim()}`,
    files.length === 0
      ? undefined
      : `Step \`${path}\` changed: ${filesText(files).slice('Changed files: '.length)}`,
  ];
  return cutMiddle(parts.filter((part) => part !== undefined).join('\n\n'), maxStepCharacters);
}

function shortened(commit: string): string {
  return commit.slice(0, 12);
}
