/** The agent that a step starts next, with the providers of this run. */
import { type Failure, UserError } from '../failure.js';
import type { Attempt } from '../journal/run-state.js';
import { defined } from '../optional-keys.js';
import { passAgent } from '../plan/plan.js';
import type { AgentStep } from '../workflow/workflow.js';
import { type AgentWait, chooseAgent } from './choose-agent.js';
import type { EngineRun } from './engine-run.js';
import { hasRunAgent } from './history.js';
import type { ProviderAgent } from './limits/provider-limits.js';

/** An agent that no provider has is reported when it is about to start. */
export function agentFor(
  run: EngineRun,
  step: AgentStep,
  agent: string,
  history: readonly Attempt[],
): { readonly agent: string; readonly insteadOf?: string } | AgentWait {
  const wanted = usedAgent(run, agent);
  if (wanted === undefined) return { agent };
  const fallback = step.fallback ?? run.plan.fallback;
  return chooseAgent({
    state: run.state(),
    now: run.ports.clock.now(),
    wanted,
    ...defined({
      last: history.findLast(hasRunAgent),
      fallback: fallback === undefined ? undefined : usedAgent(run, fallback),
    }),
  });
}

function usedAgent(run: EngineRun, agent: string): ProviderAgent | undefined {
  if (agent === passAgent) return undefined;
  const found = findAgent(run, agent);
  return 'obstacle' in found ? undefined : { agent, provider: found.provider.id };
}

/** An agent name with a template is known only now. A name that no agent has fails the step, with the reason. */
export function findAgent(
  run: EngineRun,
  agent: string,
): ReturnType<EngineRun['ports']['agents']['find']> | { readonly obstacle: Failure } {
  try {
    return run.ports.agents.find(agent);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { obstacle: { kind: 'crash', message: error.message, isFinal: true } };
  }
}
