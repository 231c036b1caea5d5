/** Implements the engine's checkpoints: collects the contents and passes them to the `CheckpointWriter`. */
import type { Checkpoints } from '../engine/engine-ports.js';
import { attemptsInOrder, type RunState } from '../journal/run-state.js';
import type { SessionCopies } from '../sessions/session-copies.js';
import type { SessionRef } from '../sessions/session-store.js';
import type { Snapshot, Workspace } from '../workspace/workspace.js';
import { sealCheckpoint } from './checkpoint.js';
import { type CheckpointContents, toEntries } from './checkpoint-contents.js';
import type { CheckpointWriter, SealedCheckpoint, SealFunction } from './checkpoint-writer.js';
import type { SealSecret } from './seal-secrets.js';

export interface CheckpointBuilderOptions {
  readonly checkpointWriter: CheckpointWriter;
  readonly secrets: readonly SealSecret[];
  readonly workspace: Pick<Workspace, 'pack'>;
  readonly sessionCopies: SessionCopies;
  /** The journal of the state, from the memory of this process. */
  journal(): Buffer;
  /** If true, this job can store nothing, and the builder does no work. */
  readonly isDisabled: boolean;
  /** Absent if the run cannot be cancelled. */
  readonly onCancel?: CancelHandler;
  /** Sealed instead if session copies or objects of the state are missing. */
  readonly fallbackContents?: CheckpointContents;
}

export interface CancelHandler {
  /** Aborted when the job is cancelled. After that, a checkpoint is saved locally before the service is contacted. */
  readonly signal: AbortSignal;
  saveLocally(checkpoint: SealedCheckpoint): Promise<void>;
}

export function createCheckpointBuilder(options: CheckpointBuilderOptions): Checkpoints {
  const { checkpointWriter } = options;
  const pack = memoizeLatest((snapshots) => options.workspace.pack(snapshots));
  return {
    prepare(state) {
      if (options.isDisabled) return;
      // An error occurs again when the checkpoint is stored, and is reported there.
      pack(snapshotsOf(state)).catch(() => undefined);
    },
    async store(state, interval) {
      if (interval !== undefined) {
        if (options.isDisabled || options.onCancel?.signal.aborted) return;
        const seal = withSize(createSealFunction(state, options, pack), interval.onSealed);
        return checkpointWriter.save(seal, state.eventCount, interval.maxBytes);
      }
      if (options.isDisabled) return checkpointWriter.markNotStored();
      const seal = createSealFunction(state, options, pack);
      const { onCancel } = options;
      if (onCancel === undefined) return checkpointWriter.save(seal, state.eventCount);
      if (!onCancel.signal.aborted)
        await waitUnlessAborted(checkpointWriter.save(seal, state.eventCount), onCancel.signal);
      if (!onCancel.signal.aborted || checkpointWriter.storedEvents >= state.eventCount) return;
      // The error occurs again in the normal save, and is reported there.
      await checkpointWriter
        .saveOnCancel(seal, onCancel.saveLocally, state.eventCount)
        .catch(() => void checkpointWriter.save(seal, state.eventCount));
    },
  };
}

/** Reports the size of what is sealed. */
function withSize(seal: SealFunction, report: (bytes: number) => void): SealFunction {
  return async (binding) => {
    const sealed = await seal(binding);
    report(sealed.length);
    return sealed;
  };
}

/** Waits until `work` ends or the signal is aborted. */
async function waitUnlessAborted(work: Promise<void>, signal: AbortSignal): Promise<void> {
  const waitEnd = new AbortController();
  const aborted = new Promise<void>((resolve) => {
    signal.addEventListener('abort', () => resolve(), { signal: waitEnd.signal });
  });
  await Promise.race([work, aborted]);
  waitEnd.abort();
}

type PackSnapshots = (snapshots: readonly Snapshot[]) => Promise<Buffer>;

/** Takes the journal immediately: it must not be newer than the trees that are packed with it. */
function createSealFunction(
  state: RunState,
  options: CheckpointBuilderOptions,
  pack: PackSnapshots,
): SealFunction {
  const journal = options.journal();
  return async (binding) => {
    const { fallbackContents } = options;
    const gathered = Promise.all([
      pack(snapshotsOf(state)),
      readSessionCopies(state, options.sessionCopies),
    ]).then(([objects, sessions]): CheckpointContents => ({ journal, pack: objects, sessions }));
    const contents = await (fallbackContents === undefined
      ? gathered
      : gathered
          .then((fresh) => (hasMissingSession(fresh, fallbackContents) ? fallbackContents : fresh))
          .catch(() => fallbackContents));
    return sealCheckpoint(toEntries(contents), binding, options.secrets);
  };
}

/** Whether a session of `expected` is missing in `fresh`. */
function hasMissingSession(fresh: CheckpointContents, expected: CheckpointContents): boolean {
  const present = new Set(fresh.sessions.map(({ provider, id }) => `${provider}/${id}`));
  return expected.sessions.some(({ provider, id }) => !present.has(`${provider}/${id}`));
}

/** Every recorded snapshot of the steps in the state, each once. */
export function snapshotsOf(state: RunState): readonly Snapshot[] {
  const all = [...state.steps.values()].flatMap((step) => [
    step.startSnapshot,
    ...step.attempts.flatMap((attempt) => attempt.snapshot ?? []),
  ]);
  return [...new Map(all.map((snapshot) => [snapshot.commit, snapshot])).values()];
}

/** Every session that an attempt in the state used, each once. */
export function sessionsOf(state: RunState): readonly SessionRef[] {
  const all = attemptsInOrder(state).flatMap(({ provider, session }) =>
    provider === undefined || session?.id === undefined ? [] : [{ provider, id: session.id }],
  );
  return [...new Map(all.map((session) => [`${session.provider}/${session.id}`, session])).values()];
}

async function readSessionCopies(state: RunState, sessionCopies: SessionCopies) {
  const copies = await Promise.all(
    sessionsOf(state).map(async (session) =>
      (await sessionCopies.read(session)).map((file) => ({ ...session, ...file })),
    ),
  );
  return copies.flat();
}

/** A checkpoint reuses the pack that was started while gates ran. */
function memoizeLatest(pack: PackSnapshots): PackSnapshots {
  let last: { readonly key: string; readonly made: Promise<Buffer> } | undefined;
  return (snapshots) => {
    const key = snapshots.map((snapshot) => snapshot.commit).join();
    if (last?.key !== key) last = { key, made: pack(snapshots) };
    return last.made;
  };
}
