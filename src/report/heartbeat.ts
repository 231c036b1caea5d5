/** A line in the log at intervals while an agent runs, because agents can print nothing for minutes. */
import type { AgentEvent, Usage } from '../providers/provider.js';
import { formatDuration, usageFacts } from './format.js';

/** Time between two lines, in milliseconds. */
const defaultHeartbeatMs = 60_000;

export interface Heartbeat {
  onEvent(event: AgentEvent): void;
  /** Call when an agent starts, and the returned function when it ends. `progress`: what it has spent so far. */
  start(progress: () => Promise<Usage>): () => void;
}

/** `print` gets a line that may quote the agent; `now` counts milliseconds. */
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
  const facts = [
    `… running for ${formatDuration(workingMs)}`,
    ...usageFacts(usage),
    `last output ${formatDuration(silentMs)} ago`,
    event?.type === 'tool'
      ? `last tool: ${[event.name, event.detail].filter((part) => part !== undefined).join(' ')}`
      : undefined,
  ];
  return facts.filter((fact) => fact !== undefined).join(' · ');
}
