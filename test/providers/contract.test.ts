/** Checks that apply to every provider in the table, so also to a new row. */
import fc from 'fast-check';
import picomatch from 'picomatch';
import { describe, expect, test } from 'vitest';
import { readAgentName } from '../../src/providers/agent-name.js';
import type { HomeReader, Permission, Provider, TurnRequest } from '../../src/providers/provider.js';
import { providers } from '../../src/providers/provider-registry.js';
import { pathMatcher } from '../../src/sessions/find-files.js';
import type { ProcessExit } from '../../src/system/process.js';
import { holds } from '../fakes/holds.js';
import { readTranscript } from './read-transcript.js';
import { readRecorded, type Transcript, transcriptsOf } from './transcripts.js';

const scenarios = ['success', 'tool', 'resume', '401', '429', '500', 'context', 'unknown-session', 'killed'];
/** A home folder in which no CLI has run yet. */
const newHome: HomeReader = { read: () => undefined, list: () => [] };
/** These confirm nothing if commands are allowed, so `full` is the same as `workspace`. */
const withoutFull = ['gemini', 'qwen'];
const cleanExit: ProcessExit = { reason: 'exited', code: 0, stderrTail: '', durationMs: 1 };

const kinds: Readonly<Record<string, string | undefined>> = {
  401: 'auth',
  403: 'auth',
  429: 'rate-limit',
  '429-silent': 'rate-limit',
  500: 'overloaded',
  529: 'overloaded',
  quota: 'auth',
  model: 'crash',
  'cut-stream': 'overloaded',
  'no-network': 'overloaded',
  context: 'context',
  conversation: 'context',
  'unknown-session': 'session-lost',
  killed: 'protocol',
  'max-turns': 'guard',
};

/** A CLI that waits at a limit was stopped for the recording. */
function kindOf({ scenario }: Transcript): string | undefined {
  if (scenario === 'limit-waits') return 'cancelled';
  return scenario.startsWith('limit') ? 'rate-limit' : kinds[scenario];
}

/** Providers whose read-only modes would prevent writing a verdict. */
const checkedAfterRun = ['cursor'];

/** Files in the home folders of the CLIs that must not be stored. */
const excludedFiles = [
  ['.credentials.json', '.claude.json', 'settings.json', 'settings.local.json', 'auth.json', 'config.toml'],
  ['oauth_creds.json', 'google_accounts.json', '.env', 'installation_id', 'history.jsonl', 'state_5.sqlite'],
  [
    'projects/x/memory/notes.md',
    'projects/x/.credentials.json',
    'sessions/auth.json',
    'sessions/config.toml',
  ],
  [
    'tmp/app/.project_root',
    'tmp/app/shell_history',
    'tmp/app/logs/session-ID.jsonl',
    'projects.json',
    'trustedFolders.json',
    'mcp-oauth-tokens.json',
    'google_account_id',
  ],
  ['usage_record.jsonl', 'projects/x/chats/auth.json', 'tmp/x/chats/oauth_creds.json'],
  [
    'shell_snapshots/1.sh',
    'shell_snapshots/ID.jsonl',
    'opencode.db',
    'account.json',
    'sessions/2026/auth.json',
  ],
  ['opencode/opencode.db', 'opencode/opencode.db-wal', 'opencode/auth.json', 'opencode/account.json'],
  ['.cursor/cli-config.json', '.cursor/chats/x/auth.json', '.cursor/mcp.json', '.config/cursor/auth.json'],
].flat();

