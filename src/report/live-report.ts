/** What people see in the job's log while the run goes on. */
import type { Reporter } from '../engine/engine-ports.js';
import { describeDecision } from '../engine/session-decision.js';
import type { SessionDecision } from '../journal/event.js';
import type { Attempt, StepState } from '../journal/run-state.js';
import type { AgentEvent } from '../providers/provider.js';
import { formatCost, formatCount, formatDuration, formatTurns } from './format.js';
import { createHeartbeat } from './heartbeat.js';
import type { Log } from './log.js';

export interface LiveReport extends Reporter {
  /** The voice of a unit, whose agents run in that directory. */
  forBranch(unit: string, directory: string): Reporter;
  /** The warnings so far, each once, for the summary. */
  warnings(): readonly string[];
  /** An error that is no step's: the run goes on, but the job must not end well. */
  error(message: string): void;
  hasError(): boolean;
}

/** `directory`: where agents run; paths below it are shown from there. */
export function createLiveReport(log: Log, directory: string, heartbeatMs?: number): LiveReport {
  const warnings = new Set<string>();
  let hasError = false;
  const warn = (message: string): void => {
    if (warnings.has(message)) return;
    warnings.add(message);
    log.warning(message);
  };
  return {
    ...createMainReporter(log, directory, heartbeatMs),
    warn,
    forBranch: (branch, branchDirectory) => ({
      ...createBranchReporter(log, branch, branchDirectory, heartbeatMs),
      warn,
    }),
    warnings: () => [...warnings],
    error(message) {
      hasError = true;
      warnings.add(message);
      log.error(message);
    },
    hasError: () => hasError,
  };
}

type LogReporter = Omit<Reporter, 'warn'>;

/** What runs in turn: each attempt is a part of the log that can be folded away. */
function createMainReporter(log: Log, directory: string, heartbeatMs?: number): LogReporter {
  return {
    log: (line) => log.info(line),
    stepReused: (step) => log.info(reusedText(step)),
    attemptStarts(step, number, agent, session) {
      log.group(title(step, number, agent, session));
      if (session?.id !== undefined) log.info(`session ${session.id}`);
    },
    roundStarts(step, number, what) {
      // A reviewer's workflow begins among the gates of an attempt: what it says is not to be folded away with that.
      log.endGroup();
      log.info(round(step, number, what));
    },
    ...createHeartbeatReporter(log, directory, '  ', heartbeatMs),
    attemptEnds(step, attempt) {
      log.endGroup();
      log.info(attemptResultText(step, attempt));
      logRemarks(log, attempt, '  ');
    },
  };
}

/** What runs beside others: each line says of whom it speaks, and nothing is folded, for parts would mix. */
function createBranchReporter(
  log: Log,
  branch: string,
  directory: string,
  heartbeatMs?: number,
): LogReporter {
  const prefix = branchPrefix(branch);
  return {
    log: (line) => log.info(`${prefix}${line}`),
    stepReused: (step) => log.info(`${prefix}${reusedText(step)}`),
    attemptStarts(step, number, agent, session) {
      log.info(`${prefix}▸ ${title(step, number, agent, session)}`);
      if (session?.id !== undefined) log.info(`${prefix}session ${session.id}`);
    },
    roundStarts: (step, number, what) => log.info(`${prefix}${round(step, number, what)}`),
    ...createHeartbeatReporter(log, directory, prefix, heartbeatMs),
    attemptEnds(step, attempt) {
      log.info(`${prefix}${attemptResultText(step, attempt)}`);
      logRemarks(log, attempt, prefix);
    },
  };
}

/** What lines of a unit begin with. */
export function branchPrefix(branch: string): string {
  return branch === '' ? '' : `[${branch}] `;
}

function reusedText(step: StepState): string {
  return `✓ ${step.path}: passed in job attempt ${step.endedInJobAttempt ?? '?'}, taken over`;
}

function round(step: string, number: number, what: string): string {
  return `▸ ${step}: ${what}${number === 1 ? '' : `, round ${number}`}`;
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

/** What agents do is told as it comes; where nothing comes, a line now and then. */
function createHeartbeatReporter(
  log: Log,
  directory: string,
  prefix: string,
  heartbeatMs: number | undefined,
): Pick<LogReporter, 'onAgentEvent' | 'showProgress'> {
  const print = (line: string): void => log.untrusted(prefix + line.replaceAll(`${directory}/`, ''));
  const heartbeat = createHeartbeat(print, heartbeatMs);
  return {
    onAgentEvent(event) {
      heartbeat.onEvent(event);
      logEvent(log, event, directory, prefix);
    },
    showProgress: (progress) => heartbeat.start(progress),
  };
}

function logEvent(log: Log, event: AgentEvent, directory: string, prefix: string): void {
  if (event.type === 'tool')
    log.untrusted(
      `${prefix}${[event.name, event.detail?.replaceAll(`${directory}/`, '')].filter(Boolean).join(' ')}`,
    );
  if (event.type === 'text')
    log.untrusted(prefix.trim() === '' ? event.text : prefixLines(event.text, prefix));
  if (event.type === 'notice') log.untrusted(`${prefix}(${event.message})`);
}

function prefixLines(text: string, prefix: string): string {
  return text
    .split('\n')
    .map((line) => `${prefix}${line}`)
    .join('\n');
}

/** What a reviewer says who agrees all the same; one who does not is quoted as the failure. */
function logRemarks(log: Log, { status, comments = '' }: Attempt, prefix: string): void {
  if (status === 'passed' && comments.trim() !== '')
    log.info(prefixLines(`remarks: ${comments.trim()}`, prefix));
}

function attemptResultText(step: string, attempt: Attempt): string {
  const { usage } = attempt;
  const facts = [
    formatDuration(attempt.durationMs),
    usage.turns === undefined ? undefined : formatTurns(usage.turns),
    usage.inputTokens === undefined ? undefined : `${formatCount(usage.inputTokens)} in`,
    usage.outputTokens === undefined ? undefined : `${formatCount(usage.outputTokens)} out`,
    usage.costUsd === undefined ? undefined : formatCost(usage),
  ].filter((fact) => fact !== undefined);
  const head = `${attemptSymbol(attempt)} ${step}, attempt ${attempt.number}: ${verb(attempt)} (${facts.join(', ')})`;
  return attempt.failure === undefined ? head : `${head}: ${attempt.failure.message}`;
}

function attemptSymbol(attempt: Attempt): string {
  if (isWaiting(attempt)) return '⏸';
  return attempt.status === 'passed' ? '✓' : '✗';
}

function verb(attempt: Attempt): string {
  if (isWaiting(attempt)) return 'waits for approval';
  return attempt.status === 'running' ? 'cancelled' : attempt.status;
}

function isWaiting({ status, pause, approvedBy }: Attempt): boolean {
  return status === 'running' && pause !== undefined && approvedBy === undefined;
}
