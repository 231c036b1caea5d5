/**
 * Decides when checkpoints are stored and how long a run waits for a save. A `SealFunction` creates their content, and
 * the `CheckpointStore` stores them.
 *
 * CHECKPOINT1 One save runs at a time. Of the waiting saves only the newest is done. No key is used twice.
 * CHECKPOINT2 A step waits for its save, but at most 10 s. After a save that was slow or failed, steps do not wait
 *             until a save succeeds: if the service is down, a run loses 10 s once and not at every step. At the end,
 *             a service that does not answer at all gets 10 s more, so that an outage costs less than a minute per job.
 * CHECKPOINT3 Before each save the newest entry is looked up. If a later job attempt has stored one, or another job
 *             stores under the same name, this job stores nothing more.
 * CHECKPOINT4 `persisted` is true only for an entry that was found by its exact key after the save. A failed save is
 *             looked up too, because only its response may have been lost.
 */
import { defined } from '../optional-keys.js';
import type { Clock } from '../system/clock.js';
import { type Binding, keyOf } from './binding.js';
import { attemptPrefixes, fencePrefixes, parseKey } from './checkpoint-key.js';
import type { CheckpointStore } from './checkpoint-store.js';
import { endsWithin } from './ends-within.js';
import { checkFence } from './fence.js';
import { createLatestQueue, type LatestQueue } from './latest-queue.js';
import type { SaveNotice } from './save-notice.js';

/** Creates the sealed file for exactly this binding. Called when the save starts, or never. */
export type SealFunction = (binding: Binding) => Promise<Buffer>;

export interface SealedCheckpoint {
  readonly key: string;
  readonly sealed: Buffer;
}

export interface CheckpointWriterOptions {
  readonly store: CheckpointStore;
  readonly clock: Clock;
  /** The binding that all checkpoints of this job share. */
  readonly binding: Omit<Binding, 'sequence'>;
  /** The newest key of this job attempt before this job stored anything (`RestoreResult.seen`). */
  readonly seen?: string;
  /** The look-up at the start failed, so the look-up before the first save determines `seen`. */
  readonly hasLookupFailed?: boolean;
  /** Key of the checkpoint from which the run continues. */
  readonly restored?: string;
  /** The highest sequence that this writer has used: `post` continues after the last number of `main`. */
  readonly usedSequence?: number;
  /** Called with each sequence before it is used. No later process of the job may use a smaller one. */
  onSequence?(sequence: number): void;
  /** Called after every save that succeeded, even a late one, with the number of events in it. */
  onStored?(key: string, events: number): void;
  /** Called once for each type of notice, and again after a save has succeeded. */
  onNotice(notice: SaveNotice): void;
}

export interface SettleResult {
  /** Whether the last state is stored. If nothing had to be stored: whether the restored one is still the newest. */
  readonly persisted: boolean;
  /** Key of the newest checkpoint that was stored, otherwise of the restored one. */
  readonly key?: string;
}

const maxWaitMs = 10_000;
/** Maximum time to look up a failed save. A service that is down answers late and rarely has the entry. */
const maxConfirmMs = 10_000;
/** Maximum time at the end for a service that did not even answer the look-up before the save. */
const maxSilentMs = 10_000;
const maxBytes = 1_000_000_000;

interface QueuedSave {
  /** Number of journal events in the state. */
  readonly events: number;
  /** For a checkpoint while agents are at work: a larger one is not stored. */
  readonly maxBytes?: number;
  seal(): Promise<SealedCheckpoint>;
}

interface SaveRecord {
  readonly key: string;
  readonly events: number;
}

export class CheckpointWriter {
  private readonly queue: LatestQueue<QueuedSave> = createLatestQueue((job) => this.runSave(job));
  private readonly reportedNotices = new Set<SaveNotice['type']>();
  private sequence: number;
  private isBlocking = true;
  private hasStopped = false;
  /** The look-up before the running save has no answer so far, so nothing is being uploaded. */
  private isSilent = false;
  private hasLookupFailed: boolean;
  private seen: string | undefined;
  private outcome: 'nothing-to-store' | 'stored' | 'not-stored' = 'nothing-to-store';
  private storedKey: string | undefined;
  private eventsStored = 0;
  /** The last save, if it failed. */
  private unconfirmedSave: SaveRecord | undefined;