describe.each(providers.map((provider) => [provider.id, provider] as const))('%s', (id, provider) => {
  const transcripts = transcriptsOf(provider);
  const sessionId = transcripts.flatMap(({ expected }) => expected.outcome.session ?? [])[0] ?? '';
  const turn = (change: Partial<TurnRequest> = {}): TurnRequest => ({
    prompt: 'Fix it.\n--resume "$(touch x)"',
    session: { mode: 'start' },
    permission: 'workspace',
    directory: '/home/runner/work/app/app',
    isRoot: false,
    ...change,
  });
  const args = (change: Partial<TurnRequest> = {}): readonly string[] =>
    provider.buildCommand(turn(change)).args;
  const resumed = args({ session: { mode: 'resume', id: sessionId } });

  test('has a transcript of every scenario', () => {
    expect([...new Set(transcripts.map(({ scenario }) => scenario))]).toEqual(
      expect.arrayContaining(scenarios),
    );
  });

  describe('command', () => {
    test('a resumed turn names the session; a new one has neither the id nor the option', () => {
      const flag = resumed[resumed.indexOf(sessionId) - 1];
      expect(resumed).toContain(sessionId);
      expect(flag).toMatch(/resume|session/);
      expect(args()).not.toContain(flag);
    });

    test('a chosen id is passed on', () => {
      const chosen = args({ session: { mode: 'start', id: sessionId } });
      expect(chosen.includes(sessionId)).toBe(provider.sessionIds === 'chosen');
    });

    test('the prompt is passed on standard input only', () => {
      for (const session of [{ mode: 'start' }, { mode: 'resume', id: sessionId }] as const) {
        const command = provider.buildCommand(turn({ session }));
        expect(command.stdin).toBe(turn().prompt);
        expect(JSON.stringify([command.file, command.args, command.env])).not.toContain('Fix it.');
      }
    });

    test('the model is named if one is set, also for a resumed session', () => {
      const session = { mode: 'resume', id: sessionId } as const;
      expect(args({ model: 'some-model' }).join(' ')).toContain('some-model');
      const more = args({ session, model: 'some-model' }).filter((one) => !resumed.includes(one));
      // As one argument, so that no name can be taken for an option. Cursor's CLI is known from documents only.
      expect(more).toEqual(id === 'cursor' ? ['--model', 'some-model'] : ['--model=some-model']);
    });

    test('each permission has its own arguments, in new and resumed sessions', () => {
      const session = { mode: 'resume', id: sessionId } as const;
      const permissions: readonly Permission[] = ['read-only', 'workspace', 'full'];
      const words = (change: Partial<TurnRequest>) => {
        const { args, env } = provider.buildCommand(turn(change));
        return JSON.stringify([args, env]);
      };
      const argsByPermission = permissions.map((permission) => words({ permission }));
      expect(new Set(argsByPermission).size).toBe(
        [...withoutFull, ...checkedAfterRun].includes(provider.id) ? 2 : 3,
      );
      const resumeArgs = permissions.map((permission) => words({ permission, session }));
      expect(new Set(resumeArgs).size).toBe(new Set(argsByPermission).size);
    });

    test('aliases become model names', () => {
      for (const [alias, model] of Object.entries(provider.models)) {
        const read = readAgentName(`${provider.id}-${alias}`);
        expect(read).toMatchObject({ status: 'known', provider: { id: provider.id } });
        expect('model' in read ? read.model : undefined).toBe(model);
      }
    });
  });

  describe.each(transcripts.map((transcript) => [transcript.name, transcript] as const))(
    '%s',
    (_name, transcript) => {
      const { lines, expected } = transcript;
      const { before, exit } = expected;

      test('is read as recorded', () => {
        expect({ ...expected, ...readRecorded(provider, transcript) }).toEqual(expected);
        const kind = hasRecovered(provider, transcript) ? undefined : kindOf(transcript);
        expect(expected.outcome.failure?.kind).toBe(kind);
      });

      test('is never a success if it is truncated, at a line end or within a line', () => {
        for (let count = 0; count < lines.length; count++) {
          const whole = lines.slice(0, count);
          const next = lines[count] ?? '';
          for (const part of [
            whole,
            [...whole, next.slice(0, next.length / 2)],
            [...whole, next.slice(0, -1)],
          ]) {
            const { outcome } = readTranscript(provider, part, cleanExit, before);
            expect(outcome.status).toBe('failed');
            if (expected.outcome.status === 'done') expect(outcome.failure?.kind).toBe('protocol');
          }
        }
      });

      test('other text between the lines changes nothing', () => {
        const noise = [
          '',
          '  ',
          'npm warn deprecated',
          '{',
          '[1]',
          'null',
          '"text"',
          '{"type":"tomorrow"}',
          '{}',
          '\u0000',
        ];
        const noisy = [...noise, ...lines.flatMap((line) => [line, ...noise])];
        expect(readTranscript(provider, noisy, exit, before)).toEqual(
          readTranscript(provider, lines, exit, before),
        );
      });

      test('fields of another type cause no error', () => {
        for (const value of [null, 1, 'text', [], {}, [null], [{}]]) {
          const broken = lines.flatMap((line) => brokenLines(line, value));
          expect(() => readTranscript(provider, broken, cleanExit, before)).not.toThrow();
        }
      });

      test('numbers that are not reported stay absent', () => {
        const silent = lines.map((line) => withoutKeys(line, /usage|cost|tokens|stats/i));
        const { outcome, events } = readTranscript(provider, silent, exit, before);
        expect(Object.keys(outcome.usage).filter((key) => key !== 'turns')).toEqual([]);
        expect(outcome.totals).toBeUndefined();
        for (const event of events) if (event.type === 'turn') expect(event.usage ?? {}).toEqual({});
      });
    },
  );

  test('any JSON lines are read without an error', () => {
    const types = [
      'system',
      'assistant',
      'user',
      'result',
      'stream_event',
      'init',
      'message',
      'tool_use',
      'tool_result',
      'item.started',
      'item.completed',
      'error',
    ];
    const line = fc.record({
      type: fc.constantFrom(...types, 'turn.failed', 'turn.completed'),
      item: fc.jsonValue(),
    });
    const lines = fc.array(
      fc
        .tuple(line, fc.jsonValue())
        .map(([object, more]) => JSON.stringify({ ...asRecord(more), ...object })),
    );
    holds(
      fc.property(lines, (all) => readTranscript(provider, all, cleanExit, {}).outcome.status !== undefined),
    );
  });

  test('a forced exit has its own kind, also after a success', () => {
    const done = transcripts.find(({ scenario }) => scenario === 'success') as Transcript;
    const kindOf = (exit: Partial<ProcessExit>): string | undefined =>
      readTranscript(provider, done.lines, { ...cleanExit, ...exit }, {}).outcome.failure?.kind;
    expect(kindOf({ reason: 'cancelled' })).toBe('cancelled');
    expect(kindOf({ reason: 'timeout' })).toBe('timeout');
    expect(kindOf({ code: 1 })).toBe('crash');
    expect(kindOf({})).toBeUndefined();
  });

  test('a missing program is reported with the command that installs it', () => {
    const { failure } = readTranscript(
      provider,
      [],
      { reason: 'not-found', stderrTail: '', durationMs: 1 },
      {},
    ).outcome;
    expect(failure?.kind).toBe('crash');
    expect(failure?.message).toContain(provider.installHint);
  });

  test('usage of a resumed session is that of one process', () => {
    for (const version of new Set(transcripts.map(({ name }) => name.slice(0, name.lastIndexOf('.'))))) {
      const usageIn = (scenario: string) =>
        transcripts.find(({ name }) => name === `${version}.${scenario}`)?.expected.outcome.usage;
      expect(usageIn('resume')).toEqual(usageIn('success'));
    }
  });

  describe('session files', () => {
    const directory = '/home/runner/work/app/app';
    const patterns = provider.sessionFiles.patterns(sessionId, directory);
    const matches = pathMatcher(patterns);
    const hasFiles = provider.sessionCommands === undefined;

    test('no file with a credential is on the list', () => {
      for (const file of excludedFiles) expect([file, matches(file)]).toEqual([file, false]);
    });

    test('there are files, or commands, but not both', () => {
      expect(patterns.length > 0).toBe(hasFiles);
    });

    test.runIf(hasFiles)('no other session of the same kind is on the list', () => {
      const file = recordedFile(provider, sessionId);
      const kept = provider.sessionFiles.restorePath(file, sessionId, directory, newHome);
      expect(matches(kept)).toBe(true);
      // Some names contain only the start of an id.
      expect(matches(kept.replace(sessionId.slice(0, 8), '11111111'))).toBe(false);
    });

    test.runIf(hasFiles)('a file is restored to a path in the home folder that is on the list', () => {
      const placed = provider.sessionFiles.restorePath(
        recordedFile(provider, sessionId),
        sessionId,
        '/other/place',
        newHome,
      );
      expect(placed).not.toMatch(/^\/|\.\.|\\/);
      expect(matches(placed)).toBe(true);
    });

    test.runIf(provider.sessionIds === 'chosen')(
      'an id that the action chooses has the form of ids of the CLI',
      () => {
        const uuid = '0b5f2c1e-1111-4222-8333-444455556666';
        expect(provider.isSessionId(provider.newSessionId?.(uuid) ?? uuid)).toBe(true);
      },
    );

    test('a text that is not a session id is never on a command line', () => {
      expect(provider.isSessionId(sessionId)).toBe(true);
      for (const text of [
        '',
        'latest',
        '--help',
        '../x',
        `${sessionId} `,
        `${sessionId}\n`,
        `-${sessionId}`,
        '*',
      ])
        expect([text, provider.isSessionId(text)]).toEqual([text, false]);
    });
  });

  test('every credential is withheld from other processes', () => {
    const { variables, gateways, credentials } = provider.environment;
    const own = picomatch([...variables, ...gateways.flatMap((gateway) => gateway.variables)]);
    for (const { variable } of credentials) expect([variable, own(variable)]).toEqual([variable, true]);
  });
});

