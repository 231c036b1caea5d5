import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { createHeartbeat, heartbeatLine } from '../../src/report/heartbeat.js';

it('shows the usage, the time since the last output, and the last tool call', () => {
  const usage = {
    turns: 12,
    inputTokens: 45_000,
    outputTokens: 1200,
    costUsd: 0.5,
    costIsEstimate: true,
  } as const;
  const event = { type: 'tool', name: 'Bash', detail: 'npm test' } as const;
  expect(heartbeatLine({ usage, workingMs: 125_000, silentMs: 42_000, event })).toBe(
    '… running for 2 min 5 s · 12 turns · 45,000 input tokens · 1,200 output tokens · ~$0.50 (estimate) · last output 42 s ago · last tool: Bash npm test',
  );
});

it('omits numbers that are not reported', () => {
  expect(heartbeatLine({ usage: {}, workingMs: 60_000, silentMs: 60_000 })).toBe(
    '… running for 1 min 0 s · last output 1 min 0 s ago',
  );
});

it('prints lines only while an agent runs', async () => {
  const lines: string[] = [];
  let time = 0;
  const heartbeat = createHeartbeat(
    (line) => lines.push(line),
    1,
    () => time,
  );
  const end = heartbeat.start(async () => ({ turns: 1 }));
  heartbeat.onEvent({ type: 'tool', name: 'Read', detail: 'a.ts' });
  time = 60_000;
  heartbeat.onEvent({ type: 'text', text: 'So.' });
  while (lines.length < 2) await sleep(1);
  end();
  const reported = lines.length;
  await sleep(20);
  expect(lines).toHaveLength(reported);
  expect(lines[0]).toBe('… running for 1 min 0 s · 1 turn · last output 0.0 s ago · last tool: Read a.ts');
});
