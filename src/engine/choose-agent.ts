/**
 * Which agent an attempt starts: that of the workflow or, while its service refuses requests for longer than a job
 * waits, the one that replaces it (`fallback`). A step that continued with the fallback stays with it, because its
 * session knows the work.
 */
import type { Attempt, RunState } from '../journal/run-state.js';
import { limitOfFallback, limitOfProvider, type ProviderAgent } from './limits/provider-limits.js';

/** No agent may start now. A re-run after `resumeAt` starts one, in milliseconds since 1970. */
export interface AgentWait {
  readonly resumeAt: number;
}

/** `insteadOf`: the agent of the workflow, if it is replaced. */
export type AgentChoice = (ProviderAgent & { readonly insteadOf?: string }) | AgentWait;

export interface AgentChoiceFacts {
  readonly state: RunState;
  readonly now: number;
  /** The last attempt of the step that ran an agent. */
  readonly last?: Attempt;
  readonly wanted: ProviderAgent;
  /** Absent, or the same agent: nothing replaces it. */
  readonly fallback?: ProviderAgent;
}

export function chooseAgent({ state, now, last, wanted, fallback }: AgentChoiceFacts): AgentChoice {
  const wantedUntil = limitOfProvider(state, wanted.provider, now);
  if (fallback === undefined || fallback.agent === wanted.agent)
    return wantedUntil === undefined ? wanted : { resumeAt: wantedUntil };
  const replacing = { ...fallback, insteadOf: wanted.agent };
  const fallbackUntil = limitOfFallback(state, fallback, wanted, now);
  const isReplaced = last?.agent === fallback.agent && last.insteadOf === wanted.agent;
  if (isReplaced && fallbackUntil === undefined) return replacing;
  if (wantedUntil === undefined) return wanted;
  if (fallbackUntil === undefined) return replacing;
  return { resumeAt: Math.min(wantedUntil, fallbackUntil) };
}
