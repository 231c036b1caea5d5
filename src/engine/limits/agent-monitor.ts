/**
 * Counts what an agent spends while it runs, and stops it as soon as it exceeds a limit: its own, or one that it
 * shares with other agents, which stop too. A timer enforces limits on time for agents without output.
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

/**
 * An agent whose answer exceeds a limit gets this time, in milliseconds, to end by itself, because the answer may be
 * its last one. Longer than the time in which the CLI must exit after its result (`stall.ts`), which then counts.
 */
const lastAnswerMs = 15_000;

/** From SIGTERM to SIGKILL. A cancelled job has only 10 s in total. */
const graceTimesMs = { limitHit: 5000, cancelled: 1000 };

export interface AgentMonitor {
  /** Aborted with the signal of the run, and when a limit is exceeded. */
  readonly signal: AbortSignal;
  /** Milliseconds that the agent gets to end by itself. Read at the moment when it is stopped. */
  graceMs(): number;
  onEvent(event: AgentEvent, model: string | undefined): void;
  /** What the agent has spent so far, with an estimate of the cost if the CLI reports none. */
  progress(): Promise<Usage>;
  /** What the first answer spent, as far as the CLI reports it. `usage` is the total of all answers. */
  firstTurn(usage: Usage): Usage | undefined;
  /** The same for the last answer. */
  lastTurn(usage: Usage): Usage | undefined;
  /**
   * To be called when the agent has ended, with all that it spent. The outcome fails if a limit has stopped the agent.
   * A limit that is exceeded when the agent has finished fails nothing: the gates decide.
   */
  end<T extends TurnOutcome>(outcome: T): T;
}