  constructor(private readonly options: CheckpointWriterOptions) {
    const seen = options.seen === undefined ? undefined : parseKey(options.seen);
    this.hasLookupFailed = options.hasLookupFailed ?? false;
    this.seen = options.seen;
    this.sequence = Math.max(seen?.sequence ?? 0, options.usedSequence ?? 0);
  }

  /** Key of the newest checkpoint that this job has stored. */
  get stored(): string | undefined {
    return this.storedKey;
  }

  /** Number of journal events in it. */
  get storedEvents(): number {
    return this.eventsStored;
  }

  /** Key of the checkpoint from which a re-run would continue, as far as is known. */
  get newest(): string | undefined {
    return this.storedKey ?? this.options.restored;
  }

  /** The highest sequence used so far, including failed saves. */
  get usedSequence(): number {
    return this.sequence;
  }

  /**
   * Stores a checkpoint of `events` events. Resolves when later work may start (CHECKPOINT2). Never rejects. `maxBytes`:
   * a larger one is not stored, and none is while another save runs, because it would replace a save that waits.
   */
  async save(sealFor: SealFunction, events = 0, maxBytes?: number): Promise<void> {
    if (!this.canStore() || (maxBytes !== undefined && !this.queue.isIdle())) return;
    const done = this.queue.push({ events, seal: () => this.seal(sealFor), ...defined({ maxBytes }) });
    if (!this.isBlocking || (await endsWithin(done, maxWaitMs, this.options.clock))) return;
    this.isBlocking = false;
    this.notify({ type: 'slow' });
  }

  /**
   * For a cancelled job: seals immediately, even if a save is running, and passes the file to `saveLocally` before the
   * service is contacted. Resolves when the file is saved locally; `settle` waits for the store. Rejects if the
   * checkpoint cannot be sealed or saved locally.
   */
  async saveOnCancel(
    sealFor: SealFunction,
    saveLocally: (checkpoint: SealedCheckpoint) => Promise<void>,
    events = 0,
  ): Promise<void> {
    if (!this.canStore()) return;
    const checkpoint = await this.seal(sealFor);
    await saveLocally(checkpoint);
    void this.queue.push({ events, seal: async () => checkpoint });
  }

  /** Records that something had to be stored but could not be, for example without a secret to seal it. */
  markNotStored(): void {
    this.outcome = 'not-stored';
  }

  /** Waits for the last save, looks it up and returns the result. Takes at most `maxMs` milliseconds in total. */
  async settle(maxMs: number): Promise<SettleResult> {
    const { clock } = this.options;
    const until = clock.now() + maxMs;
    const isIdle = await this.waitUntilIdle(until);
    if (isIdle) await this.confirmLastSave(until);
    const key = this.newest;
    const persisted = isIdle && key !== undefined && (await this.isStored(key, until));
    if (
      isIdle &&
      !persisted &&
      this.outcome === 'stored' &&
      this.options.store.unreadableReason === undefined
    )
      this.notify({ type: 'not-found' });
    return { persisted, ...defined({ key }) };
  }

  private async waitUntilIdle(until: number): Promise<boolean> {
    const { clock } = this.options;
    const idle = this.queue.idle();
    const left = () => Math.max(0, until - clock.now());
    if (await endsWithin(idle, Math.min(maxSilentMs, left()), clock)) return true;
    return !this.isSilent && left() > 0 && (await endsWithin(idle, left(), clock));
  }

  private canStore(): boolean {
    if (!this.hasStopped && this.options.store.unwritableReason === undefined) return true;
    this.outcome = 'not-stored';
    return false;
  }

