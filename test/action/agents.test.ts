/** Agents with real processes: agents without activity, rejected credentials, and settings files. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type AgentsOptions, createAgentEnvironments, createAgents } from '../../src/action/agents.js';
import { createForeignCode, createRunMarks } from '../../src/action/foreign-code.js';
import type { AgentTurn } from '../../src/engine/engine-ports.js';
import { codex } from '../../src/providers/codex.js';
import type { AgentCommand, AgentEvent, Provider } from '../../src/providers/provider.js';
import { providers } from '../../src/providers/provider-registry.js';
import { processRunner } from '../../src/system/run-process.js';
import { transcriptsOf } from '../providers/transcripts.js';

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
    findReplaced: async () => undefined,
    ensureInstalled: async () => undefined,
    args: {},
    isRoot: false,
    settingsDirectory: join(directory, 'settings'),
    createSession: async () => true,
    onProcess: () => () => undefined,
    debug: () => undefined,
    now: Date.now,
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

describe('an agent that reported an error and was then silent', () => {
  const silentAfter = (command: string) => run(codexScript(`${command}; sleep 60`), {}, { stallMs: 300 });

  it('fails with the cause that its output names', async () => {
    const text = 'unexpected status 401 Unauthorized: bad key';
    const { failure, status } = await silentAfter(line({ type: 'error', message: text }));
    expect(status).toBe('failed');
    expect(failure?.kind).toBe('auth');
    expect(failure?.message).toContain(`was stopped. Last message: ${text}`);
  });

  it.each([
    [
      ['OPENAI_API_KEY'],
      'The value of `OPENAI_API_KEY` also seals the state, so a different key cannot open',
    ],
    // Another key still opens the state, or `state-key` does.
    [['ANTHROPIC_API_KEY', 'OPENAI_API_KEY'], undefined],
    [[], undefined],
  ])('for a rejected key, if %j seal the state, says %s', async (sealedBy, text) => {
    const environment = { PATH: process.env.PATH, OPENAI_API_KEY: 'sk-rejected' };
    const rejected = line({ type: 'error', message: 'unexpected status 401 Unauthorized' });
    const options = { environment, sealedBy };
    const { failure } = await run(codexScript(`${rejected}; exit 1`), options);
    expect(failure?.message).toContain('Check `OPENAI_API_KEY`.');
    if (text === undefined) expect(failure?.message).not.toContain('state-key');
    else expect(failure?.message).toContain(text);
  });

  it('fails with the cause that standard error names', async () => {
    const { failure } = await silentAfter(`echo 'ERROR: context window exceeded' >&2`);
    expect(failure).toEqual({
      kind: 'context',
      message:
        'Codex showed no activity for 0.3 s and was stopped. Last message: ERROR: context window exceeded',
    });
  });

  it('shows a cause of another kind in the message', async () => {
    const { failure } = await silentAfter(`echo 'lock file is busy' >&2`);
    expect(failure?.kind).toBe('timeout');
    expect(failure?.message).toContain('Last message: lock file is busy');
  });

  it('does not fail with an error before its last activity', async () => {
    const { failure } = await silentAfter(
      `${line({ type: 'error', message: 'status 401' })}; echo 'status 401' >&2; sleep 0.1; ${message}`,
    );
    expect(failure?.kind).toBe('timeout');
    expect(failure?.message).not.toContain('Last message');
  });
});

describe('an agent whose service limits requests', () => {
  const now = Date.parse('2026-11-28T15:00:00Z');
  const limited = line({
    type: 'error',
    message: 'Reconnecting... 1/5 (last status: 429 Too Many Requests)',
  });
  const waits = (seconds: number) =>
    `echo 'WARN codex_core::responses_retry: retrying sampling request (1/5 in ${seconds}s)... sampling_error=last status: 429 Too Many Requests' >&2`;
  const runScript = (script: string, turn: Partial<AgentTurn> = {}, options: Partial<AgentsOptions> = {}) =>
    run(codexScript(script), { now: () => now, ...options }, { stallMs: 30_000, ...turn });

  it('is ended if its CLI would wait for longer than an attempt waits', async () => {
    const { failure, status } = await runScript(`${message}; ${limited}; ${waits(601)}; sleep 60`);
    expect(status).toBe('failed');
    expect(failure).toEqual({
      kind: 'rate-limit',
      message:
        'Codex was stopped, because it would have waited by itself: last status: 429 Too Many Requests',
      acceptsAgainAt: now + 601_000,
      retryAfterMs: 601_000,
    });
  });

  it('may wait by itself for as long as an attempt waits', async () => {
    const { status } = await runScript(`${limited}; ${waits(600)}; sleep 0.3; ${done}`);
    expect(status).toBe('done');
  });

  it('fails with the refusal if it is then silent, with the time that the refusal names', async () => {
    const { failure } = await runScript(`${waits(599)}; ${limited}; sleep 60`, { stallMs: 300 });
    expect(failure).toEqual({
      kind: 'rate-limit',
      message:
        'Codex showed no activity for 0.3 s and was stopped. Last message: Reconnecting... 1/5 (last status: 429 Too Many Requests)',
      acceptsAgainAt: now + 599_000,
    });
  });

  it('fails with a refusal that only standard error names', async () => {
    const text = 'ERROR: rate limit reached, try again in 7 minutes';
    const { failure } = await runScript(`echo '${text}' >&2; sleep 60`, { stallMs: 300 });
    expect(failure).toMatchObject({ kind: 'rate-limit', acceptsAgainAt: now + 420_000 });
  });

  it('does not fail with a refusal before its last activity', async () => {
    const { failure } = await runScript(`${limited}; ${waits(5)}; sleep 0.2; ${message}; sleep 60`, {
      stallMs: 800,
    });
    expect(failure?.kind).toBe('timeout');
  });

  it('has its result if that came before it was ended', async () => {
    const { status } = await runScript(`${done}; ${waits(3600)}; sleep 60`);
    expect(status).toBe('done');
  });

  it('is cancelled if the job is cancelled', async () => {
    const signal = AbortSignal.timeout(200);
    expect((await runScript(`${limited}; sleep 60`, { signal })).failure?.kind).toBe('cancelled');
  });

  it('has its times in the zone of its environment', async () => {
    const text = line({ type: 'turn.failed', error: { message: 'Usage limit. Try again at 6:30 PM.' } });
    const environment = { PATH: process.env.PATH, TZ: 'Europe/Oslo' };
    const { failure } = await runScript(`${text}; exit 1`, {}, { environment });
    expect(failure?.acceptsAgainAt).toBe(Date.parse('2026-11-28T17:30:00Z'));
  });
});

describe('a CLI that does not exit after its final result', () => {
  const recorded = (id: string, scenario: string) => {
    const provider = providers.find((one) => one.id === id);
    const transcript = provider && transcriptsOf(provider).findLast((one) => one.scenario === scenario);
    if (provider === undefined || transcript === undefined) throw new Error(`no transcript ${scenario}`);
    const file = join(directory, 'lines');
    writeFileSync(file, transcript.lines.map((one) => `${one}\n`).join(''));
    const script = `cat '${file}'; sleep 60`;
    const turn = {
      session: { mode: 'start' },
      stallMs: 30_000,
      usageBefore: transcript.expected.before,
    } as const;
    return {
      provider: { ...codexScript(script), title: provider.title, createReader: provider.createReader },
      turn,
      transcript,
    };
  };

  it.each(providers.map(({ id }) => id))('%s: is ended, and the result counts', async (id) => {
    const { provider, turn, transcript } = recorded(id, 'success');
    const events: AgentEvent[] = [];
    const onEvent = (event: AgentEvent) => void events.push(event);
    const outcome = await run(provider, { exitGraceMs: 100 }, { ...turn, onEvent });
    expect(outcome).toMatchObject(transcript.expected.outcome);
    expect(outcome.status).toBe('done');
    expect(events.at(-1)).toMatchObject({
      type: 'notice',
      message: `${provider.title} did not exit after its final result and was ended; the result counts`,
    });
  });

  // OpenCode has no final result if it failed: another step can follow an error.
  it.each(['claude', 'codex', 'gemini', 'qwen', 'cursor'])('%s: a failed result counts too', async (id) => {
    const { provider, turn, transcript } = recorded(id, '401');
    const { failure } = await run(provider, { exitGraceMs: 100 }, turn);
    expect(failure?.kind).toBe('auth');
    expect(failure?.message).toContain(transcript.expected.outcome.failure?.message.slice(0, 20));
  });

  const answer = line({ type: 'assistant', message: { id: 'a', content: [{ type: 'text', text: 'one' }] } });
  const result = (text: string) =>
    line({ type: 'result', subtype: 'success', is_error: false, result: text });
  const tasks = (list: readonly object[]) =>
    line({ type: 'system', subtype: 'background_tasks_changed', tasks: list });
  const claudeScript = (script: string) => ({
    ...codexScript(script),
    title: 'Claude Code',
    createReader: providers.find(({ id }) => id === 'claude')?.createReader ?? codex.createReader,
  });

  it('may answer again if the agent left a background task', async () => {
    const script = `${tasks([{ task_id: 'a' }])}; ${answer}; ${result('one')}; sleep 0.5; ${tasks([])}; ${answer}; ${result('two')}`;
    const { text, status } = await run(claudeScript(script), { exitGraceMs: 100 }, { stallMs: 30_000 });
    expect([status, text]).toEqual(['done', 'two']);
  });

  it('is ended as an agent without activity while it waits for a background task, and its result counts', async () => {
    const script = `${tasks([{ task_id: 'a' }])}; ${answer}; ${result('one')}; sleep 60`;
    const { text, status } = await run(claudeScript(script), { exitGraceMs: 100 }, { stallMs: 300 });
    expect([status, text]).toEqual(['done', 'one']);
  });

  it('is cancelled if the job is cancelled meanwhile', async () => {
    const { provider, turn } = recorded('claude', 'success');
    const signal = AbortSignal.timeout(300);
    const { failure } = await run(provider, { exitGraceMs: 20_000 }, { ...turn, signal });
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

it('the environment of a provider is filtered once', () => {
  const environment = { PATH: '/bin', OPENAI_API_KEY: 'key-of-codex', GITHUB_TOKEN: 'token' };
  const environmentOf = createAgentEnvironments({ environment, providers, passEnv: [] });
  expect(environmentOf(codex)).toEqual({ PATH: '/bin', OPENAI_API_KEY: 'key-of-codex' });
  expect(environmentOf(codex)).toBe(environmentOf(codex));
});
