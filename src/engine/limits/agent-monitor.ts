/**
 * Counts what an agent does as it comes, and ends it as soon as it goes beyond a limit: its own, or one that it
 * shares with others, who are ended then too. It ends silent agents as well, by a timer.
 */

import type { AttemptRef } from '../../journal/event.js';
import { defined } from '../../optional-keys.js';
import { type CostEstimator, loadCostEstimator, withEstimatedCost } from '../../providers/cost.js';
import type { AgentEvent, TurnOutcome, Usage } from '../../providers/provider.js';
import { addUsage, subtractUsage } from '../../providers/usage.js';
import type { AgentStep } from '../../workflow/workflow.js';
import type { EngineRun } from '../engine-run.js';
import type { NextAttempt } from '../next-attempt.js';
import { findExceededLimit, type Limit, type LimitHit, type MonitoredAgent } from './limit.js';
import { attemptLimits, currentUsage, limitFailure, usedUpFailure } from './run-limits.js';

/** From SIGTERM to SIGKILL: a job that was cancelled has 10 s in all. */
const graceTimesMs = { trip: 5000, cancelled: 1000 };

export interface AgentMonitor {
  /** Aborted with the run's, and when a limit is passed. */
  readonly signal: AbortSignal;
  /** Asked when the agent is ended. */
  graceMs(): number;
  onEvent(event: AgentEvent, model: string | undefined): void;
  /** What the agent has spent so far, with what it may have cost. */
  progress(): Promise<Usage>;
  /** What the first answer took, as far as the CLI tells it; `usage` is what all of them took. */
  firstTurn(usage: Usage): Usage | undefined;
  /** To be called when the agent has ended, with all that it spent: its outcome, failed where it went too far. */
  end<T extends TurnOutcome>(outcome: T): T;
  hasHitLimit(): boolean;
}

/** The failure instead where nothing is left to start with. */
export async function monitorAgent(
  run: EngineRun,
  step: AgentStep,
  ref: AttemptRef,
  next: NextAttempt,
  usageBefore: Usage,
): Promise<AgentMonitor | { readonly failure: NonNullable<TurnOutcome['failure']> }> {
  const limits = [...attemptLimits(run, step, ref.step, ref.number), ...run.limits];
  const estimate = limits.some(({ values }) => values.maxUsd !== undefined)
    ? await loadCostEstimator()
    : undefined;
  const failure = usedUpFailure(run, limits);
  if (failure !== undefined) return { failure };
  return new LimitMonitor(run, ref, next, limits, usageBefore, estimate);
}

class LimitMonitor implements AgentMonitor, MonitoredAgent {
  readonly step: string;
  readonly number: number;
  readonly startedAt: number;
  usage: Usage = {};
  isAnswering = false;
  readonly signal: AbortSignal;
  readonly #run: EngineRun;
  readonly #next: NextAttempt;
  readonly #caps: readonly Limit[];
  readonly #before: Usage;
  readonly #estimate: CostEstimator | undefined;
  readonly #tripped = new AbortController();
  readonly #ended = new AbortController();
  #trip: LimitHit | undefined;
  #first: Usage | undefined;
  #model: string | undefined;
  /** The stream is silent about tokens; the session's own file may tell them. */
  #isSilent = false;
  #looking: Promise<void> | undefined;

