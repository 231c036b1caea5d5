/** Implements the engine's checkpoints: collects what is new and passes it to the `CheckpointWriter`. */

import type { Checkpoints } from '../engine/engine-ports.js';
import { attemptsInOrder, type RunState } from '../journal/run-state.js';
import type { SessionCopies } from '../sessions/session-copies.js';
import type { SessionRef } from '../sessions/session-store.js';
import { hashOf } from '../system/hash-of.js';
import { unlessAborted } from '../system/unless-aborted.js';
import type { Snapshot, Workspace } from '../workspace/workspace.js';
import type { Chain, ChainBase, EntryContents, EntryKind } from './chain.js';
import { type CheckpointContents, journalPath, sessionPath } from './checkpoint-contents.js';
import type { CheckpointWriter, SealedCheckpoint, SealFunction } from './checkpoint-writer.js';
import type { StateFile } from './make-increment.js';
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
  /** What was stored so far. The owner calls its `confirm` for each entry that is stored. */
  readonly chain: Chain;
  /** Sealed instead if session copies or objects of the state are missing. */
  readonly findFallback?: () => Promise<CheckpointContents | undefined>;
}

export interface CancelHandler {
  /** Aborted when the job is cancelled. After that, a checkpoint is saved locally before the service is contacted. */
  readonly signal: AbortSignal;
  saveLocally(checkpoint: SealedCheckpoint): Promise<void>;
}

export interface JobCheckpoints extends Checkpoints {
  /**
   * Seals a stored state once more, as an increment with nothing in it, for `post`: whether the job passed is known
   * only there, and without an entry to extend it would store the whole state for this one event.
   */
  sealForPost(state: RunState): Promise<SealedCheckpoint>;
}

export function createCheckpointBuilder(options: CheckpointBuilderOptions): JobCheckpoints {
  const { checkpointWriter } = options;
  const pack = memoizeLatest((snapshots, base) => packNew(options.workspace, snapshots, base));
  return {
    prepare(state) {
      if (options.isDisabled) return;
      // An error occurs again when the checkpoint is stored, and is reported there.
      pack(snapshotsOf(state), options.chain.base()).catch(() => undefined);
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
        await unlessAborted(checkpointWriter.save(seal, state.eventCount), onCancel.signal);
      if (!onCancel.signal.aborted || checkpointWriter.storedEvents >= state.eventCount) return;
      // The error occurs again in the normal save, and is reported there.
      await checkpointWriter
        .saveOnCancel(seal, onCancel.saveLocally, state.eventCount)
        .catch(() => void checkpointWriter.save(seal, state.eventCount));
    },
    sealForPost: (state) =>
      checkpointWriter.sealNext(createSealFunction(state, options, pack, { isOnlyIncrement: true })),
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

type PackSnapshots = (snapshots: readonly Snapshot[], base: ChainBase) => Promise<PackedObjects>;

interface PackedObjects {
  readonly pack: Buffer;
  /** The commits of the snapshots that the pack or the base contains. */
  readonly commits: readonly string[];
}

/** The base's commits may be missing here, if the job did not need them. Then the entry repeats them. */
async function packNew(
  workspace: CheckpointBuilderOptions['workspace'],
  snapshots: readonly Snapshot[],
  { commits: packed }: ChainBase,
): Promise<PackedObjects> {
  const pack =
    packed.length === 0
      ? workspace.pack(snapshots)
      : workspace.pack(snapshots, packed).catch(() => workspace.pack(snapshots));
  const changed = snapshots.filter(({ base, commit }) => base !== commit);
  return {
    pack: await pack,
    commits: [...new Set(changed.flatMap(({ base, commit }) => [base, commit]))],
  };
}

/** Takes the journal immediately: it must not be newer than the trees that are packed with it. */
function createSealFunction(
  state: RunState,
  options: CheckpointBuilderOptions,
  pack: PackSnapshots,
  kind: EntryKind = {},
): SealFunction {
  const { chain, secrets } = options;
  const journal = options.journal();
  return async (binding) => {
    const base = chain.base(kind);
    const fresh = collectNew({ state, journal, base }, options, pack);
    const contents = await withFallback(fresh, options);
    return chain.seal(contents, base, binding, secrets);
  };
}

interface CollectedState {
  readonly state: RunState;
  readonly journal: Buffer;
  readonly base: ChainBase;
}

async function collectNew(
  { state, journal, base }: CollectedState,
  { sessionCopies }: CheckpointBuilderOptions,
  pack: PackSnapshots,
): Promise<EntryContents> {
  const [{ pack: objects, commits }, sessions] = await Promise.all([
    pack(snapshotsOf(state), base),
    readSessionCopies(state, sessionCopies, base),
  ]);
  return { packs: [objects], commits, files: [sourceFile(journalPath, journal), ...sessions] };
}

/** The fallback contents, if something is missing that they have. */
async function withFallback(
  gathered: Promise<EntryContents>,
  { findFallback }: CheckpointBuilderOptions,
): Promise<EntryContents> {
  if (findFallback === undefined) return gathered;
  const fresh = await gathered.catch((error: unknown) => ({ error }));
  const fallback = await findFallback();
  const isNeeded = fallback !== undefined && ('error' in fresh || hasMissingFile(fresh, fallback));
  if (isNeeded) return entryContents(fallback);
  if ('error' in fresh) throw fresh.error;
  return fresh;
}

function entryContents({ journal, packs, sessions }: CheckpointContents): EntryContents {
  const files = sessions.map((copy) => sourceFile(sessionPath(copy), copy.content));
  return { packs, commits: [], files: [sourceFile(journalPath, journal), ...files] };
}

/** Whether a session of `expected` is missing in `fresh`. */
function hasMissingFile(fresh: EntryContents, expected: CheckpointContents): boolean {
  const folders = expected.sessions.map((copy) => sessionPath({ ...copy, path: '' }));
  return folders.some((folder) => !fresh.files.some(({ path }) => path.startsWith(folder)));
}

function sourceFile(path: string, content: Buffer): StateFile {
  return { path, content, sha256: hashOf(content) };
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

/** Without the contents of copies that the base contains. */
async function readSessionCopies(
  state: RunState,
  sessionCopies: SessionCopies,
  { files }: ChainBase,
): Promise<readonly StateFile[]> {
  const copies = await Promise.all(
    sessionsOf(state).map(async (session) => {
      const pathOf = (path: string) => sessionPath({ ...session, path });
      const isKnown = (path: string, sha256: string) => files.get(pathOf(path))?.sha256 === sha256;
      const read = await sessionCopies.readNew(session, isKnown);
      return read.map((copy) => ({ ...copy, path: pathOf(copy.path) }));
    }),
  );
  return copies.flat();
}

/** A checkpoint reuses the pack that was started while gates ran. */
function memoizeLatest(pack: PackSnapshots): PackSnapshots {
  let last: { readonly key: string; readonly made: Promise<PackedObjects> } | undefined;
  return (snapshots, base) => {
    const key = [...base.commits, '', ...snapshots.map((snapshot) => snapshot.commit)].join();
    if (last?.key !== key) last = { key, made: pack(snapshots, base) };
    return last.made;
  };
}
