/** What agents do to the git repository itself, through `dist/`. */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { git } from '../rig/git.js';
import type { Machine } from '../rig/machine.js';
import { attemptLines } from './attempt-lines.js';
import { createHarness } from './harness.js';

const flow = (type: 'code' | 'validate') => `name: flow
steps:
  - name: first
    type: code
    agent: claude-haiku
    prompt: First.
  - name: second
    type: ${type}
    agent: claude-haiku
    permissions: workspace
    prompt: Second.
`;

const pass = { write: '.gump/out/validate.json', content: '{"pass": true, "comments": "Fine."}' } as const;

const read = (file: string) => readFile(file, 'utf8').catch(() => 'missing');

/** What governs the user's git, as it is now. */
async function governing({ workspace }: Machine): Promise<Readonly<Record<string, string>>> {
  const names = [
    'config',
    'info/exclude',
    'info/attributes',
    'hooks/post-checkout',
    'objects/info/alternates',
  ];
  const contents = await Promise.all(names.map((name) => read(join(workspace, '.git', name))));
  const refs = await git(workspace, 'for-each-ref', 'refs/replace');
  return { ...Object.fromEntries(names.map((name, at) => [name, contents[at] ?? ''])), refs };
}

async function readPatch({ temp }: Machine): Promise<string> {
  const [folder = ''] = (await readdir(temp)).filter((name) => name.startsWith('gump-'));
  return read(join(temp, folder, 'changes.patch'));
}

/** Settings and files that govern git. The folder `elsewhere` is next to the checkout. */
const takeover = [
  'exec 2>/dev/null',
  'git config filter.evil.clean "touch $PWD/../filter-that-ran; cat"',
  'git config filter.evil.smudge "touch $PWD/../filter-that-ran; cat"',
  'git config core.fsmonitor "touch $PWD/../watcher-that-ran; false"',
  'git config include.path "$PWD/../elsewhere/config"',
  'echo "*.txt filter=evil" > .git/info/attributes',
  'echo "*.txt" > .git/info/exclude',
  'mkdir -p .git/hooks',
  'printf "#!/bin/sh\\ntouch %s/../hook-that-ran\\n" "$PWD" > .git/hooks/post-checkout',
  'chmod +x .git/hooks/post-checkout',
  'echo "$PWD/../elsewhere" > .git/objects/info/alternates',
  'git replace $(git rev-parse HEAD^{tree}) $(git hash-object -t tree -w /dev/null)',
  'git config core.worktree "$PWD/../elsewhere"',
].join('\n');

async function prepareElsewhere({ workspace }: Machine): Promise<void> {
  await mkdir(join(workspace, '../elsewhere'));
  await writeFile(join(workspace, '../elsewhere/foreign.txt'), 'foreign\n');
}

describe('an agent that changes what governs git', () => {
  it('changes nothing in what is recorded, and everything is restored', async () => {
    const harness = await createHarness({ code: 'dist', workflow: flow('code') });
    let before = {};
    let patch = '';
    const { main } = await harness.runJob({
      rules: [
        { prompt: 'First', do: [{ write: 'one.txt', content: 'one\n' }, { run: takeover }] },
        { prompt: 'Second', do: [{ write: 'two.txt', content: 'two\n' }] },
      ],
      async prepare(machine) {
        await prepareElsewhere(machine);
        before = await governing(machine);
      },
      async inspect(machine) {
        expect(await governing(machine)).toEqual(before);
        expect((await readdir(join(machine.workspace, '..'))).sort()).toEqual(['elsewhere', 'sample']);
        patch = await readPatch(machine);
      },
    });
    expect(main.outputs, main.log).toMatchObject({ status: 'passed', persisted: 'true' });
    expect([...patch.matchAll(/^diff --git a\/(\S+) /gm)].map(([, name]) => name)).toEqual([
      'one.txt',
      'two.txt',
    ]);
    expect(main.warnings.filter((line) => line.includes('.git/config'))).toHaveLength(1);
  });

  it('fails a step that must change no files, and its hidden file is found', async () => {
    const harness = await createHarness({ code: 'dist', workflow: flow('validate') });
    let isGone = false;
    const { main } = await harness.runJob({
      rules: [{ prompt: 'Second', do: [{ run: takeover }, { write: 'hidden.txt' }, pass] }],
      prepare: prepareElsewhere,
      inspect: async ({ workspace }) => {
        isGone = (await read(join(workspace, 'hidden.txt'))) === 'missing';
      },
    });
    const failure = main.report?.steps[1]?.attempts[0]?.failure;
    expect(failure?.kind, main.log).toBe('guard');
    expect(failure?.message).toContain('`.git/config`');
    expect(isGone).toBe(true);
  });
});

describe('an agent that removes the repository', () => {
  it.each([
    ['rm -rf .git', 'rm -rf .git'],
    [
      'and makes a new one',
      'rm -rf .git; git init -q; git add -A; git -c user.name=a -c user.email=a@b commit -qm new',
    ],
    ['only removes the objects', 'chmod -R u+w .git/objects; rm -rf .git/objects/*'],
  ])('%s: the run stops, and spend and session are in the state', async (_name, command) => {
    const harness = await createHarness({ code: 'dist', workflow: flow('code') });
    const { main } = await harness.runJob({
      rules: [
        { prompt: 'First', do: [{ write: 'one.txt', content: 'one\n' }] },
        { prompt: 'Second', do: [{ write: 'two.txt', content: 'two\n' }, { run: command }] },
      ],
    });
    expect(main.outputs, main.log).toMatchObject({
      status: 'failed',
      'failed-step': 'second',
      persisted: 'true',
    });
    const attempt = main.report?.steps[1]?.attempts[0];
    expect(attempt?.failure?.kind).toBe('guard');
    expect(attempt?.failure?.message).toMatch(/`\.git` was removed or replaced|removed or replaced `\.git`/);
    expect(main.log).not.toContain('ENOENT');
    expect(Number(main.outputs['cost-usd'])).toBeGreaterThan(0.002);
    const content: string[] = [];
    const again = await harness.runJob({
      jobAttempt: 2,
      rules: [{ prompt: 'Second', do: [{ write: 'two.txt', content: 'two\n' }] }],
      inspect: async ({ workspace }) => void content.push(await read(join(workspace, 'one.txt'))),
    });
    expect(attemptLines(again.main.report).filter((line) => line.includes('@2 '))).toEqual([
      'second#2@2 resumed continued passed',
    ]);
    expect(content).toEqual(['one\n']);
  });
});