  private async runSave(job: QueuedSave): Promise<void> {
    this.outcome = 'not-stored';
    try {
      if (!(await this.canStillStore())) return;
      const checkpoint = await job.seal();
      if (checkpoint.sealed.length > (job.maxBytes ?? Number.POSITIVE_INFINITY)) return;
      if (this.isWithinSizeLimit(checkpoint)) await this.write(checkpoint, job.events);
    } catch (error) {
      this.reportFailure(error instanceof Error ? error.message : String(error));
    }
  }

  private async canStillStore(): Promise<boolean> {
    const { store, binding } = this.options;
    this.isSilent = true;
    const found = await store.findNewest(fencePrefixes(binding, binding.jobAttempt));
    this.isSilent = found === undefined && store.lastError?.() !== undefined;
    if (this.hasLookupFailed && !this.isSilent) {
      this.hasLookupFailed = false;
      this.seen = found;
    }
    const { seen } = this;
    const { jobAttempt, writer } = binding;
    const fence = checkFence(found, { jobAttempt, writer, ...defined({ seen }) });
    if (fence.status === 'clear') {
      this.sequence = Math.max(this.sequence, fence.sequence);
      return true;
    }
    this.hasStopped = true;
    this.notify(
      fence.status === 'fenced' ? { type: 'fenced', jobAttempt: fence.jobAttempt } : { type: 'conflict' },
    );
    return false;
  }

  private async seal(sealFor: SealFunction): Promise<SealedCheckpoint> {
    this.sequence += 1;
    this.options.onSequence?.(this.sequence);
    const binding = { ...this.options.binding, sequence: this.sequence };
    return { key: keyOf(binding), sealed: await sealFor(binding) };
  }

  private isWithinSizeLimit({ sealed }: SealedCheckpoint): boolean {
    if (sealed.length <= maxBytes) return true;
    this.notify({ type: 'too-large', bytes: sealed.length });
    return false;
  }

  private async write({ key, sealed }: SealedCheckpoint, events: number): Promise<void> {
    const { store } = this.options;
    this.unconfirmedSave = { key, events };
    if (!(await store.write(key, sealed))) return this.reportFailure(store.lastError?.());
    this.markStored({ key, events });
    this.isBlocking = true;
    this.reportedNotices.clear();
  }

  private markStored({ key, events }: SaveRecord): void {
    this.unconfirmedSave = undefined;
    this.storedKey = key;
    this.eventsStored = events;
    this.outcome = 'stored';
    this.options.onStored?.(key, events);
  }

  private async confirmLastSave(until: number): Promise<void> {
    const { unconfirmedSave } = this;
    const { clock, store } = this.options;
    if (unconfirmedSave === undefined || store.unreadableReason !== undefined) return;
    const found = store.findNewest([unconfirmedSave.key]).catch(() => undefined);
    const maxMs = Math.min(maxConfirmMs, Math.max(0, until - clock.now()));
    if ((await endsWithin(found, maxMs, clock)) && (await found) === unconfirmedSave.key)
      this.markStored(unconfirmedSave);
  }

  private reportFailure(reason: string | undefined): void {
    this.isBlocking = false;
    this.notify({ type: 'failed', ...defined({ reason }) });
  }

  private notify(notice: SaveNotice): void {
    if (this.reportedNotices.has(notice.type)) return;
    this.reportedNotices.add(notice.type);
    this.options.onNotice(notice);
  }

  private async isStored(key: string, until: number): Promise<boolean> {
    const { store, binding, clock } = this.options;
    if (this.outcome === 'not-stored' || store.unreadableReason !== undefined) return false;
    // The restored checkpoint must still be the newest, because another job may have continued from it.
    const prefixes = this.outcome === 'stored' ? [key] : attemptPrefixes(binding, binding.jobAttempt);
    const found = store.findNewest(prefixes);
    const isAnswered = await endsWithin(found, Math.max(0, until - clock.now()), clock);
    return isAnswered && (await found.catch(() => undefined)) === key;
  }
}
