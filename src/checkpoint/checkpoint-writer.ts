/**
 * Decides when checkpoints are stored and how long a run waits for a save. A `SealFunction` creates their content, and
 * the `CheckpointStore` stores them.
 *
 * CHECKPOINT1 One save runs at a time. Of the waiting saves only the newest is done. No key is used twice.
 * CHECKPOINT2 A step waits for its save, but at most 10 s. After a save that was slow or failed, steps do not wait
 *             until a save succeeds: if the service is down, a run loses 10 s once and not at every step. At the end,
 *             a service that does not answer at all gets 10 s more, so that an outage costs less than a minute per job.
 * CHECKPOINT3 If a later job attempt has stored an entry, or another job stores under the same name, this job stores
 *             nothing more. A save needs no look-up for that:
 *             - Keys of one job attempt differ only in their number, and the store refuses a key that exists. Jobs that
 *               count under one name therefore meet at the next number: the second one reads the entry that took its
 *               key, and finds another writer in it.
 *             - This holds as long as the entry with the number before is of this job, or existed when it started. After
 *               a gap (a save that failed), the newest entry is looked up before the next save.
 *             - What an earlier job attempt stores does no harm, because a restore prefers the newest job attempt. So
 *               it is enough to look for later ones once a minute, before a save, and at the end.
 * CHECKPOINT4 `persisted` is true only if the entry, and each one that it builds on, was found by its exact key after the
 *             save, and only if no later job attempt has stored one. A failed save is looked up too, because only its response may have been lost.
 */
import { defined } from '../optional-keys.js';
import type { Clock } from '../system/clock.js';
import { hashOf } from '../system/hash-of.js';
import { type Binding, keyOf } from './binding.js';
import { fencePrefixes, newestPrefixes, parseKey, prefixesOfAttempt } from './checkpoint-key.js';
import type { CheckpointStore } from './checkpoint-store.js';
import { endsWithin } from './ends-within.js';
import { createFence, type Fence, type FenceResult } from './fence.js';
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
  /** The look-up at the start failed, so one before the first save determines `seen`. */
  readonly hasLookupFailed?: boolean;
  /** Key of the checkpoint from which the run continues. */
  readonly restored?: string;
  /** The highest sequence that this writer has used: `post` continues after the last number of `main`. */
  readonly usedSequence?: number;
  /** Called with each sequence before it is used. No later process of the job may use a smaller one. */
  onSequence?(sequence: number): void;
  /** Called after every save that succeeded, even a late one, with the number of events in it. */
  onStored?(key: string, events: number): void;
  /** The keys of all entries that a checkpoint needs, its own too. Default: only its own. */
  keysOf?(key: string): readonly string[];
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
/** Maximum time at the end for a service that does not even answer a look-up. */
const maxSilentMs = 10_000;
/** A look-up for later job attempts is due before a save if the last one is older. */
const maxLookUpAgeMs = 60_000;
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

interface FailedSave extends SaveRecord {
  readonly sha256: string;
}

export class CheckpointWriter {
  private readonly queue: LatestQueue<QueuedSave> = createLatestQueue((job) => this.runSave(job));
  private readonly reportedNotices = new Set<SaveNotice['type']>();
  private sequence: number;
  private isBlocking = true;
  private hasStopped = false;
  private readonly fence: Fence;
  private hasLookupFailed: boolean;
  private lookedUpAt: number;
  /** The entry with this number is of this job or existed before, or the newest entry was looked up since. */
  private checkedSequence: number;
  private outcome: 'nothing-to-store' | 'stored' | 'not-stored' = 'nothing-to-store';
  private storedKey: string | undefined;
  private eventsStored = 0;
  /** The last save, if it failed. */
  private unconfirmedSave: FailedSave | undefined;

