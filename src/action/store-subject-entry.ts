/** At the end of a job: stores what the run leaves for later runs of its subject, whatever its status. */
import { sessionsOf } from '../checkpoint/checkpoint-builder.js';
import type { SessionCopyFile } from '../checkpoint/checkpoint-contents.js';
import type { Attempt, RunState } from '../journal/run-state.js';
import { defined } from '../optional-keys.js';
import { collectSteps, contextTokens } from '../previous/collect-steps.js';
import { type RunEntryOptions, storeRunEntry } from '../previous/store-entry.js';
import type { SubjectScope } from '../previous/subject-scope.js';
import type { Provider } from '../providers/provider.js';
import type { SessionCopies } from '../sessions/session-copies.js';
import { mainFile, type SessionFile } from '../sessions/session-mark.js';
import type { SessionRef } from '../sessions/session-store.js';
import { systemClock } from '../system/clock.js';
import type { ActionContext } from './action-context.js';
import { openingSecrets } from './opening-secrets.js';
import type { PostState, SubjectEntryPlan } from './post-state.js';
import type { StateStorage } from './state-storage.js';

export interface EndedSubjectRun {
  readonly actionContext: ActionContext;
  readonly postState: Pick<PostState, 'stepDiffs'>;
  readonly plan: SubjectEntryPlan;
  readonly state: RunState;
  readonly sessionCopies: SessionCopies;
  readonly storage: StateStorage;
}

export async function storeSubjectEntry(job: EndedSubjectRun): Promise<void> {
  const { actionContext, storage } = job;
  const { log } = actionContext;
  // `main` has already said why nothing can be stored.
  if (storage.secrets.length === 0) return;
  const { put, leftOut } = await storeRunEntry(await entryOf(job));
  if (put.status !== 'stored')
    log.warning(
      `The sessions of this run could not be stored for later runs: ${put.reason} The next run resumes those of an earlier one, or starts new.`,
    );
  if (leftOut.length > 0)
    log.warning(
      `Too large to be stored for later runs: the sessions of ${leftOut.join(', ')}. They start new in the next run.`,
    );
}

async function entryOf(job: EndedSubjectRun): Promise<RunEntryOptions> {
  const { actionContext, postState, plan, state, storage } = job;
  const { runId, jobAttempt } = actionContext.job;
  const endedAt = systemClock.now();
  const copies = await readCopies(job);
  const { commit, scope } = plan;
  const steps = collectSteps(state, {
    runId,
    commit,
    endedAt,
    diffs: postState.stepDiffs ?? {},
    tokensOf: (attempt) => tokensOf(attempt, actionContext.providers, copies),
  });
  return {
    store: storage.entries,
    scope,
    runId,
    jobAttempt,
    secrets: storage.secrets,
    opening: openingSecrets(actionContext, storage),
    contents: { commit, endedAt, steps, sessions: copies },
    oldest: endedAt - actionContext.inputs.maxSessionAgeMs,
    ...defined({ inheritedBy: openedPull(scope, state) }),
  };
}

/** The pull request that this run opened for its issue or branch. */
function openedPull(scope: SubjectScope, { published }: RunState): SubjectScope | undefined {
  const number = published.findLast(({ kind }) => kind === 'pull-request')?.pullRequest;
  const subject = `pr-${number}`;
  return number === undefined || subject === scope.subject ? undefined : { ...scope, subject };
}

async function readCopies({
  actionContext,
  state,
  sessionCopies,
}: EndedSubjectRun): Promise<readonly SessionCopyFile[]> {
  const all: SessionCopyFile[] = [];
  for (const session of sessionsOf(state)) {
    const files = newestPoint(session, actionContext.providers, await sessionCopies.read(session));
    all.push(...files.map((file) => ({ ...session, ...file })));
  }
  return all;
}

/** Copies by commands are whole exports, one for each point of the session. Later runs need only the last one. */
function newestPoint(
  { provider: id }: SessionRef,
  providers: readonly Provider[],
  files: readonly SessionFile[],
): readonly SessionFile[] {
  const provider = providers.find((one) => one.id === id);
  return provider?.sessionCommands === undefined ? files : files.slice(-1);
}

function tokensOf(
  attempt: Attempt,
  providers: readonly Provider[],
  copies: readonly SessionCopyFile[],
): number | undefined {
  const provider = providers.find(({ id }) => id === attempt.provider);
  if (provider === undefined) return undefined;
  const counted = contextTokens(attempt, provider.pricing?.inputIncludesCache ?? true);
  if (counted !== undefined) return counted;
  const main = mainFile(copies.filter(({ id }) => id === attempt.session?.id));
  return main && provider.sessionFiles.readContextTokens?.(main.content);
}
