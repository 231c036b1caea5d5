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
import { endsWithin } from './ends-within.js';
import { standing } from './fence.js';
import { attemptPrefixes, fencePrefixes, parseKey } from './key.js';
import { createLatestQueue, type LatestQueue } from './latest-queue.js';
import type { SaverNotice } from './save-notice.js';
import type { CheckpointStore } from './store.js';

/** Makes the sealed file for exactly this binding; called when the save's turn comes, or never. */
export type SealedFactory = (binding: Binding) => Promise<Buffer>;

export interface SealedCheckpoint {
  readonly key: string;
  readonly sealed: Buffer;
}

export interface SaverOptions {
  readonly store: CheckpointStore;
  readonly clock: Clock;
  /** What all checkpoints of this job are bound to. */
  readonly binding: Omit<Binding, 'sequence'>;
  /** The newest key of this job attempt before this job stored anything (`Restored.seen`). */
  readonly seen?: string;
  /** The look-up at the start went wrong: `seen` is what is there before the first save. */
  readonly isUnseen?: boolean;
  /** The checkpoint that the run goes on from. */
  readonly restored?: string;
  /** The highest sequence that this writer has used already: `post` goes on after `main`. */
  readonly usedSequence?: number;
  /** Told of every save that succeeded, however late, with the number of events it was given. */
  onStored?(key: string, events: number): void;
  /** Told once of each kind, and again after a save that succeeded. */
  onNotice(notice: SaverNotice): void;
}

export interface Settled {
  /** Whether the last state that had to be stored, or the restored one where nothing had to, is there. */
  readonly persisted: boolean;
  /** The newest checkpoint that was stored, or else the one restored. */
  readonly key?: string;
}

const maxWaitMs = 10_000;
/** For looking up a save that failed: a service that is down answers late, and seldom with good news. */
const maxDoubtMs = 10_000;
const maxBytes = 1_000_000_000;

interface Job {
  /** How many journal events the state holds. */
  readonly events: number;
  seal(): Promise<SealedCheckpoint>;
}

/** A save as it is booked. */
interface Booked {
  readonly key: string;
  readonly events: number;
}

export class Saver {
  private readonly queue: LatestQueue<Job> = createLatestQueue((job) => this.perform(job));
  private readonly told = new Set<SaverNotice['type']>();
  private sequence: number;
  private holdsSteps = true;
  private hasStopped = false;
  private isUnseen: boolean;
  private seen: string | undefined;
  private outcome: 'nothing-to-store' | 'stored' | 'not-stored' = 'nothing-to-store';
  private storedKey: string | undefined;
  private eventsStored = 0;
  /** Of the last save, where it failed. */
  private doubt: Booked | undefined;

