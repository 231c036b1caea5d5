/**
 * The start of a job's run: finds the newest checkpoint that opens, decides what of it holds, and puts files
 * and sessions back. Leaves alone what a restored run means to its steps: that is the engine's.
 */

import { sessionsOf } from '../checkpoint/checkpointer.js';
import type { Contents } from '../checkpoint/contents.js';
import { attemptPrefixes } from '../checkpoint/key.js';
import { type Recorded, readRecorded } from '../checkpoint/recorded.js';
import { type RestoreRequest, refusedText, restore } from '../checkpoint/restore.js';
import { UserError, UserErrors } from '../failure.js';
import type { JournalEvent, NewEvent } from '../journal/event.js';
import { apply, fold, lastUseOf, lastUserOf, newestSnapshot, type RunState } from '../journal/state.js';
import { defined } from '../optional-keys.js';
import { expand } from '../plan/place.js';
import type { Plan } from '../plan/plan.js';
import { decideTakeover, type Takeover } from '../plan/takeover.js';
import type { Provider } from '../providers/provider.js';
import type { HomeSessions } from '../sessions/home-sessions.js';
import type { SessionShelf } from '../sessions/session-shelf.js';
import type { Workspace } from '../workspace/workspace.js';
import type { Places } from './places.js';

export interface ResumeOptions {
  readonly mode: 'auto' | 'require' | 'never';
  readonly request: RestoreRequest;
  readonly plan: Plan;
  /** This job: its id, action step and matrix leg. */
  readonly job: string;
  readonly workspace: Workspace;
  readonly sessions: HomeSessions;
  readonly places: Places;
  readonly shelf: SessionShelf;
  readonly providers: readonly Provider[];
  environmentOf(provider: Provider): Readonly<Record<string, string>>;
  /** Told after each session: what `post` has to take away has changed. */
  onPlaced(): void;
  say(line: string): void;
  warn(message: string): void;
}

export interface Resumed {
  /** The events that the journal of this job begins with. */
  readonly events: readonly JournalEvent[];
  /** What this job has to add to them before anything else. */
  readonly decisions: readonly NewEvent[];
  readonly unavailable: ReadonlyMap<string, 'session-lost' | 'session-ahead'>;
  readonly restored?: string;
  readonly seen?: string;
  /** The look-up went wrong: what of this attempt is there is not known. */
  readonly isUnseen?: boolean;
}

interface Found {
  readonly events: readonly JournalEvent[];
  readonly contents?: Contents;
  readonly restored?: string;
  readonly seen?: string;
  readonly isUnseen?: boolean;
}

export async function resume(options: ResumeOptions): Promise<Resumed> {
  const found = await find(options);
  const state = fold(found.events);
  if (found.contents === undefined) return { ...found, decisions: [], unavailable: new Map() };
  const takeover = await takeOver(options, found.contents, state);
  tellTakeover(options, state, takeover);
  const decisions = dropping(takeover);
  const kept = decisions.reduce<RunState>(
    (sum, event) => apply(sum, { ...event, at: 0 } as JournalEvent),
    state,
  );
  await bringFilesBack(options.workspace, kept);
  const unavailable = await bringSessionsBack(options, found.contents, kept);
  return { ...found, decisions, unavailable };
}

async function find(options: ResumeOptions): Promise<Found> {
  const { request, mode } = options;
  if (mode === 'never') return passOver(options);
  let recorded: Recorded | undefined;
  const restored = await restore({
    ...request,
    refusal(entries) {
      const read = readRecorded(entries);
      if (read.status === 'refused') return read;
      recorded = read;
      return undefined;
    },
  });
  if (restored.status !== 'none') for (const refused of restored.refused) options.warn(refusedText(refused));
  const seen = restored.status !== 'none' && restored.seen !== undefined ? { seen: restored.seen } : {};
  if (restored.status === 'opened' && recorded !== undefined) {
    const { key, binding } = restored;
    options.say(`Going on from the checkpoint ${key} of job attempt ${binding.jobAttempt}.`);
    return { events: recorded.events, contents: recorded.contents, restored: key, ...seen };
  }
  missed(
    options,
    restored.status === 'none' ? restored.trouble : 'no checkpoint that was found could be used',
  );
  const isUnseen = restored.status === 'none' && restored.trouble !== undefined;
  return { events: [], ...seen, isUnseen };
}

/** `resume: never`: only the number of the newest entry is of interest, so that this job's come after it. */
async function passOver({ request, say }: ResumeOptions): Promise<Found> {
  say('Starting afresh, as the input `resume` says.');
  const seen = await request.store.newest(attemptPrefixes(request.place, request.jobAttempt).slice(0, 1));
  const isUnseen = seen === undefined && request.store.trouble?.() !== undefined;
  return { events: [], ...defined({ seen }), isUnseen };
}

