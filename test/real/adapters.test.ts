/**
 * The real CLIs from npm, run through their adapters against a mock model. The recorded request bodies of the model
 * server contain what a CLI really sent.
 */

import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import picomatch from 'picomatch';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { defined } from '../../src/optional-keys.js';
import { viewHome } from '../../src/sessions/home-view.js';
import { type ModelRequest, type ModelServer, startModelServer } from '../rig/model-server.js';
import {
  type CliMachine,
  clis,
  listSessionFiles,
  makeCliMachine,
  makeTemporaryFolder,
  removeFolder,
  runTurn,
  sessionCommandsOf,
} from './real-cli.js';
import { makeSessionId, usageOfSession } from './scenarios.js';

let root: string;
let server: ModelServer;

beforeAll(() => {
  root = makeTemporaryFolder();
});
afterAll(() => removeFolder(root));
beforeEach(async () => {
  server = await startModelServer();
});
afterEach(() => server.close());

describe.each(clis.map((cli) => [`${cli.provider.id} ${cli.version}`, cli] as const))('%s', (_name, cli) => {
  const { provider } = cli;
  // OpenCode reports tokens from the cache separately.
  const input = provider.id === 'opencode' ? 93 : 100;
  const otherModel = provider.id === 'opencode' ? 'mock/other-model' : 'other-model';
  const start = (machine: CliMachine, prompt: string, options: { killWhen?: Promise<unknown> } = {}) => {
    const id = provider.sessionIds === 'chosen' ? { id: makeSessionId(cli) } : {};
    return runTurn(cli, machine, server.url, { prompt, session: { mode: 'start', ...id } }, options);
  };
  const resume = (machine: CliMachine, id: string, prompt: string, model?: string) =>
    runTurn(
      cli,
      machine,
      server.url,
      { prompt, session: { mode: 'resume', id }, ...defined({ model }) },
      { usageBefore: usageOfSession(cli, machine, id) },
    );

  /** A new machine with the session only, as one export or as the files on the provider's list. */
  async function move(from: CliMachine, id: string, directory?: string): Promise<CliMachine> {
    const to = makeCliMachine(root, server.url, directory);
    const exported = await sessionCommandsOf(cli, from, id)?.export();
    if (exported !== undefined) {
      const files = exported.status === 'exported' ? exported.files : [];
      expect(await sessionCommandsOf(cli, to, id)?.import(files)).toEqual({ status: 'imported' });
      return to;
    }
    const { home, patterns, restorePath, rewrite } = provider.sessionFiles;
    const folder = join(to.home, home.folder);
    const listed = picomatch([...patterns(id, from.directory)], { dot: true });
    for (const [file, path] of listSessionFiles(cli, from, id)) {
      expect(listed(file)).toBe(true);
      const target = join(folder, restorePath(file, id, to.directory, viewHome(folder)));
      const content = readFileSync(path);
      mkdirSync(dirname(target), { recursive: true });
      writeFileSync(target, rewrite?.(content, to.directory) ?? content);
    }
    return to;
  }

  test('resumes in a new home with the session file only, in the same and in another directory', async () => {
    const first = makeCliMachine(root, server.url);
    const started = await start(first, 'Remember TOKEN-one.');
    const id = started.outcome.session ?? '';
    expect(started.outcome).toMatchObject({
      status: 'done',
      text: 'seen: TOKEN-one',
      usage: { inputTokens: input, turns: 1 },
    });
    expect(provider.isSessionId(id)).toBe(true);
    expect(listSessionFiles(cli, first, id).size).toBe(provider.sessionCommands === undefined ? 1 : 0);

    const second = await move(first, id, first.directory);
    const repeated = await resume(second, id, 'Also TOKEN-two.');
    expect(repeated.outcome).toMatchObject({
      status: 'done',
      session: id,
      text: 'seen: TOKEN-one TOKEN-two',
    });
    expect(repeated.outcome.usage).toEqual(started.outcome.usage);

    const third = await move(second, id);
    expect(third.directory).not.toBe(first.directory);
    const other = await resume(third, id, 'And TOKEN-three. [[write:here.txt|x]]');
    expect(other.outcome).toMatchObject({ status: 'done', session: id });
    expect(other.outcome.usage).toMatchObject({ inputTokens: 2 * input, turns: 2 });
    const texts = server.requests.at(-1)?.userTexts.map((text) => text.trim());
    expect(texts).toEqual([
      'Remember TOKEN-one.',
      'Also TOKEN-two.',
      'And TOKEN-three. [[write:here.txt|x]]',
    ]);
    expect(existsSync(join(third.directory, 'here.txt'))).toBe(true);
  });

  test.each([
    [401, 'auth'],
    [429, 'rate-limit'],
    // OpenCode retries by itself for 90 s. This was recorded once, and the contract tests read the recording.
    ...(provider.id === 'opencode' ? [] : [[500, 'overloaded'] as const]),
  ] as const)('an answer %i of the service is %s, and the session is known', async (status, kind) => {
    // It retries for 80 s, regardless of its settings. The recorded streams show the end.
    if (provider.id === 'qwen' && status !== 401) return;
    const { outcome } = await start(makeCliMachine(root, server.url), `[[fail:${status}:1]]`);
    expect(outcome.failure?.kind).toBe(kind);
    expect(provider.isSessionId(outcome.session ?? '')).toBe(true);
  });

  test('a missing session is session-lost', async () => {
    const { outcome } = await resume(makeCliMachine(root, server.url), makeSessionId(cli), 'Go on.');
    expect(outcome.failure?.kind).toBe('session-lost');
    expect(server.requests).toEqual([]);
  });

  test('killed after a tool call, it resumes the whole session, and leaves no key behind', async () => {
    const machine = makeCliMachine(root, server.url);
    const killWhen = server
      .waitForRequest(({ toolResults }) => toolResults === 1)
      .then(() => (provider.sessionCommands ? undefined : written(machine.home, 'TOKEN-42')));
    const interrupted = await start(machine, 'TOKEN-cut [[bash:printf TOKEN-%d 42]] [[hang]]', { killWhen });
    expect(interrupted.outcome).toMatchObject({ status: 'failed', failure: { kind: 'protocol' } });
    expect(filesWith(machine.home, 'dummy-')).toEqual([]);

    const id = interrupted.outcome.session ?? '';
    const { outcome } = await resume(
      await move(machine, id),
      id,
      'You were interrupted. TOKEN-again',
      otherModel,
    );
    expect(modelOf(server.requests.at(-1))).toBe('other-model');
    expect(outcome).toMatchObject({ status: 'done', session: id });
    expect(outcome.text.split(' ')).toEqual(expect.arrayContaining(['TOKEN-cut', 'TOKEN-42', 'TOKEN-again']));
  });
});

/** Google's model is in the path. */
function modelOf(request: ModelRequest | undefined): string | undefined {
  return request?.body.model ?? /models\/([^:]+):/.exec(request?.path ?? '')?.[1];
}

/** Paths of the files below, sorted. */
function filesIn(folder: string): readonly string[] {
  const all = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return all.filter((file) => statSync(join(folder, file), { throwIfNoEntry: false })?.isFile()).sort();
}

/** Resolves when a file of the folder contains the text: Claude Code writes its session file with a delay. */
async function written(folder: string, text: string): Promise<void> {
  const sessions = () => filesIn(folder).filter((file) => file.endsWith('.jsonl'));
  while (!sessions().some((file) => readFileSync(join(folder, file)).includes(text))) await setTimeout(20);
}

function filesWith(folder: string, text: string): readonly string[] {
  return filesIn(folder).filter((file) => readFileSync(join(folder, file)).includes(text));
}