/** A failure instead of a monitor if a limit leaves nothing to spend: the agent must not start. */
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
  /** More is certain to follow: the agent has not answered yet, or its newest answer calls tools. */
  #isAtWork = true;
  /** The number of the answer that exceeded a limit and may be the last one. */
  #lastAnswer: number | undefined;
  readonly signal: AbortSignal;
  readonly #run: EngineRun;
  readonly #next: NextAttempt;
  readonly #limits: readonly Limit[];
  readonly #usageBefore: Usage;
  readonly #estimate: CostEstimator | undefined;
  readonly #exceeded = new AbortController();
  readonly #ended = new AbortController();
  #hit: LimitHit | undefined;
  #firstTurn: Usage | undefined;
  #lastTurn: Usage | undefined;
  #model: string | undefined;
  /** The stream reports no tokens. The session's file may contain them. */
  #hasNoTokens = false;
  #reading: Promise<void> | undefined;

  constructor(
    run: EngineRun,
    ref: AttemptRef,
    next: NextAttempt,
    limits: readonly Limit[],
    usageBefore: Usage,
    estimate: CostEstimator | undefined,
  ) {
    this.#run = run;
    this.#next = next;
    this.#limits = limits;
    this.#usageBefore = usageBefore;
    this.#estimate = estimate;
    this.step = ref.step;
    this.number = ref.number;
    this.startedAt = run.ports.clock.now();
    this.signal = AbortSignal.any([run.signal, this.#exceeded.signal]);
    run.runningAgents.add(this);
    void this.#enforceTime();
  }

  graceMs(): number {
    return this.#run.cancelSignal.aborted ? graceTimesMs.cancelled : graceTimesMs.limitHit;
  }

  onEvent(event: AgentEvent, model: string | undefined): void {
    this.#model = model ?? this.#model;
    if (event.type === 'turn') this.#onTurn(event.usage);
    else if (event.type === 'text' || event.type === 'tool') this.#onPart(event);
    else return;
    for (const agent of this.#run.runningAgents) agent.enforceLimits();
  }

  #onPart({ type, isOfLast }: Extract<AgentEvent, { type: 'text' | 'tool' }>): void {
    // A text does not end the work of an answer that has called tools.
    if (type === 'tool') this.#isAtWork = true;
    else if (!isOfLast && !this.isAnswering) this.#isAtWork = false;
    if (!isOfLast) this.isAnswering = true;
  }

  #onTurn(usage: Usage | undefined): void {
    // No last answer is without a text.
    if (!this.isAnswering) this.#isAtWork = true;
    this.isAnswering = false;
    if (this.usage.turns === undefined) this.#firstTurn = usage;
    this.#lastTurn = usage;
    this.usage = addUsage(this.usage, this.#withCost({ ...usage, turns: 1 }));
    this.#hasNoTokens = usage === undefined;
    if (this.#hasNoTokens && (this.#firstTurn === undefined || this.#needsTokens()))
      void this.#readSessionFile();
  }

  /** Otherwise it is enough to read the file after the first answer, and when progress is shown. */
  #needsTokens(): boolean {
    return this.#limits.some(({ values }) => values.maxTokens !== undefined || values.maxUsd !== undefined);
  }

  #withCost(usage: Usage): Usage {
    const { provider, model } = this.#next;
    return this.#estimate?.(provider, [this.#model, model], usage) ?? usage;
  }

  #readSessionFile(): Promise<void> {
    this.#reading ??= this.#applySessionFile().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  async #applySessionFile(): Promise<void> {
    const total = await this.#sessionFileUsage().catch(() => undefined);
    if (total === undefined || this.#ended.signal.aborted) return;
    const spent = subtractUsage(total, this.#usageBefore);
    if ((spent.inputTokens ?? 0) > 0) this.#firstTurn ??= spent;
    const { turns } = this.usage;
    this.usage = this.#withCost({ ...spent, ...defined({ turns }) });
    for (const agent of this.#run.runningAgents) agent.enforceLimits();
  }

  async #sessionFileUsage(): Promise<Usage | undefined> {
    const { provider, directory } = this.#next;
    const attempts = this.#run.state().steps.get(this.step)?.attempts;
    const id = attempts?.findLast(({ number }) => number === this.number)?.session?.id;
    return id === undefined ? undefined : this.#run.ports.sessions.readUsage(provider, id, directory);
  }

  enforceLimits(): void {
    if (this.#ended.signal.aborted || this.signal.aborted) return;
    this.#hit = this.#findHit(true);
    if (this.#hit === undefined) return;
    if (this.#isAtWork || this.#hit.field === 'maxTimeMs') this.#exceeded.abort();
    else void this.#stopUnlessItEnds();
  }

  /** The newest answer may be the last one. */
  async #stopUnlessItEnds(): Promise<void> {
    const answer = (this.usage.turns ?? 0) + (this.isAnswering ? 1 : 0);
    if (this.#lastAnswer !== undefined) {
      if (answer > this.#lastAnswer) this.#exceeded.abort();
      return;
    }
    this.#lastAnswer = answer;
    await this.#run.ports.clock.sleep(lastAnswerMs, this.#ended.signal).then(
      () => this.#exceeded.abort(),
      () => undefined,
    );
  }

  #findHit(isTimed: boolean): LimitHit | undefined {
    for (const limit of this.#limits) {
      const hit = findExceededLimit(limit, currentUsage(this.#run, limit), isTimed);
      if (hit !== undefined) return hit;
    }
    return undefined;
  }

  /** Sleeps until the first time limit can be exceeded, again and again until the agent ends. */
  async #enforceTime(): Promise<void> {
    const { clock } = this.#run.ports;
    for (;;) {
      const left = this.#leftMs();
      if (left === undefined || this.signal.aborted || this.#ended.signal.aborted) return;
      const hasEnded = await clock.sleep(left, this.#ended.signal).then(
        () => false,
        () => true,
      );
      if (hasEnded) return;
      this.enforceLimits();
    }
  }

  #leftMs(): number | undefined {
    const remaining = this.#limits.flatMap((limit) => {
      const { maxTimeMs } = limit.values;
      return maxTimeMs === undefined ? [] : [maxTimeMs + 1 - currentUsage(this.#run, limit).maxTimeMs];
    });
    return remaining.length === 0 ? undefined : Math.max(1, Math.min(...remaining));
  }

  async progress(): Promise<Usage> {
    const { provider, model } = this.#next;
    if (this.#hasNoTokens) await this.#readSessionFile();
    return withEstimatedCost(provider, [this.#model, model], this.usage);
  }

  firstTurn(usage: Usage): Usage | undefined {
    return turnUsage(this.#firstTurn, usage);
  }

  lastTurn(usage: Usage): Usage | undefined {
    return turnUsage(this.#lastTurn, usage);
  }

  end<T extends TurnOutcome>(outcome: T): T {
    this.#ended.abort();
    this.isAnswering = false;
    this.usage = outcome.usage;
    // The end may report more than the stream, so that other agents now exceed a shared limit.
    for (const agent of this.#run.runningAgents) agent.enforceLimits();
    // An interrupted attempt continues in a re-run and is checked there.
    if (!this.#run.signal.aborted) this.#hit ??= this.#findHit(false);
    this.#warnAboutUnknownCost(outcome);
    const { failure } = outcome;
    if (failure === undefined || this.#hit === undefined) return outcome;
    if (failure.kind === 'auth' || failure.isFinal) return outcome;
    return { ...outcome, status: 'failed', failure: limitFailure(this.#run, this.#hit) };
  }

  #warnAboutUnknownCost({ usage, model }: TurnOutcome): void {
    const { costUsd, turns = 0, inputTokens = 0, outputTokens = 0 } = usage;
    if (this.#estimate === undefined || costUsd !== undefined || turns + inputTokens === 0) return;
    const { provider } = this.#next;
    const name = model ?? this.#model ?? this.#next.model;
    const reason =
      inputTokens + outputTokens === 0
        ? 'it reported neither cost nor tokens. Set `max_turns` or `max_time` as well.'
        : 'it reports no cost, and the price of its model is unknown. Set `max_tokens` or `max_turns` as well.';
    this.#run.ports.reporter.warn(
      `Limits in dollars do not count the cost of ${provider.title}${name === undefined ? '' : ` (${name})`}: ${reason}`,
    );
  }
}

/** Of one answer. If there was only one, it spent all that the CLI reports. */
function turnUsage(reported: Usage | undefined, usage: Usage): Usage | undefined {
  const { turns, costUsd: _cost, costIsEstimate: _isEstimate, ...tokens } = usage;
  const one = reported ?? (turns === 1 ? tokens : {});
  return Object.keys(one).length > 0 ? one : undefined;
}
