/** The engine's view of the earlier run on the same subject, and what the log says about it at the start. */
import { sessionsOf } from '../checkpoint/checkpoint-builder.js';
import type { EarlierRun, PreviousRuns } from '../engine/previous-run.js';
import type { RunState } from '../journal/run-state.js';
import { type PreviousUse, previousUseOf } from '../plan/previous-use.js';
import { announce, sessionsInUse } from '../previous/announcements.js';
import { type ComparedCommits, findDistance, readDiffSince } from '../previous/commit-distance.js';
import { type EntryLookup, findNewestEntry } from '../previous/find-entry.js';
import { githubCommits } from '../previous/github-commits.js';
import type { SubjectEntry } from '../previous/subject-entry.js';
import { textAt } from '../security/trust.js';
import { systemClock } from '../system/clock.js';
import { openingSecrets } from './opening-secrets.js';
import type { SubjectEntryPlan } from './post-state.js';
import { lookUpText, missingSecretText } from './previous-texts.js';
import { restoreEarlierSession } from './restore-earlier-session.js';
import { warnIfRewritten } from './rewritten-branch.js';
import type { RunContext } from './run-context.js';
import { hasRunEnded } from './run-status.js';
import { subjectOfRun } from './run-subject.js';

/**
 * Finds the earlier run, and announces which of its sessions this run resumes. `state`: what is restored of earlier job attempts of this run.
 */
export async function openPreviousRuns(
  runContext: RunContext,
  plan: SubjectEntryPlan,
  state: RunState,
): Promise<PreviousRuns> {
  const { request, stateStorage } = runContext;
  const use = previousUseOf(request.plan) ?? { sessions: new Set<string>(), names: new Set<string>() };
  const { runId } = request.actionContext.job;
  const opening = openingSecrets(request.actionContext, stateStorage);
  const reader = { scope: plan.scope, secrets: stateStorage.secrets, opening };
  const { entries, secrets } = stateStorage;
  const found: EntryLookup =
    secrets.length === 0
      ? { status: 'unavailable', reason: missingSecretText }
      : await findNewestEntry(entries, reader, runId);
  report(runContext, plan, found);
  const entry = found.status === 'found' ? found.contents : undefined;
  return {
    ...portFor(runContext, plan, entry),
    sessionsInUse: await announceSessions(runContext, plan, { use, entry, state }),
  };
}

function report({ live, request }: RunContext, { scope }: SubjectEntryPlan, found: EntryLookup): void {
  const text = lookUpText(found, scope);
  if (text === undefined) return;
  if (found.status === 'none') request.actionContext.log.notice(text);
  else live.warn(text);
}

type PortWithoutUse = Omit<PreviousRuns, 'sessionsInUse'>;

function portFor(
  runContext: RunContext,
  { commit }: SubjectEntryPlan,
  entry: SubjectEntry | undefined,
): PortWithoutUse {
  const { actionContext } = runContext.request;
  const { maxResumeTokens, maxSessionAgeMs } = actionContext.inputs;
  const limits = { maxTokens: maxResumeTokens, maxAgeMs: maxSessionAgeMs };
  const earlier = entry?.commit ?? commit;
  const commits = comparedCommits(runContext, earlier, commit);
  let distance: ReturnType<typeof findDistance> | undefined;
  const compareCommits = () => (distance ??= findDistance(commits).then(warnIfRewritten(runContext, entry)));
  return {
    ...limits,
    ...(entry === undefined ? {} : { run: toEarlierRun(runContext, entry) }),
    compareCommits,
    // What is new in a pull request means nothing elsewhere.
    readDiff: async () =>
      subjectOfRun(actionContext).pull === undefined ? '' : readDiffSince(commits, await compareCommits()),
    restoreSession: (provider, id, directory) =>
      restoreEarlierSession(runContext, entry?.sessions ?? [], { provider, id, directory }),
  };
}

function comparedCommits({ request }: RunContext, earlier: string, head: string): ComparedCommits {
  const { actionContext, workspace } = request;
  const { repository, apiUrl, payload } = actionContext.job;
  const pullBase = textAt(payload(), 'pull_request', 'base', 'ref');
  return {
    earlier,
    head,
    sources: [
      { compare: workspace.compare, diff: workspace.diffOfCommits },
      githubCommits({ repository, apiUrl, token: actionContext.inputs.githubToken }),
    ],
    ...(pullBase === undefined ? {} : { pullBase }),
  };
}

function toEarlierRun({ request }: RunContext, entry: SubjectEntry): EarlierRun {
  const { serverUrl, repository } = request.actionContext.job;
  const { runId, commit, endedAt, steps } = entry;
  const withUrl = steps.map((step) => {
    return { ...step, url: `${serverUrl}/${repository}/actions/runs/${step.runId}` };
  });
  return { runId, commit, endedAt, steps: new Map(withUrl.map((step) => [step.path, step])) };
}

interface AnnouncedSessions {
  readonly use: PreviousUse;
  readonly entry: SubjectEntry | undefined;
  readonly state: RunState;
}

/** First announces, then looks: so of two runs that start at once, at least one sees the other. */
async function announceSessions(
  { request, stateStorage, live }: RunContext,
  { scope }: SubjectEntryPlan,
  { use, entry, state }: AnnouncedSessions,
): Promise<ReadonlySet<string>> {
  const { job } = request.actionContext;
  const ofEntry = (entry?.steps ?? []).flatMap(({ path, sessionId }) =>
    sessionId !== undefined && use.sessions.has(path.slice(path.lastIndexOf('/') + 1)) ? [sessionId] : [],
  );
  // A re-run continues the sessions of its earlier job attempts.
  const ofRun = use.sessions.size === 0 ? [] : sessionsOf(state).map(({ id }) => id);
  const sessions = [...new Set([...ofEntry, ...ofRun])];
  if (sessions.length === 0) return new Set();
  const options = {
    scope,
    runId: job.runId,
    jobAttempt: job.jobAttempt,
    secrets: stateStorage.secrets,
    opening: openingSecrets(request.actionContext, stateStorage),
    store: stateStorage.entries,
    now: systemClock.now(),
    hasEnded: (runId: string) => hasRunEnded(request.actionContext, runId),
  };
  const problem = await announce(sessions, options);
  if (problem !== undefined)
    live.log(`Other runs cannot see which sessions this run resumes: ${problem.replace(/\.$/, '')}`);
  return sessionsInUse(options);
}