  constructor(
    run: EngineRun,
    ref: AttemptRef,
    next: NextAttempt,
    limits: readonly Limit[],
    before: Usage,
    estimate: CostEstimator | undefined,
  ) {
    this.#run = run;
    this.#next = next;
    this.#caps = limits;
    this.#before = before;
    this.#estimate = estimate;
    this.step = ref.step;
    this.number = ref.number;
    this.startedAt = run.ports.clock.now();
    this.signal = AbortSignal.any([run.signal, this.#tripped.signal]);
    run.runningAgents.add(this);
    void this.#timer();
  }

  graceMs(): number {
    return this.#run.cancelSignal.aborted ? graceTimesMs.cancelled : graceTimesMs.trip;
  }

  onEvent(event: AgentEvent, model: string | undefined): void {
    this.#model = model ?? this.#model;
    if (event.type === 'turn') this.#turn(event.usage);
    else if ((event.type === 'text' || event.type === 'tool') && !event.isOfLast) this.isAnswering = true;
    else return;
    for (const one of this.#run.runningAgents) one.enforceLimits();
  }

  #turn(usage: Usage | undefined): void {
    this.isAnswering = false;
    if (this.usage.turns === undefined) this.#first = usage;
    this.usage = addUsage(this.usage, this.#priced({ ...usage, turns: 1 }));
    this.#isSilent = usage === undefined;
    if (this.#isSilent && (this.#first === undefined || this.#isMetered())) void this.#look();
  }

  /** Else it is enough to look at the file for the first answer, and when somebody asks. */
  #isMetered(): boolean {
    return this.#caps.some(({ values }) => values.maxTokens !== undefined || values.maxUsd !== undefined);
  }

  #priced(usage: Usage): Usage {
    const { provider, model } = this.#next;
    return this.#estimate?.(provider, [this.#model, model], usage) ?? usage;
  }

  #look(): Promise<void> {
    this.#looking ??= this.#takeNoted().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  async #takeNoted(): Promise<void> {
    const noted = await this.#noted().catch(() => undefined);
    if (noted === undefined || this.#ended.signal.aborted) return;
    const spent = subtractUsage(noted, this.#before);
    if ((spent.inputTokens ?? 0) > 0) this.#first ??= spent;
    const { turns } = this.usage;
    this.usage = this.#priced({ ...spent, ...defined({ turns }) });
    for (const one of this.#run.runningAgents) one.enforceLimits();
  }

  async #noted(): Promise<Usage | undefined> {
    const { provider, directory } = this.#next;
    const attempts = this.#run.state().steps.get(this.step)?.attempts;
    const id = attempts?.findLast(({ number }) => number === this.number)?.session?.id;
    return id === undefined ? undefined : this.#run.ports.sessions.readUsage(provider, id, directory);
  }

  enforceLimits(): void {
    if (this.#ended.signal.aborted || this.signal.aborted) return;
    this.#trip = this.#passed(true);
    if (this.#trip !== undefined) this.#tripped.abort();
  }

  #passed(isTimed: boolean): LimitHit | undefined {
    for (const cap of this.#caps) {
      const hit = findExceededLimit(cap, currentUsage(this.#run, cap), isTimed);
      if (hit !== undefined) return hit;
    }
    return undefined;
  }

  /** Sleeps until the first limit of time could be passed, as often as it takes. */
  async #timer(): Promise<void> {
    const { clock } = this.#run.ports;
    for (;;) {
      const left = this.#leftMs();
      if (left === undefined || this.signal.aborted || this.#ended.signal.aborted) return;
      const isOver = await clock.sleep(left, this.#ended.signal).then(
        () => false,
        () => true,
      );
      if (isOver) return;
      this.enforceLimits();
    }
  }

  #leftMs(): number | undefined {
    const all = this.#caps.flatMap((cap) => {
      const limit = cap.values.maxTimeMs;
      return limit === undefined ? [] : [limit + 1 - currentUsage(this.#run, cap).maxTimeMs];
    });
    return all.length === 0 ? undefined : Math.max(1, Math.min(...all));
  }

  async progress(): Promise<Usage> {
    const { provider, model } = this.#next;
    if (this.#isSilent) await this.#look();
    return withEstimatedCost(provider, [this.#model, model], this.usage);
  }

  firstTurn(usage: Usage): Usage | undefined {
    const { turns, costUsd: _cost, costIsEstimate: _isEstimate, ...tokens } = usage;
    const first = this.#first ?? (turns === 1 ? tokens : {});
    return Object.keys(first).length > 0 ? first : undefined;
  }

  end<T extends TurnOutcome>(outcome: T): T {
    this.#ended.abort();
    this.isAnswering = false;
    this.usage = outcome.usage;
    // Others may be over a shared limit by what only the end has told.
    for (const one of this.#run.runningAgents) one.enforceLimits();
    // What was cut off with the job goes on in a re-run and is looked at there; what is done is looked at only now.
    if (!this.#run.signal.aborted || outcome.failure === undefined) this.#trip ??= this.#passed(false);
    this.#warnOfUnpriced(outcome);
    if (this.#trip === undefined || outcome.failure?.kind === 'auth') return outcome;
    return { ...outcome, status: 'failed', failure: limitFailure(this.#run, this.#trip) };
  }

  hasHitLimit(): boolean {
    return this.#trip !== undefined;
  }

  #warnOfUnpriced({ usage, model }: TurnOutcome): void {
    const { costUsd, turns = 0, inputTokens = 0, outputTokens = 0 } = usage;
    if (this.#estimate === undefined || costUsd !== undefined || turns + inputTokens === 0) return;
    const { provider } = this.#next;
    const name = model ?? this.#model ?? this.#next.model;
    const why =
      inputTokens + outputTokens === 0
        ? 'it told neither cost nor tokens. `max_turns` and `max_time` hold.'
        : 'it tells no cost, and no price of its model is known. `max_tokens` and `max_turns` hold.';
    this.#run.ports.reporter.warn(
      `The limits in dollars do not see what ${provider.title}${name === undefined ? '' : ` (${name})`} costs: ${why}`,
    );
  }
}
