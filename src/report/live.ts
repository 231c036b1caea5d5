/** What people see in the job's log while the run goes on. */
import type { Reporter } from '../engine/ports.js';
import { describeDecision } from '../engine/session.js';
import type { SessionDecision } from '../journal/event.js';
import type { Attempt } from '../journal/state.js';
import type { AgentEvent } from '../providers/provider.js';
import { formatCost, formatCount, formatDuration } from './format.js';
import type { Log } from './log.js';

export interface LiveReport extends Reporter {
  /** The warnings so far, each once, for the summary. */
  warnings(): readonly string[];
  /** An error that is no step's: the run goes on, but the job must not end well. */
  fault(message: string): void;
  hasFault(): boolean;
}

/** `directory`: where agents run; paths below it are shown from there. */
export function createLiveReport(log: Log, directory: string): LiveReport {
  const warnings = new Set<string>();
  let hasFault = false;
  return {
    say: (line) => log.info(line),
    warn(message) {
      if (warnings.has(message)) return;
      warnings.add(message);
      log.warning(message);
    },
    takenOver(step) {
      log.info(`✓ ${step.path}: passed in job attempt ${step.endedIn ?? '?'}, taken over`);
    },
    attemptStarts(step, number, agent, session) {
      log.group(title(step, number, agent, session));
      if (session?.id !== undefined) log.info(`session ${session.id}`);
    },
    agentDid: (event) => tell(log, event, directory),
    attemptEnds(step, attempt) {
      log.endGroup();
      log.info(outcome(step, attempt));
    },
    warnings: () => [...warnings],
    fault(message) {
      hasFault = true;
      warnings.add(message);
      log.error(message);
    },
    hasFault: () => hasFault,
  };
}

function title(
  step: string,
  number: number,
  agent: string | undefined,
  session: SessionDecision | undefined,
): string {
  const parts = [
    `${step}, attempt ${number}`,
    agent,
    session === undefined ? 'gates only' : describeDecision(session),
  ];
  return parts.filter((part) => part !== undefined).join(' · ');
}

function tell(log: Log, event: AgentEvent, directory: string): void {
  if (event.type === 'tool')
    log.untrusted(
      `  ${[event.name, event.detail?.replaceAll(`${directory}/`, '')].filter(Boolean).join(' ')}`,
    );
  if (event.type === 'text') log.untrusted(event.text);
  if (event.type === 'notice') log.untrusted(`  (${event.message})`);
}

function outcome(step: string, attempt: Attempt): string {
  const { usage } = attempt;
  const facts = [
    formatDuration(attempt.durationMs),
    usage.turns === undefined ? undefined : `${formatCount(usage.turns)} turns`,
    usage.inputTokens === undefined ? undefined : `${formatCount(usage.inputTokens)} in`,
    usage.outputTokens === undefined ? undefined : `${formatCount(usage.outputTokens)} out`,
    usage.costUsd === undefined ? undefined : formatCost(usage),
  ].filter((fact) => fact !== undefined);
  const head = `${attempt.status === 'passed' ? '✓' : '✗'} ${step}, attempt ${attempt.number}: ${verb(attempt)} (${facts.join(', ')})`;
  return attempt.failure === undefined ? head : `${head}: ${attempt.failure.message}`;
}

function verb(attempt: Attempt): string {
  return attempt.status === 'running' ? 'cancelled' : attempt.status;
}
