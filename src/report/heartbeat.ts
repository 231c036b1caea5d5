/** A sign in the log now and then that an agent is at work, and what at: agents think for minutes without a word. */
import type { AgentEvent, Usage } from '../providers/provider.js';
import { formatCost, formatCount, formatDuration, formatTurns } from './format.js';

/** Between two signs, in milliseconds. */
export const defaultHeartbeatMs = 60_000;

export interface Heartbeat {
  /** What the agent did last. */
  onEvent(event: AgentEvent): void;
  /** An agent begins; the function returned, that it has ended. */
  start(progress: () => Promise<Usage>): () => void;
}

/** `say` is handed a line that may quote the agent; `now` counts milliseconds. */
export function createHeartbeat(
  print: (line: string) => void,
  ms: number = defaultHeartbeatMs,
  now: () => number = () => performance.now(),
): Heartbeat {
  let last: { readonly at: number; readonly event?: AgentEvent } = { at: now() };
  return {
    onEvent(event) {
      last = event.type === 'tool' ? { at: now(), event } : { ...last, at: now() };
    },
    start(progress) {
      const startedAt = now();
      let isOver = false;
      last = { at: startedAt };
      const printHeartbeat = async (): Promise<void> => {
        const usage = await progress();
        const silentMs = now() - last.at;
        if (!isOver) print(heartbeatLine({ usage, workingMs: now() - startedAt, silentMs, ...last }));
      };
      const timer = setInterval(() => void printHeartbeat().catch(() => undefined), ms).unref();
      return () => {
        isOver = true;
        clearInterval(timer);
      };
    },
  };
}

export interface HeartbeatStatus {
  readonly usage: Usage;
  readonly workingMs: number;
  /** Since the agent's last event. */
  readonly silentMs: number;
  /** The last tool call. */
  readonly event?: AgentEvent;
}

export function heartbeatLine({ usage, workingMs, silentMs, event }: HeartbeatStatus): string {
  const { turns, inputTokens, outputTokens, costUsd } = usage;
  const facts = [
    `… at work for ${formatDuration(workingMs)}`,
    turns === undefined ? undefined : formatTurns(turns),
    inputTokens === undefined ? undefined : `${formatCount(inputTokens)} in`,
    outputTokens === undefined ? undefined : `${formatCount(outputTokens)} out`,
    costUsd === undefined ? undefined : formatCost(usage),
    `last sign of life ${formatDuration(silentMs)} ago`,
    event?.type === 'tool'
      ? `last at ${[event.name, event.detail].filter((part) => part !== undefined).join(' ')}`
      : undefined,
  ];
  return facts.filter((fact) => fact !== undefined).join(' · ');
}
