/**
 * When checkpoints are stored, and what a run waits for. It leaves what is in them to `SealedFactory`, and
 * where they lie to the store.
 *
 * V1 One save at a time; of those that wait only the newest is made. No key is used twice.
 * V2 A step waits for its save, but at most 10 s, and not at all after one was slow or failed, until one
 *    succeeds: a service that is down costs a run 10 s once and not at every step.
 * V3 Before each save the newest entry is looked up; who was overtaken by a later job attempt, or meets
 *    another job under the same name, stores nothing more.
 * V4 `persisted` is said only of an entry that was found by its exact key after the save. A save that failed is
 *    looked up too: only its answer may have been lost.
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

/** Makes the sealed file for exactly this binding; called when the save's turn comes, or never. */
export type SealFunction = (binding: Binding) => Promise<Buffer>;

export interface SealedCheckpoint {
  readonly key: string;
  readonly sealed: Buffer;
}

export interface CheckpointWriterOptions {
  readonly store: CheckpointStore;
  readonly clock: Clock;
  /** What all checkpoints of this job are bound to. */
  readonly binding: Omit<Binding, 'sequence'>;
  /** The newest key of this job attempt before this job stored anything (`Restored.seen`). */
  readonly seen?: string;
  /** The look-up at the start went wrong: `seen` is what is there before the first save. */
  readonly hasLookupFailed?: boolean;
  /** The checkpoint that the run goes on from. */
  readonly restored?: string;
  /** The highest sequence that this writer has used already: `post` goes on after `main`. */
  readonly usedSequence?: number;
  /** Told of every save that succeeded, however late, with the number of events it was given. */
  onStored?(key: string, events: number): void;
  /** Told once of each kind, and again after a save that succeeded. */
  onNotice(notice: SaveNotice): void;
}

export interface SettleResult {
  /** Whether the last state that had to be stored, or the restored one where nothing had to, is there. */
  readonly persisted: boolean;
  /** The newest checkpoint that was stored, or else the one restored. */
  readonly key?: string;
}

const maxWaitMs = 10_000;
/** For looking up a save that failed: a service that is down answers late, and seldom with good news. */
const maxConfirmMs = 10_000;
const maxBytes = 1_000_000_000;

interface QueuedSave {
  /** How many journal events the state holds. */
  readonly events: number;
  seal(): Promise<SealedCheckpoint>;
}

/** A save as it is booked. */
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
  private hasLookupFailed: boolean;
  private seen: string | undefined;
  private outcome: 'nothing-to-store' | 'stored' | 'not-stored' = 'nothing-to-store';
  private storedKey: string | undefined;
  private eventsStored = 0;
  /** Of the last save, where it failed. */
  private unconfirmedSave: SaveRecord | undefined;

  constructor(private readonly options: CheckpointWriterOptions) {
    const seen = options.seen === undefined ? undefined : parseKey(options.seen);
    this.hasLookupFailed = options.hasLookupFailed ?? false;
    this.seen = options.seen;
    this.sequence = Math.max(seen?.sequence ?? 0, options.usedSequence ?? 0);
  }

  /** The newest checkpoint that this job has stored. */
  get stored(): string | undefined {
    return this.storedKey;
  }

  /** How many events it holds. */
  get storedEvents(): number {
    return this.eventsStored;
  }

  /** The checkpoint that a re-run would go on from, as far as is known. */
  get newest(): string | undefined {
    return this.storedKey ?? this.options.restored;
  }

  /** The highest sequence used so far, also by saves that failed. */
  get usedSequence(): number {
    return this.sequence;
  }

  /** Stores a checkpoint of so many events; resolves when later work may start (V2). Never rejects. */
  async save(make: SealFunction, events = 0): Promise<void> {
    if (!this.canStore()) return;
    const done = this.queue.push({ events, seal: () => this.seal(make) });
    if (!this.isBlocking || (await endsWithin(done, maxWaitMs, this.options.clock))) return;
    this.isBlocking = false;
    this.notify({ type: 'slow' });
  }

  /**
   * For the end that a signal brings: seals at once, whatever else is going on, and hands the file to `keep`
   * before anything is asked of the service. Resolves when it is kept; `settle` waits for the store.
   * Rejects when it cannot be sealed or kept.
   */
  async saveOnCancel(
    make: SealFunction,
    markStored: (checkpoint: SealedCheckpoint) => Promise<void>,
    events = 0,
  ): Promise<void> {
    if (!this.canStore()) return;
    const ready = await this.seal(make);
    await markStored(ready);
    void this.queue.push({ events, seal: async () => ready });
  }

  /** Something had to be stored, and nothing can be: there is no secret to seal it with, say. */
  markNotStored(): void {
    this.outcome = 'not-stored';
  }

  /** Waits for the last save, looks it up, and tells how things stand; in `maxMs` milliseconds in all. */
  async settle(maxMs: number): Promise<SettleResult> {
    const { clock } = this.options;
    const until = clock.now() + maxMs;
    const isIdle = await endsWithin(this.queue.idle(), maxMs, clock);
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
      if (this.isWithinSizeLimit(checkpoint)) await this.write(checkpoint, job.events);
    } catch (error) {
      this.reportFailure(error instanceof Error ? error.message : String(error));
    }
  }

  private async canStillStore(): Promise<boolean> {
    const { store, binding } = this.options;
    const found = await store.findNewest(fencePrefixes(binding, binding.jobAttempt));
    if (this.hasLookupFailed && (found !== undefined || store.lastError?.() === undefined)) {
      this.hasLookupFailed = false;
      this.seen = found;
    }
    const { seen } = this;
    const { jobAttempt, writer } = binding;
    const judged = checkFence(found, { jobAttempt, writer, ...defined({ seen }) });
    if (judged.status === 'clear') {
      this.sequence = Math.max(this.sequence, judged.sequence);
      return true;
    }
    this.hasStopped = true;
    this.notify(
      judged.status === 'fenced' ? { type: 'fenced', jobAttempt: judged.jobAttempt } : { type: 'conflict' },
    );
    return false;
  }

  private async seal(make: SealFunction): Promise<SealedCheckpoint> {
    this.sequence += 1;
    const binding = { ...this.options.binding, sequence: this.sequence };
    return { key: keyOf(binding), sealed: await make(binding) };
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
    // What was restored has to be the newest still: another job may have gone on from it.
    const prefixes = this.outcome === 'stored' ? [key] : attemptPrefixes(binding, binding.jobAttempt);
    const found = store.findNewest(prefixes);
    const isAnswered = await endsWithin(found, Math.max(0, until - clock.now()), clock);
    return isAnswered && (await found.catch(() => undefined)) === key;
  }
}
