/**
 * What the agents of the real CLIs can do with each permission: each tries everything in one turn, and the test then
 * checks the files. Nobody answers questions, so a turn that ends has asked none.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Permission } from '../../src/providers/provider.js';
import { type ModelServer, startModelServer } from '../rig/model-server.js';
import {
  type CliMachine,
  clis,
  makeCliMachine,
  makeTemporaryFolder,
  type RealCli,
  removeFolder,
  runTurn,
} from './real-cli.js';
import { agentNameOf, attemptsOf, createRealCliHarness, currentClis, titleOf } from './real-cli-harness.js';
import { makeSessionId } from './scenarios.js';

/** The actions that an agent tries. */
const abilities = {
  reads: '[[read:notes.txt]]',
  answers: '[[write:.gump/out/answer.txt|x]]',
  'writes next to the answer': '[[write:.gump/other.txt|x]]',
  writes: '[[write:written.txt|x]]',
  runs: '[[bash:echo x > run.txt]]',
  commits: '[[bash:git add -A && git -c user.name=a -c user.email=a commit -qm x]]',
  'reads outside': '[[read:OUTSIDE/notes.txt]]',
  'writes outside': '[[write:OUTSIDE/written.txt|x]]',
  'runs outside': '[[bash:echo x > OUTSIDE/run.txt]]',
} as const;
type Ability = keyof typeof abilities;

const all = Object.keys(abilities) as readonly Ability[];
const allExcept = (...left: readonly Ability[]): readonly Ability[] =>
  all.filter((deed) => !left.includes(deed));

/** The facts in `docs/providers.md`. */
const expectedAbilities: Readonly<Record<string, Readonly<Record<Permission, readonly Ability[]>>>> = {
  claude: {
    'read-only': ['reads', 'answers', 'reads outside'],
    workspace: allExcept('writes outside'),
    full: all,
  },
  codex: {
    'read-only': ['reads', 'answers', 'reads outside'],
    // Its sandbox allows no change in the repository's own folder.
    workspace: allExcept('commits', 'writes outside', 'runs outside'),
    full: all,
  },
  gemini: {
    'read-only': ['reads', 'answers', 'writes next to the answer', 'writes'],
    workspace: allExcept('reads outside', 'writes outside'),
    full: allExcept('reads outside', 'writes outside'),
  },
  qwen: {
    'read-only': allExcept('runs', 'commits', 'runs outside'),
    workspace: all,
    full: all,
  },
  opencode: {
    'read-only': ['reads', 'answers'],
    workspace: allExcept('reads outside', 'writes outside'),
    full: all,
  },
};

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

interface TestSite extends CliMachine {
  readonly outside: string;
}

/** A repository without a commit, and a folder next to it. */
function makeSite(): TestSite {
  const machine = makeCliMachine(root, server.url);
  const outside = join(machine.directory, '../outside');
  execFileSync('git', ['init', '--quiet'], { cwd: machine.directory });
  writeFileSync(join(machine.directory, 'notes.txt'), 'TOKEN-inside');
  mkdirSync(outside);
  writeFileSync(join(outside, 'notes.txt'), 'TOKEN-outside');
  return { ...machine, outside };
}

function abilitiesAt({ directory, outside }: TestSite, reply: string): readonly Ability[] {
  const done: Readonly<Record<Ability, boolean>> = {
    reads: reply.includes('TOKEN-inside'),
    answers: existsSync(join(directory, '.gump/out/answer.txt')),
    'writes next to the answer': existsSync(join(directory, '.gump/other.txt')),
    writes: existsSync(join(directory, 'written.txt')),
    runs: existsSync(join(directory, 'run.txt')),
    commits: existsSync(join(directory, '.git/logs/HEAD')),
    'reads outside': reply.includes('TOKEN-outside'),
    'writes outside': existsSync(join(outside, 'written.txt')),
    'runs outside': existsSync(join(outside, 'run.txt')),
  };
  return all.filter((deed) => done[deed]);
}

// Its sandbox allows changes in folders for temporary files, and here everything is in one.
const withoutTmpArgs = ['-c', 'sandbox_workspace_write.exclude_slash_tmp=true'];