  constructor(private readonly options: CheckpointWriterOptions) {
    const { seen, restored } = options;
    this.hasLookupFailed = options.hasLookupFailed ?? false;
    this.lookedUpAt = options.clock.now();
    this.fence = createFence(options);
    // In `post`, the restored checkpoint is the last one that `main` stored.
    const known = [seen, restored].filter((key) => key !== undefined);
    for (const key of known) this.fence.allowUpTo(key);
    this.checkedSequence = Math.max(0, ...known.filter((key) => this.isOfThisAttempt(key)).map(sequenceOf));
    this.sequence = Math.max(this.checkedSequence, options.usedSequence ?? 0);
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

  /** Seals the state under the next key without storing it, for `post`, which uses that key. */
  async sealNext(sealFor: SealFunction): Promise<SealedCheckpoint> {
    const binding = { ...this.options.binding, sequence: this.sequence + 1 };
    return { key: keyOf(binding), sealed: await sealFor(binding) };
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
    const persisted = isIdle && key !== undefined && (await this.isNewest(key, until));
    if (
      isIdle &&
      !persisted &&
      !this.hasStopped &&
      this.outcome === 'stored' &&
      this.options.store.unreadableReason === undefined
    )
      this.notify({ type: 'not-found' });
    return { persisted, ...defined({ key }) };
  }

  private async waitUntilIdle(until: number): Promise<boolean> {
    if (this.queue.isIdle()) return true;
    const { clock, binding } = this.options;
    const idle = this.queue.idle();
    const left = () => Math.max(0, until - clock.now());
    // The client does not report how far a save has come, so only a look-up shows whether there is a service.
    let answers = false;
    void this.lookUp(prefixesOfAttempt(binding, binding.jobAttempt)).then(({ isAnswered }) => {
      answers = isAnswered;
    });
    if (await endsWithin(idle, Math.min(maxSilentMs, left()), clock)) return true;
    return answers && left() > 0 && (await endsWithin(idle, left(), clock));
  }

  private canStore(): boolean {
    if (!this.hasStopped && this.options.store.unwritableReason === undefined) return true;
    this.outcome = 'not-stored';
    return false;
  }

  private async runSave(job: QueuedSave): Promise<void> {
    this.outcome = 'not-stored';
    try {
      if (this.hasLookupFailed && !(await this.mayStillStore())) return;
      const checkpoint = await job.seal();
      if (checkpoint.sealed.length > (job.maxBytes ?? Number.POSITIVE_INFINITY)) return;
      if (!this.isWithinSizeLimit(checkpoint)) return;
      if (this.isLookUpDue(checkpoint.key) && !(await this.mayStillStore(checkpoint.key))) return;
      await this.write(checkpoint, job.events);
    } catch (error) {
      this.reportFailure(error instanceof Error ? error.message : String(error));
    }
  }

  private isLookUpDue(key: string): boolean {
    // Without an answer since the start, the service was asked immediately before.
    if (this.hasLookupFailed) return false;
    const hasGap = sequenceOf(key) - 1 > this.checkedSequence;
    return hasGap || this.options.clock.now() - this.lookedUpAt >= maxLookUpAgeMs;
  }

  /** Looks up the newest entry before a save under `key`. True also without an answer: the next save asks again. */
  private async mayStillStore(key?: string): Promise<boolean> {
    const { clock, binding } = this.options;
    const { isAnswered, found } = await this.lookUp(fencePrefixes(binding, binding.jobAttempt));
    if (!isAnswered) return true;
    this.lookedUpAt = clock.now();
    if (this.hasLookupFailed) this.catchUp(found);
    else if (key !== undefined) this.checkedSequence = sequenceOf(key) - 1;
    return this.isClear(await this.fence.judge(found));
  }

  /** The look-up at the start failed: what exists now counts as what existed then. */
  private catchUp(found: string | undefined): void {
    this.hasLookupFailed = false;
    if (found === undefined || !this.isOfThisAttempt(found)) return;
    this.fence.allowUpTo(found);
    this.sequence = Math.max(this.sequence, sequenceOf(found));
    this.checkedSequence = this.sequence;
  }

  private isOfThisAttempt(key: string): boolean {
    return parseKey(key)?.jobAttempt === this.options.binding.jobAttempt;
  }

  private isClear(result: FenceResult): boolean {
    if (result.status === 'clear') return true;
    this.hasStopped = true;
    this.notify(
      result.status === 'fenced' ? { type: 'fenced', jobAttempt: result.jobAttempt } : { type: 'conflict' },
    );
    return false;
  }

  private async lookUp(
    prefixes: readonly string[],
  ): Promise<{ readonly isAnswered: boolean; readonly found?: string }> {
    const { store } = this.options;
    const found = await store.findNewest(prefixes).catch(() => undefined);
    return { isAnswered: found !== undefined || store.lastError?.() === undefined, ...defined({ found }) };
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
    if (await store.write(key, sealed)) return this.markSaved({ key, events });
    const reason = store.lastError?.();
    if (store.lastFailure?.()?.isTaken) {
      const found = await store.read(key);
      // The service stored it, and only its answer was lost.
      if (found?.equals(sealed)) return this.markSaved({ key, events });
      // Without any look-up so far, the entry may be of a job that has ended.
      if (!this.hasLookupFailed && this.fence.isForeign(key, found))
        return void this.isClear({ status: 'conflict' });
    }
    this.unconfirmedSave = { key, events, sha256: hashOf(sealed) };
    this.reportFailure(reason);
  }

  private markSaved(save: SaveRecord): void {
    this.markStored(save);
    this.isBlocking = true;
    this.reportedNotices.clear();
  }

  private markStored({ key, events }: SaveRecord): void {
    this.unconfirmedSave = undefined;
    this.fence.allow(key);
    this.checkedSequence = Math.max(this.checkedSequence, sequenceOf(key));
    this.storedKey = key;
    this.eventsStored = events;
    this.outcome = 'stored';
    this.options.onStored?.(key, events);
  }

  private async confirmLastSave(until: number): Promise<void> {
    const { unconfirmedSave: save } = this;
    const { clock, store } = this.options;
    if (save === undefined || store.unreadableReason !== undefined) return;
    const left = () => Math.max(0, until - clock.now());
    const lookUp = this.lookUp([save.key]);
    if (!(await endsWithin(lookUp, Math.min(maxConfirmMs, left()), clock))) return;
    if ((await lookUp).found !== save.key) return;
    const read = store.read(save.key).catch(() => undefined);
    if (!(await endsWithin(read, left(), clock))) return;
    const found = await read;
    if (found !== undefined && hashOf(found) === save.sha256) this.markStored(save);
    else if (this.fence.isForeign(save.key, found)) this.isClear({ status: 'conflict' });
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

  /** One look-up shows both whether the entry exists and whether somebody else has stored since. */
  private async isNewest(key: string, until: number): Promise<boolean> {
    const { store, binding, clock } = this.options;
    if (this.outcome === 'not-stored' || store.unreadableReason !== undefined) return false;
    const hasStored = this.outcome === 'stored';
    const prefixes = (hasStored ? fencePrefixes : newestPrefixes)(binding, binding.jobAttempt);
    const ask = async (work: Promise<boolean>) =>
      (await endsWithin(work, Math.max(0, until - clock.now()), clock)) && (await work.catch(() => false));
    const isComplete = this.hasAllLinks(key);
    return ask(
      this.lookUp(prefixes).then(async ({ found }) => {
        if (!(await isComplete)) return false;
        if (found === key) return true;
        // A restored checkpoint must still be the newest, because another job may have continued from it.
        if (found === undefined || !hasStored || !this.isClear(await this.fence.judge(found))) return false;
        // What was stored last is no checkpoint, so it does not count.
        return (await this.lookUp([key])).found === key;
      }),
    );
  }

  /** Whether everything is stored on which the entry builds. */
  private async hasAllLinks(key: string): Promise<boolean> {
    const links = (this.options.keysOf?.(key) ?? []).filter((link) => link !== key);
    const found = await Promise.all(links.map((link) => this.lookUp([link])));
    return links.every((link, index) => found[index]?.found === link);
  }
}

function sequenceOf(key: string): number {
  return parseKey(key)?.sequence ?? 0;
}