/** At the first job attempt there need not be one, and nothing is said. */
function missed({ request, mode, warn }: ResumeOptions, trouble: string | undefined): void {
  if (request.jobAttempt === 1) return;
  const why =
    trouble?.replace(/\.$/, '') ??
    'none was found: this job may not have come to this step before, or the entry has expired';
  if (mode === 'require')
    throw new UserError(
      `The state of an earlier attempt cannot be had (${why}), and \`resume: require\` asks for it. Set \`resume: auto\` to start afresh.`,
    );
  warn(`Starting afresh: no checkpoint of an earlier attempt could be taken up (${why}).`);
}

async function takeOver(options: ResumeOptions, contents: Contents, state: RunState): Promise<Takeover> {
  const { workspace, plan, job, request } = options;
  const takeover = decideTakeover({
    plan,
    state,
    job,
    jobAttempt: request.jobAttempt,
    startTree: workspace.startTree,
  });
  const recorded = state.jobs.at(-1)?.startCommit ?? workspace.startCommit;
  if (recorded !== workspace.startCommit && !(await workspace.has(recorded)))
    return startOver(
      options,
      state,
      `${recorded}, which is not in this checkout (with \`fetch-depth: 0\` it would be)`,
    );
  try {
    await workspace.unpack(contents.pack);
    return takeover;
  } catch (error) {
    if (recorded === workspace.startCommit) throw error;
    return startOver(options, state, recorded);
  }
}

function startOver(options: ResumeOptions, state: RunState, recorded: string): Takeover {
  const reason = `the checkout is at another commit than the recorded run, which began at ${recorded}`;
  missed(options, reason);
  return { dropped: [...state.steps.keys()], reason };
}

/** S11: first what changed, then which steps that is. */
function tellTakeover(
  { plan, say, warn }: ResumeOptions,
  state: RunState,
  { dropped, reason }: Takeover,
): void {
  const { fromStep } = plan;
  if (fromStep !== undefined && !expand(plan, state).some(({ path }) => path === fromStep))
    warn(
      `Input \`from-step\`: the recorded run has no step \`${fromStep}\`, so nothing is forgotten for it.`,
    );
  if (dropped.length === 0 || reason === undefined) return;
  const again = dropped.filter((path) => state.steps.get(path)?.status === 'passed');
  say(`Note: ${reason}.`);
  say(
    again.length === 0
      ? `Forgotten: ${dropped.join(', ')}.`
      : `These steps run again: ${dropped.join(', ')}.`,
  );
}

function dropping({ dropped, reason }: Takeover): readonly NewEvent[] {
  return dropped.length === 0 ? [] : [{ type: 'steps-dropped', steps: dropped, reason: reason ?? '' }];
}

async function bringFilesBack(workspace: Workspace, state: RunState): Promise<void> {
  const snapshot = newestSnapshot(state);
  if (snapshot === undefined) return;
  const conflicts = await workspace.apply(snapshot);
  if (conflicts.length === 0) return;
  throw new UserErrors(
    conflicts.map(
      (file) =>
        `${file}: what the earlier attempt changed cannot be merged with what lies there now. Nothing was run. Remove the cause, or start afresh with \`resume: never\`.`,
    ),
  );
}

/** Where the session was last at work: a unit's is not that of the checkout. */
function directoryOf({ places, workspace }: ResumeOptions, state: RunState, id: string): string {
  const user = lastUserOf(state, id);
  return user === undefined ? workspace.directory : places.directoryOf(user.step, user.attempt);
}

/** S13: each session goes back to where it was at the last attempt, among those kept, that used it. */
async function bringSessionsBack(
  options: ResumeOptions,
  contents: Contents,
  state: RunState,
): Promise<Resumed['unavailable']> {
  const unavailable = new Map<string, 'session-lost' | 'session-ahead'>();
  for (const { provider: providerId, id } of sessionsOf(state)) {
    const provider = options.providers.find((one) => one.id === providerId);
    const files = contents.sessions.filter((copy) => copy.provider === providerId && copy.id === id);
    if (provider === undefined || files.length === 0) {
      unavailable.set(id, 'session-lost');
      continue;
    }
    const place = {
      provider,
      id,
      directory: directoryOf(options, state, id),
      environment: options.environmentOf(provider),
    };
    const result = await options.sessions.bringBack(place, files, lastUseOf(state, id)?.mark);
    options.onPlaced();
    if (result.status !== 'there')
      options.warn(`The ${provider.title} session ${id} does not come back: ${result.reason}.`);
    if (result.status === 'session-ahead') unavailable.set(id, 'session-ahead');
    else if (result.status === 'refused') unavailable.set(id, 'session-lost');
    // Whatever became of it here: the next machine may have more luck.
    await options.shelf.put({ provider: providerId, id }, files);
  }
  return unavailable;
}