async function runPrompt(
  cli: RealCli,
  site: TestSite,
  prompt: string,
  permission: Permission,
  session: { mode: 'start'; id?: string } | { mode: 'resume'; id: string },
) {
  const args = cli.provider.id === 'codex' ? withoutTmpArgs : [];
  const input = { prompt: prompt.replaceAll('OUTSIDE', site.outside), session, permission };
  return runTurn(cli, site, server.url, input, {
    args,
    killWhen: setTimeout(90_000, undefined, { ref: false }),
  });
}

const newSession = (cli: RealCli) =>
  ({ mode: 'start', ...(cli.provider.sessionIds === 'chosen' ? { id: makeSessionId(cli) } : {}) }) as const;

describe.each(clis.map((cli) => [titleOf(cli), cli] as const))('%s', (_name, cli) => {
  const everything = Object.values(abilities).join(' ');

  test.each<Permission>(['read-only', 'workspace', 'full'])('%s', async (permission) => {
    const site = makeSite();
    const { outcome } = await runPrompt(cli, site, everything, permission, newSession(cli));
    expect(outcome.status, outcome.failure?.message).toBe('done');
    expect(abilitiesAt(site, outcome.text)).toEqual(expectedAbilities[cli.provider.id]?.[permission]);
  });

  test.each<readonly [Permission, Permission]>([
    ['read-only', 'full'],
    ['workspace', 'read-only'],
  ])('%s in a session that started with %s', async (permission, before) => {
    const site = makeSite();
    const started = await runPrompt(cli, site, 'Say hello.', before, newSession(cli));
    const session = { mode: 'resume', id: started.outcome.session ?? '' } as const;
    const { outcome } = await runPrompt(cli, site, everything, permission, session);
    expect(outcome.status, outcome.failure?.message).toBe('done');
    expect(abilitiesAt(site, outcome.text)).toEqual(expectedAbilities[cli.provider.id]?.[permission]);
  });
});

test
  .runIf(process.getuid?.() === 0)
  .each(clis.filter(({ provider }) => provider.id === 'claude').map((cli) => [titleOf(cli), cli] as const))(
  '%s does not start with `full` as root without the sandbox variable',
  async (_name, cli) => {
    const site = makeSite();
    const session = newSession(cli);
    const reported = { prompt: 'Say hello.', session, permission: 'full', isRoot: false } as const;
    const { outcome, exit } = await runTurn(cli, site, server.url, reported);
    expect(outcome.status).toBe('failed');
    expect(exit.stderrTail).toContain('root');
    expect(server.requests).toEqual([]);
  },
);

const readOnlyWorkflow = (agent: string): string => `name: looking
steps:
  - name: look
    type: code
    agent: ${agent}
    permissions: read-only
    prompt: "[[write:README.md|spoilt]] [[write:new.txt|x]] TOKEN-look"
`;

// CLIs whose own rules allow file changes, and one whose rules do not.
const checkedClis = currentClis.filter(({ provider }) => ['claude', 'gemini', 'qwen'].includes(provider.id));

describe.each(checkedClis.map((cli) => [titleOf(cli), cli] as const))('%s', (_name, cli) => {
  test('changes in a read-only step are undone and fail the step', async () => {
    const { runJob } = await createRealCliHarness(readOnlyWorkflow(agentNameOf(cli)));
    const wasRefused = cli.provider.id === 'claude';
    let readme = '';
    let isThere = true;
    const result = await runJob(cli, 1, {
      inspect(machine) {
        readme = execFileSync('cat', ['README.md'], { cwd: machine.workspace, encoding: 'utf8' });
        isThere = existsSync(join(machine.workspace, 'new.txt'));
      },
    });
    expect([readme, isThere]).toEqual(['sample\n', false]);
    expect(result.main.exitCode, result.main.log).toBe(wasRefused ? 0 : 1);
    const message = expect.stringContaining('no_write');
    expect(attemptsOf(result, 'look')).toMatchObject([
      wasRefused ? { status: 'passed' } : { status: 'failed', failure: { kind: 'guard', message } },
    ]);
  });
});
