/** What people see in the job's log while the run goes on. */
import type { Reporter } from '../engine/ports.js';
import { describeDecision } from '../engine/session.js';
import type { SessionDecision } from '../journal/event.js';
import type { Attempt, StepState } from '../journal/state.js';
import type { AgentEvent } from '../providers/provider.js';
import { formatCost, formatCount, formatDuration, formatTurns } from './format.js';
import { createHeartbeat } from './heartbeat.js';
import type { Log } from './log.js';

export interface LiveReport extends Reporter {
  /** The voice of a unit, whose agents run in that directory. */
  beside(unit: string, directory: string): Reporter;
  /** The warnings so far, each once, for the summary. */
  warnings(): readonly string[];
  /** An error that is no step's: the run goes on, but the job must not end well. */
  fault(message: string): void;
  hasFault(): boolean;
}

/** `directory`: where agents run; paths below it are shown from there. */
export function createLiveReport(log: Log, directory: string, beatMs?: number): LiveReport {
  const warnings = new Set<string>();
  let hasFault = false;
  const warn = (message: string): void => {
    if (warnings.has(message)) return;
    warnings.add(message);
    log.warning(message);
  };
  return {
    ...mainVoice(log, directory, beatMs),
    warn,
    beside: (unit, place) => ({ ...unitVoice(log, unit, place, beatMs), warn }),
    warnings: () => [...warnings],
    fault(message) {
      hasFault = true;
      warnings.add(message);
      log.error(message);
    },
    hasFault: () => hasFault,
  };
}

type Voice = Omit<Reporter, 'warn'>;

/** What runs in turn: each attempt is a part of the log that can be folded away. */
function mainVoice(log: Log, directory: string, beatMs?: number): Voice {
  return {
    say: (line) => log.info(line),
    takenOver: (step) => log.info(takenOver(step)),
    attemptStarts(step, number, agent, session) {
      log.group(title(step, number, agent, session));
      if (session?.id !== undefined) log.info(`session ${session.id}`);
    },
    roundStarts(step, number, what) {
      // A reviewer's workflow begins among the gates of an attempt: what it says is not to be folded away with that.
      log.endGroup();
      log.info(round(step, number, what));
    },
    ...heartbeatOf(log, directory, '  ', beatMs),
    attemptEnds(step, attempt) {
      log.endGroup();
      log.info(outcome(step, attempt));
      tellRemarks(log, attempt, '  ');
    },
  };
}

/** What runs beside others: each line says of whom it speaks, and nothing is folded, for parts would mix. */
function unitVoice(log: Log, unit: string, directory: string, beatMs?: number): Voice {
  const mark = unitMark(unit);
  return {
    say: (line) => log.info(`${mark}${line}`),
    takenOver: (step) => log.info(`${mark}${takenOver(step)}`),
    attemptStarts(step, number, agent, session) {
      log.info(`${mark}▸ ${title(step, number, agent, session)}`);
      if (session?.id !== undefined) log.info(`${mark}session ${session.id}`);
    },
    roundStarts: (step, number, what) => log.info(`${mark}${round(step, number, what)}`),
    ...heartbeatOf(log, directory, mark, beatMs),
    attemptEnds(step, attempt) {
      log.info(`${mark}${outcome(step, attempt)}`);
      tellRemarks(log, attempt, mark);
    },
  };
}

/** What lines of a unit begin with. */
export function unitMark(unit: string): string {
  return unit === '' ? '' : `[${unit}] `;
}

function takenOver(step: StepState): string {
  return `✓ ${step.path}: passed in job attempt ${step.endedIn ?? '?'}, taken over`;
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
function heartbeatOf(
  log: Log,
  directory: string,
  mark: string,
  beatMs: number | undefined,
): Pick<Voice, 'agentDid' | 'agentWorks'> {
  const say = (line: string): void => log.untrusted(mark + line.replaceAll(`${directory}/`, ''));
  const heartbeat = createHeartbeat(say, beatMs);
  return {
    agentDid(event) {
      heartbeat.did(event);
      tell(log, event, directory, mark);
    },
    agentWorks: (progress) => heartbeat.starts(progress),
  };
}

function tell(log: Log, event: AgentEvent, directory: string, mark: string): void {
  if (event.type === 'tool')
    log.untrusted(
      `${mark}${[event.name, event.detail?.replaceAll(`${directory}/`, '')].filter(Boolean).join(' ')}`,
    );
  if (event.type === 'text') log.untrusted(mark.trim() === '' ? event.text : marked(event.text, mark));
  if (event.type === 'notice') log.untrusted(`${mark}(${event.message})`);
}

function marked(text: string, mark: string): string {
  return text
    .split('\n')
    .map((line) => `${mark}${line}`)
    .join('\n');
}

/** What a reviewer says who agrees all the same; one who does not is quoted as the failure. */
function tellRemarks(log: Log, { status, comments = '' }: Attempt, mark: string): void {
  if (status === 'passed' && comments.trim() !== '') log.info(marked(`remarks: ${comments.trim()}`, mark));
}

function outcome(step: string, attempt: Attempt): string {
  const { usage } = attempt;
  const facts = [
    formatDuration(attempt.durationMs),
    usage.turns === undefined ? undefined : formatTurns(usage.turns),
    usage.inputTokens === undefined ? undefined : `${formatCount(usage.inputTokens)} in`,
    usage.outputTokens === undefined ? undefined : `${formatCount(usage.outputTokens)} out`,
    usage.costUsd === undefined ? undefined : formatCost(usage),
  ].filter((fact) => fact !== undefined);
  const head = `${markOf(attempt)} ${step}, attempt ${attempt.number}: ${verb(attempt)} (${facts.join(', ')})`;
  return attempt.failure === undefined ? head : `${head}: ${attempt.failure.message}`;
}

function markOf(attempt: Attempt): string {
  if (waits(attempt)) return '⏸';
  return attempt.status === 'passed' ? '✓' : '✗';
}

function verb(attempt: Attempt): string {
  if (waits(attempt)) return 'waits for approval';
  return attempt.status === 'running' ? 'cancelled' : attempt.status;
}

function waits({ status, pause, approvedBy }: Attempt): boolean {
  return status === 'running' && pause !== undefined && approvedBy === undefined;
}
