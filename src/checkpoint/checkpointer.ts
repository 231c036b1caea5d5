/** The engine's checkpoints: gathers what belongs in one and hands it to the saver. */
import { readFileSync } from 'node:fs';
import type { Checkpoints } from '../engine/ports.js';
import { attemptsInOrder, type RunState } from '../journal/state.js';
import type { SessionRef, SessionShelf } from '../sessions/session-shelf.js';
import type { Snapshot, Workspace } from '../workspace/workspace.js';
import { sealCheckpoint } from './checkpoint.js';
import { type Contents, toEntries } from './contents.js';
import type { Saver, SealedCheckpoint, SealedFactory } from './saver.js';
import type { SealSecret } from './secrets.js';

export interface CheckpointerOptions {
  readonly saver: Saver;
  readonly secrets: readonly SealSecret[];
  readonly workspace: Pick<Workspace, 'pack'>;
  readonly shelf: SessionShelf;
  readonly journalFile: string;
  /** Nothing can be stored in this job: no work is put into it. */
  readonly isOff: boolean;
  /** For a run that may be cancelled. */
  readonly urgency?: Urgency;
  /** What is sealed instead where the copies that belong in a checkpoint are not there any more. */
  readonly kept?: Contents;
}

export interface Urgency {
  /** Aborted when the job is cancelled: from then on what is sealed is kept before the service is asked. */
  readonly signal: AbortSignal;
  keep(checkpoint: SealedCheckpoint): Promise<void>;
}

export function createCheckpointer(options: CheckpointerOptions): Checkpoints {
  const { saver } = options;
  const pack = onceForEach((snapshots) => options.workspace.pack(snapshots));
  return {
    prepare(state) {
      if (options.isOff) return;
      // What goes wrong here comes up again when the checkpoint is stored, where it is told.
      pack(snapshotsOf(state)).catch(() => undefined);
    },
    async store(state) {
      if (options.isOff) return saver.giveUp();
      const make = factory(state, options, pack);
      const { urgency } = options;
      if (urgency === undefined) return saver.save(make, state.events);
      if (!urgency.signal.aborted) await unlessAborted(saver.save(make, state.events), urgency.signal);
      if (!urgency.signal.aborted || saver.storedEvents >= state.events) return;
      // What went wrong comes up again in the usual way, where it is told.
      await saver
        .saveUrgently(make, urgency.keep, state.events)
        .catch(() => void saver.save(make, state.events));
    },
  };
}

/** Waits for `work`, but no longer than until the signal. */
async function unlessAborted(work: Promise<void>, signal: AbortSignal): Promise<void> {
  const over = new AbortController();
  const aborted = new Promise<void>((resolve) => {
    signal.addEventListener('abort', () => resolve(), { signal: over.signal });
  });
  await Promise.race([work, aborted]);
  over.abort();
}

type Pack = (snapshots: readonly Snapshot[]) => Promise<Buffer>;

/** The journal is read at once: it must not know more than the trees that are packed with it. */
function factory(state: RunState, options: CheckpointerOptions, pack: Pack): SealedFactory {
  const journal = readFileSync(options.journalFile);
  return async (binding) => {
    const { kept } = options;
    const gathered = Promise.all([pack(snapshotsOf(state)), copiesOf(state, options.shelf)]).then(
      ([objects, sessions]): Contents => ({ journal, pack: objects, sessions }),
    );
    const contents = await (kept === undefined
      ? gathered
      : gathered.then((fresh) => (lacks(fresh, kept) ? kept : fresh)).catch(() => kept));
    return sealCheckpoint(toEntries(contents), binding, options.secrets);
  };
}

/** Whether a session of `kept` is missing. */
function lacks(fresh: Contents, kept: Contents): boolean {
  const there = new Set(fresh.sessions.map(({ provider, id }) => `${provider}/${id}`));
  return kept.sessions.some(({ provider, id }) => !there.has(`${provider}/${id}`));
}

/** Every recorded tree of the steps whose results are kept, each once. */
export function snapshotsOf(state: RunState): readonly Snapshot[] {
  const all = [...state.steps.values()].flatMap((step) => [
    step.from,
    ...step.attempts.flatMap((attempt) => attempt.snapshot ?? []),
  ]);
  return [...new Map(all.map((snapshot) => [snapshot.commit, snapshot])).values()];
}

/** Every session that an attempt, among those kept, has used; each once. */
export function sessionsOf(state: RunState): readonly SessionRef[] {
  const all = attemptsInOrder(state).flatMap(({ provider, session }) =>
    provider === undefined || session?.id === undefined ? [] : [{ provider, id: session.id }],
  );
  return [...new Map(all.map((session) => [`${session.provider}/${session.id}`, session])).values()];
}

async function copiesOf(state: RunState, shelf: SessionShelf) {
  const copies = await Promise.all(
    sessionsOf(state).map(async (session) =>
      (await shelf.take(session)).map((file) => ({ ...session, ...file })),
    ),
  );
  return copies.flat();
}

/** Packs begun while gates ran are used by the checkpoint that follows. */
function onceForEach(pack: Pack): Pack {
  let last: { readonly key: string; readonly made: Promise<Buffer> } | undefined;
  return (snapshots) => {
    const key = snapshots.map((snapshot) => snapshot.commit).join();
    if (last?.key !== key) last = { key, made: pack(snapshots) };
    return last.made;
  };
}
