/** Messages about storing checkpoints. Pure. */

export type SaveNotice =
  | { readonly type: 'slow' }
  | { readonly type: 'failed'; readonly reason?: string }
  /** The store accepted a checkpoint, but it was not found at the end. */
  | { readonly type: 'not-found' }
  | { readonly type: 'too-large'; readonly bytes: number }
  /** A later job attempt stores checkpoints, so this one has stopped. */
  | { readonly type: 'fenced'; readonly jobAttempt: number }
  /** Another job stores under the same name, so this one has stopped. This is an error; the others are warnings. */
  | { readonly type: 'conflict' };

export interface SaveNoticeFacts {
  /** Title of the store. */
  readonly store: string;
  readonly stateName: string;
  /** Key of the newest checkpoint that is known to be stored. */
  readonly stored?: string;
}

export function saveNoticeText(notice: SaveNotice, facts: SaveNoticeFacts): string {
  switch (notice.type) {
    case 'slow':
      return `Storing a checkpoint in ${facts.store} takes more than 10 s, so steps no longer wait for it. Until it is stored, ${reRun(facts)}.`;
    case 'failed':
      return `Checkpoint not stored in ${facts.store}${notice.reason ? ` (${notice.reason})` : ''}. The run continues. Unless a later checkpoint is stored, ${reRun(facts)}.`;
    case 'not-found':
      return `The last checkpoint was sent to ${facts.store}, but not found there afterwards. A re-run continues from an earlier one if there is one, otherwise it starts fresh.`;
    case 'too-large':
      return `Checkpoint not stored: it has ${Math.ceil(notice.bytes / 1_000_000)} MB, and the limit is 1 GB. The run continues. Unless a smaller checkpoint is stored, ${reRun(facts)}.`;
    case 'fenced':
      return `Job attempt ${notice.jobAttempt} of this run has stored its state under the same name. This job attempt stores nothing more.`;
    case 'conflict':
      return `Two jobs use the state name ${JSON.stringify(facts.stateName)} at the same time. This job stores nothing more. Set a different \`state-name\` in each job.`;
  }
}

function reRun(facts: SaveNoticeFacts): string {
  return facts.stored === undefined
    ? 'a re-run finds no checkpoint of this job attempt'
    : `a re-run continues from checkpoint \`${facts.stored}\``;
}