/** Qwen Code itself makes the model continue an incomplete answer. */
const hasRecovered = ({ id }: Provider, { scenario }: Transcript): boolean =>
  id === 'qwen' && scenario === 'cut-stream';

/** The path at which the CLI stored the file of a session. */
function recordedFile(provider: Provider, id: string): string {
  const files: Readonly<Record<string, string>> = {
    claude: `projects/-home-runner-work-app-app/${id}.jsonl`,
    gemini: `tmp/app/chats/session-2026-11-23T06-43-${id.slice(0, 8)}.jsonl`,
    qwen: `projects/-home-runner-work-app-app/chats/${id}.jsonl`,
    codex: `sessions/2026/11/23/rollout-2026-11-23T06-43-41-${id}.jsonl`,
    cursor: `.cursor/chats/0123456789abcdef0123456789abcdef/${id}/store.db`,
  };
  return files[provider.id] ?? `add the path of ${provider.id} to recordedFile`;
}

const asRecord = (value: unknown): object => (typeof value === 'object' && value !== null ? value : {});

/** One copy of the line for each value in it, with that value replaced. */
function brokenLines(line: string, value: unknown): readonly string[] {
  const paths: string[] = [];
  JSON.parse(line, function (key) {
    paths.push(key);
    return this[key];
  });
  return [...new Set(paths)]
    .filter((key) => key !== '')
    .map((broken) =>
      JSON.stringify(JSON.parse(line, (key, old) => (key === broken && key !== 'type' ? value : old))),
    );
}

function withoutKeys(line: string, pattern: RegExp): string {
  return JSON.stringify(JSON.parse(line), (key, value) => (pattern.test(key) ? undefined : value));
}
