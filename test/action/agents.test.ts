/** Agents with real processes: agents without activity, rejected credentials, and settings files. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type AgentsOptions, createAgents } from '../../src/action/agents.js';
import { createForeignCode, createRunMarks } from '../../src/action/foreign-code.js';
import type { AgentTurn } from '../../src/engine/engine-ports.js';
import { codex } from '../../src/providers/codex.js';
import type { AgentCommand, AgentEvent, Provider } from '../../src/providers/provider.js';
import { providers } from '../../src/providers/provider-registry.js';
import { processRunner } from '../../src/system/run-process.js';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'gump-agents-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** A CLI that prints the events of Codex and runs this shell script. */
const codexScript = (script: string, more: Partial<AgentCommand> = {}): Provider => ({
  ...codex,
  buildCommand: () => ({ file: '/bin/sh', args: ['-c', script], env: {}, stdin: '', ...more }),
});

const run = (provider: Provider, options: Partial<AgentsOptions> = {}, turn: Partial<AgentTurn> = {}) =>
  createAgents({
    providers,
    processes: processRunner,
    foreignCode: createForeignCode({ watches: [], marks: createRunMarks(), warn: () => undefined }),
    environment: { PATH: process.env.PATH },
    passEnv: [],
    versionOf: () => undefined,
    ensureInstalled: async () => undefined,
    args: {},
    isRoot: false,
    settingsDirectory: join(directory, 'settings'),
    createSession: async () => true,
    onProcess: () => () => undefined,
    debug: () => undefined,
    ...options,
  }).run({
    provider,
    prompt: 'go',
    directory,
    session: { mode: 'start' },
    permission: 'workspace',
    mustNotWrite: false,
    usageBefore: {},
    onEvent: () => undefined,
    signal: new AbortController().signal,
    cancelSignal: new AbortController().signal,
    graceMs: () => 1000,
    ...turn,
  });

const line = (object: object) => `echo '${JSON.stringify(object)}'`;
const message = line({ type: 'item.completed', item: { type: 'agent_message', text: 'working' } });
const done = line({ type: 'turn.completed', usage: { input_tokens: 1, output_tokens: 1 } });
const retryLine = line({ type: 'error', message: 'Reconnecting... waiting for network' });

describe('an agent without activity', () => {
  it('is stopped, with its last message in the failure', async () => {
    const { status, failure } = await run(
      codexScript(`${message}; ${retryLine}; sleep 60`),
      {},
      { stallMs: 300 },
    );
    expect(status).toBe('failed');
    expect(failure).toEqual({
      kind: 'timeout',
      message:
        'Codex showed no activity for 0.3 s and was stopped. Last message: Reconnecting... waiting for network',
    });
  });

  it('is stopped even if it reports retries', async () => {
    const forever = `while true; do ${retryLine}; sleep 0.05; done`;
    expect((await run(codexScript(forever), {}, { stallMs: 400 })).failure?.kind).toBe('timeout');
  });

  it('is not stopped while it reports progress', async () => {
    const events: AgentEvent[] = [];
    // In total longer than the agent may be silent.
    const slow = `for i in 1 2 3 4 5 6; do ${message}; sleep 0.3; done; ${done}`;
    const onEvent = (event: AgentEvent) => void events.push(event);
    const { status } = await run(codexScript(slow), {}, { stallMs: 1500, onEvent });
    expect(status).toBe('done');
    expect(events.filter(({ type }) => type === 'text')).toHaveLength(6);
  });

  it('may be silent without a limit if the limit is 0', async () => {
    const { status } = await run(codexScript(`sleep 0.3; ${done}`), {}, { stallMs: 0 });
    expect(status).toBe('done');
  });

  it('is cancelled if the job is cancelled', async () => {
    const signal = AbortSignal.timeout(200);
    const { failure } = await run(codexScript('sleep 60'), {}, { stallMs: 60_000, signal });
    expect(failure?.kind).toBe('cancelled');
  });
});

describe('a rejected credential', () => {
  const refused = codexScript(line({ type: 'turn.failed', error: { message: 'unexpected status 401' } }));

  it('is named by its variable, not by its value', async () => {
    const environment = { PATH: process.env.PATH, OPENAI_API_KEY: 'sk-dummy' };
    const { failure } = await run(refused, { environment });
    expect(failure?.kind).toBe('auth');
    expect(failure?.message).toContain('out of credit. Check `OPENAI_API_KEY`.');
    expect(failure?.message).not.toContain('sk-dummy');
  });

  it('lists the variables to set if none is set', async () => {
    const { failure } = await run(refused);
    expect(failure?.message).toContain('Set `CODEX_API_KEY`, `OPENAI_API_KEY`');
  });
});

describe('settings that a CLI reads from a file', () => {
  it('are written to the file that the variable names', async () => {
    const out = join(directory, 'seen');
    const settings = { variable: 'SETTINGS_FILE', content: '{"a":1}' };
    await run(codexScript(`cat "$SETTINGS_FILE" > ${out}`, { settings }));
    expect(readFileSync(out, 'utf8')).toBe('{"a":1}');
  });
});
