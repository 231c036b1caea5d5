/** The journal events of what is published. The intent is on disk before the request leaves. */
import type { NewEvent, PublicationKind, Published } from '../journal/event.js';
import { applyEvent, type RunState } from '../journal/run-state.js';
import { defined } from '../optional-keys.js';
import type { PreparedRun } from './run-context.js';

export interface PublicationRecord {
  /** With the events so far. */
  state(): RunState;
  append(event: NewEvent): void;
  /** `branch`: for a commit, a push or a pull request. */
  intend(kind: PublicationKind, content: string, branch?: string): void;
  done(kind: PublicationKind, content: string, made: MadePublication): void;
}

export type MadePublication = Pick<Published, 'branch' | 'commit' | 'pullRequest' | 'url'>;

export function openPublicationRecord(
  journal: PreparedRun['journal'],
  before: RunState,
  jobAttempt: number,
): PublicationRecord {
  let state = before;
  const append = (event: NewEvent) => {
    state = applyEvent(state, journal.append(event));
  };
  return {
    state: () => state,
    append,
    intend: (kind, content, branch) =>
      append({ type: 'publish-intended', kind, jobAttempt, content, ...defined({ branch }) }),
    done: (kind, content, made) => append({ type: 'published', kind, jobAttempt, content, ...made }),
  };
}
