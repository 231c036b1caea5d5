/** What people see in the job's log during the run. */
import type { Reporter } from '../engine/engine-ports.js';
import type { Attempt, StepState } from '../journal/run-state.js';
import type { AgentEvent } from '../providers/provider.js';
import { formatDuration, formatMinute, usageFacts } from './format.js';
import { createHeartbeat } from './heartbeat.js';
import type { Log } from './log.js';
import { createLogShare } from './log-share.js';

export interface LiveReport extends Reporter {
  /** The reporter of a parallel branch, whose agents run in `directory`. */
  forBranch(branch: string, directory: string): Reporter;
  /** The warnings so far without duplicates, for the summary. */
  warnings(): readonly string[];
  /** An error that does not belong to a step: the run continues, but the job must fail. */
  error(message: string): void;
  hasError(): boolean;
}

/** `directory`: where agents run. Paths below it are shown relative to it. */
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

/** For steps that run one after the other: the lines of each attempt are a group, which people can collapse. */
function createMainReporter(log: Log, directory: string, heartbeatMs?: number): LogReporter {
  return {
    log: (line) => log.info(line),
    stepReused: (step) => log.info(reusedText(step)),
    attemptStarts(step, number, agent, session) {
      log.group(title(step, number, agent, session));
      if (session?.id !== undefined) log.info(`session ${session.id}`);
    },
    roundStarts(step, number, what) {
      // A reviewer's workflow starts among the gates of an attempt, and its lines must not be part of that group.
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

/** For parallel branches: each line starts with the branch. Their lines mix, so there are no groups. */
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

/** The start of each line of a parallel branch. */
export function branchPrefix(branch: string): string {
  return branch === '' ? '' : `[${branch}] `;
}

function reusedText(step: StepState): string {
  return `✓ ${step.path}: passed in job attempt ${step.endedInJobAttempt ?? '?'}, result reused`;
}

function round(step: string, number: number, what: string): string {
  return `▸ ${step}: ${what}${number === 1 ? '' : `, round ${number}`}`;
}

function title(
  step: string,
  number: number,
  agent: string | undefined,
  session: Parameters<Reporter['attemptStarts']>[3],
): string {
  const parts = [`${step}, attempt ${number}`, agent, session?.text ?? 'gates only'];
  return parts.filter((part) => part !== undefined).join(' · ');
}

/** Agent events as they come, and a heartbeat. */
function createHeartbeatReporter(
  log: Log,
  directory: string,
  prefix: string,
  heartbeatMs: number | undefined,
): Pick<LogReporter, 'onAgentEvent' | 'showProgress'> {
  const print = (line: string): void => log.untrusted(prefix + line.replaceAll(`${directory}/`, ''));
  const heartbeat = createHeartbeat(print, heartbeatMs);
  let share = createLogShare(log.untrusted, '');
  return {
    onAgentEvent(event) {
      heartbeat.onEvent(event);
      const text = eventText(event, directory, prefix);
      if (text !== undefined) share.print(text);
    },
    // One share for each process of an agent.
    showProgress(progress) {
      share = createLogShare(log.untrusted, '');
      const stop = heartbeat.start(progress);
      return () => {
        stop();
        share.end();
      };
    },
  };
}

function eventText(event: AgentEvent, directory: string, prefix: string): string | undefined {
  switch (event.type) {
    case 'tool':
      return `${prefix}${[event.name, event.detail?.replaceAll(`${directory}/`, '')].filter(Boolean).join(' ')}`;
    case 'text':
      return prefix.trim() === '' ? event.text : prefixLines(event.text, prefix);
    case 'notice':
      return `${prefix}(${event.message})`;
    default:
      return undefined;
  }
}

function prefixLines(text: string, prefix: string): string {
  return text
    .split('\n')
    .map((line) => `${prefix}${line}`)
    .join('\n');
}

/** The comments of a reviewer that passes. Those of one that fails are in the message of the failure. */
function logRemarks(log: Log, { status, comments = '' }: Attempt, prefix: string): void {
  if (status === 'passed' && comments.trim() !== '')
    log.info(prefixLines(`remarks: ${comments.trim()}`, prefix));
}

function attemptResultText(step: string, attempt: Attempt): string {
  const facts = [formatDuration(attempt.durationMs), ...usageFacts(attempt.usage)];
  const head = `${attemptSymbol(attempt)} ${step}, attempt ${attempt.number}: ${verb(attempt)} (${facts.join(', ')})`;
  return attempt.failure === undefined ? head : `${head}: ${attempt.failure.message}`;
}

function attemptSymbol(attempt: Attempt): string {
  if (isWaiting(attempt)) return '⏸';
  if (attempt.failure?.resumeAt !== undefined) return '⏳';
  return attempt.status === 'passed' ? '✓' : '✗';
}

function verb(attempt: Attempt): string {
  if (isWaiting(attempt)) return 'waits for approval';
  const { resumeAt } = attempt.failure ?? {};
  if (resumeAt !== undefined) return `interrupted until ${formatMinute(resumeAt)}`;
  return attempt.status === 'running' ? 'cancelled' : attempt.status;
}

function isWaiting({ status, pause, approvedBy }: Attempt): boolean {
  return status === 'running' && pause !== undefined && approvedBy === undefined;
}