  constructor(private readonly options: SaverOptions) {
    const seen = options.seen === undefined ? undefined : parseKey(options.seen);
    this.isUnseen = options.isUnseen ?? false;
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
  async save(make: SealedFactory, events = 0): Promise<void> {
    if (!this.mayStore()) return;
    const done = this.queue.push({ events, seal: () => this.seal(make) });
    if (!this.holdsSteps || (await endsWithin(done, maxWaitMs, this.options.clock))) return;
    this.holdsSteps = false;
    this.notify({ type: 'slow' });
  }

  /**
   * For the end that a signal brings: seals at once, whatever else is going on, and hands the file to `keep`
   * before anything is asked of the service. Resolves when it is kept; `settle` waits for the store.
   * Rejects when it cannot be sealed or kept.
   */
  async saveUrgently(
    make: SealedFactory,
    keep: (checkpoint: SealedCheckpoint) => Promise<void>,
    events = 0,
  ): Promise<void> {
    if (!this.mayStore()) return;
    const ready = await this.seal(make);
    await keep(ready);
    void this.queue.push({ events, seal: async () => ready });
  }

  /** Something had to be stored, and nothing can be: there is no secret to seal it with, say. */
  giveUp(): void {
    this.outcome = 'not-stored';
  }

  /** Waits for the last save, looks it up, and tells how things stand; in `maxMs` milliseconds in all. */
  async settle(maxMs: number): Promise<Settled> {
    const { clock } = this.options;
    const until = clock.now() + maxMs;
    const isIdle = await endsWithin(this.queue.idle(), maxMs, clock);
    if (isIdle) await this.clearDoubt(until);
    const key = this.newest;
    const persisted = isIdle && key !== undefined && (await this.isThere(key, until));
    if (isIdle && !persisted && this.outcome === 'stored' && this.options.store.unreadable === undefined)
      this.notify({ type: 'not-found' });
    return { persisted, ...defined({ key }) };
  }

  private mayStore(): boolean {
    if (!this.hasStopped && this.options.store.unwritable === undefined) return true;
    this.outcome = 'not-stored';
    return false;
  }

  private async perform(job: Job): Promise<void> {
    this.outcome = 'not-stored';
    try {
      if (!(await this.isStillOurs())) return;
      const checkpoint = await job.seal();
      if (this.fits(checkpoint)) await this.write(checkpoint, job.events);
    } catch (error) {
      this.fail(error instanceof Error ? error.message : String(error));
    }
  }

  private async isStillOurs(): Promise<boolean> {
    const { store, binding } = this.options;
    const found = await store.newest(fencePrefixes(binding, binding.jobAttempt));
    if (this.isUnseen && (found !== undefined || store.trouble?.() === undefined)) {
      this.isUnseen = false;
      this.seen = found;
    }
    const { seen } = this;
    const { jobAttempt, writer } = binding;
    const judged = standing(found, { jobAttempt, writer, ...defined({ seen }) });
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

  private async seal(make: SealedFactory): Promise<SealedCheckpoint> {
    this.sequence += 1;
    const binding = { ...this.options.binding, sequence: this.sequence };
    return { key: keyOf(binding), sealed: await make(binding) };
  }

  private fits({ sealed }: SealedCheckpoint): boolean {
    if (sealed.length <= maxBytes) return true;
    this.notify({ type: 'too-large', bytes: sealed.length });
    return false;
  }

  private async write({ key, sealed }: SealedCheckpoint, events: number): Promise<void> {
    const { store } = this.options;
    this.doubt = { key, events };
    if (!(await store.write(key, sealed))) return this.fail(store.trouble?.());
    this.keep({ key, events });
    this.holdsSteps = true;
    this.told.clear();
  }

  private keep({ key, events }: Booked): void {
    this.doubt = undefined;
    this.storedKey = key;
    this.eventsStored = events;
    this.outcome = 'stored';
    this.options.onStored?.(key, events);
  }

  private async clearDoubt(until: number): Promise<void> {
    const { doubt } = this;
    const { clock, store } = this.options;
    if (doubt === undefined || store.unreadable !== undefined) return;
    const found = store.newest([doubt.key]).catch(() => undefined);
    const maxMs = Math.min(maxDoubtMs, Math.max(0, until - clock.now()));
    if ((await endsWithin(found, maxMs, clock)) && (await found) === doubt.key) this.keep(doubt);
  }

  private fail(reason: string | undefined): void {
    this.holdsSteps = false;
    this.notify({ type: 'failed', ...defined({ reason }) });
  }

  private notify(notice: SaverNotice): void {
    if (this.told.has(notice.type)) return;
    this.told.add(notice.type);
    this.options.onNotice(notice);
  }

  private async isThere(key: string, until: number): Promise<boolean> {
    const { store, binding, clock } = this.options;
    if (this.outcome === 'not-stored' || store.unreadable !== undefined) return false;
    // What was restored has to be the newest still: another job may have gone on from it.
    const prefixes = this.outcome === 'stored' ? [key] : attemptPrefixes(binding, binding.jobAttempt);
    const found = store.newest(prefixes);
    const isAnswered = await endsWithin(found, Math.max(0, until - clock.now()), clock);
    return isAnswered && (await found.catch(() => undefined)) === key;
  }
}
