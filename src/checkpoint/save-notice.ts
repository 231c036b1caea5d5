/** What the user is told while checkpoints are stored. Pure. */

export type SaveNotice =
  | { readonly type: 'slow' }
  | { readonly type: 'failed'; readonly reason?: string }
  /** It was taken, and was not found at the end. */
  | { readonly type: 'not-found' }
  | { readonly type: 'too-large'; readonly bytes: number }
  /** A later job attempt stores now; this one has stopped. */
  | { readonly type: 'fenced'; readonly jobAttempt: number }
  /** Another job stores under the same name now; this one has stopped. An error, the others are warnings. */
  | { readonly type: 'conflict' };

export interface SaveNoticeFacts {
  /** The store's title. */
  readonly store: string;
  readonly stateName: string;
  /** The newest checkpoint that is known to be stored. */
  readonly stored?: string;
}

export function saveNoticeText(notice: SaveNotice, facts: SaveNoticeFacts): string {
  switch (notice.type) {
    case 'slow':
      return `Storing a checkpoint in ${facts.store} takes more than 10 s; steps no longer wait for it. Until it is stored, ${reRun(facts)}.`;
    case 'failed':
      return `A checkpoint could not be stored in ${facts.store}${notice.reason ? ` (${notice.reason})` : ''}. The run goes on; unless a later one is stored, ${reRun(facts)}.`;
    case 'not-found':
      return `The last checkpoint was sent to ${facts.store} and could not be found there afterwards: a re-run may go on from an earlier one, or start afresh.`;
    case 'too-large':
      return `A checkpoint of ${Math.ceil(notice.bytes / 1_000_000)} MB was not stored: more than 1 GB is not kept. The run goes on; unless a smaller one is stored, ${reRun(facts)}.`;
    case 'fenced':
      return `Job attempt ${notice.jobAttempt} of this run has stored its state under the same name: this attempt stores nothing more.`;
    case 'conflict':
      return `two jobs use the state name ${JSON.stringify(facts.stateName)} at once: set \`state-name\` to a name of its own in each of them`;
  }
}

function reRun(facts: SaveNoticeFacts): string {
  return facts.stored === undefined
    ? 'a re-run finds no checkpoint of this job attempt'
    : `a re-run goes on from the checkpoint ${facts.stored}`;
}
