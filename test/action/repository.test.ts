/** What agents do to the git repository itself, through `dist/`. */
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { git } from '../rig/git.js';
import type { Machine } from '../rig/machine.js';
import { attemptLines } from './attempt-lines.js';
import { createHarness, type RunJobOptions } from './harness.js';

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

const threeSteps = `name: flow
steps:
  - name: first
    type: code
    agent: claude-haiku
    prompt: First.
  - name: both
    parallel: true
    steps:
      - name: left
        type: code
        agent: codex
        prompt: Left.
      - name: right
        type: code
        agent: codex
        prompt: Right.
  - name: last
    type: code
    agent: claude-haiku
    prompt: Last.
    gate: [{bash: "test -e good.txt"}]
`;

/** Runs the steps until the last one fails, then re-runs the job on a new machine. Returns files after the re-run. */
async function rerunAfter(
  options: Pick<RunJobOptions, 'prepare' | 'rules'> & {
    readonly files: Readonly<Record<string, string>>;
    readonly names: readonly string[];
  },
) {
  const harness = await createHarness({ code: 'dist', workflow: threeSteps, files: options.files });
  const { prepare, rules = [], names } = options;
  const job = prepare === undefined ? {} : { prepare };
  const first = await harness.runJob({ ...job, rules });
  expect(first.main.outputs, first.main.log).toMatchObject({ status: 'failed', 'failed-step': 'last' });
  const content: Record<string, string> = {};
  const second = await harness.runJob({
    ...job,
    jobAttempt: 2,
    rules: [...rules, { prompt: 'Last', do: [{ write: 'good.txt' }] }],
    async inspect({ workspace }) {
      for (const name of names) content[name] = await read(join(workspace, name));
    },
  });
  expect(second.main.outputs, second.main.log).toMatchObject({ status: 'passed' });
  const attempts = attemptLines(second.main.report).filter((line) => line.includes('@2 '));
  return { first: first.main, second: second.main, content, attempts };
}

const onlyTheLastStep = ['last#2@2 resumed continued passed'];

describe('a repository with a required filter, like Git LFS', () => {
  const start = 'content of the start\n';
  const pointer = `pointer ${createHash('sha256').update(start).digest('hex')}\n`;

  /** The content is in a store of this machine, and git has only a pointer to it. */
  async function prepareFilter({ workspace, bin, home }: Machine): Promise<void> {
    const store = join(home, 'content');
    await mkdir(store);
    await writeFile(join(store, pointer.slice(8).trim()), start);
    const program = join(bin, 'content-filter');
    await writeFile(
      program,
      `#!/bin/sh
cd '${store}' || exit 1
if [ "$1" = smudge ]; then read -r word name; cat "$name"; exit; fi
cat > new; name=$(sha256sum new | cut -d' ' -f1); mv new "$name"; echo "pointer $name"
`,
      { mode: 0o755 },
    );
    for (const name of ['clean', 'smudge'])
      await git(workspace, 'config', `filter.content.${name}`, `'${program}' ${name}`);
    await git(workspace, 'config', 'filter.content.required', 'true');
    for (const name of ['changed.bin', 'same.bin']) {
      await rm(join(workspace, name));
      await git(workspace, 'checkout', '--', name);
      expect(await read(join(workspace, name))).toBe(start);
    }
  }

  it('gets the bytes that the steps wrote, also in parallel branches, and no filter is needed', async () => {
    const { first, content, attempts } = await rerunAfter({
      prepare: prepareFilter,
      files: {
        '.gitattributes': '*.bin filter=content -text\n',
        'changed.bin': pointer,
        'same.bin': pointer,
      },
      names: ['changed.bin', 'same.bin', 'new.bin', 'left.txt', 'right.bin'],
      rules: [
        {
          prompt: 'First',
          do: [
            { write: 'changed.bin', content: 'changed\n' },
            { write: 'new.bin', content: 'new\n' },
          ],
        },
        { prompt: 'Left', do: [{ run: 'cat changed.bin same.bin > left.txt' }] },
        { prompt: 'Right', do: [{ write: 'right.bin', content: 'right\n' }] },
      ],
    });
    expect(first.warnings).toEqual([]);
    expect(attempts).toEqual(onlyTheLastStep);
    expect(content).toEqual({
      'changed.bin': 'changed\n',
      'same.bin': start,
      'new.bin': 'new\n',
      'left.txt': `changed\n${start}`,
      'right.bin': 'right\n',
    });
  });
});

describe('a sparse checkout', () => {
  it('gets the files of a passed step that are outside of it', async () => {
    const { content, attempts } = await rerunAfter({
      prepare: async ({ workspace }) => void (await git(workspace, 'sparse-checkout', 'set', '.gump', 'in')),
      files: { 'in/a.txt': 'a\n', 'out/b.txt': 'b\n', 'out/c.txt': 'c\n' },
      names: ['out/b.txt', 'out/c.txt', 'out/left.txt', 'out/new.txt'],
      rules: [
        {
          prompt: 'First',
          do: [
            { write: 'out/b.txt', content: 'changed\n' },
            { write: 'out/new.txt', content: 'new\n' },
          ],
        },
        { prompt: 'Left', do: [{ run: 'cat out/b.txt > out/left.txt' }] },
      ],
    });
    expect(attempts).toEqual(onlyTheLastStep);
    expect(content).toEqual({
      'out/b.txt': 'changed\n',
      'out/c.txt': 'missing',
      'out/left.txt': 'changed\n',
      'out/new.txt': 'new\n',
    });
  });
});

describe('a submodule', () => {
  const submodule = async ({ workspace }: Machine) => {
    await git(workspace, 'init', '-q', 'lib');
    await writeFile(join(workspace, 'lib/lib.c'), '1\n');
    await git(join(workspace, 'lib'), 'add', '-A');
    await git(join(workspace, 'lib'), 'commit', '-qm', 'lib');
    await git(workspace, 'add', 'lib');
  };

  it('that a step changed is named at once, and a re-run runs the step again', async () => {
    const { first, content, attempts } = await rerunAfter({
      prepare: submodule,
      files: {},
      names: ['lib/lib.c'],
      rules: [{ prompt: 'First', do: [{ write: 'lib/lib.c', content: '2\n' }] }],
    });
    expect(first.warnings).toEqual([
      expect.stringMatching(/^Changes not stored: step `first` changed `lib\/`.* it runs the step again\./),
    ]);
    expect(attempts[0]).toBe('first#1@2 new declared-new passed');
    expect(content).toEqual({ 'lib/lib.c': '2\n' });
  });

  it('must not be changed by a step that changes no files', async () => {
    const harness = await createHarness({ code: 'dist', workflow: flow('validate') });
    const { main } = await harness.runJob({
      prepare: submodule,
      rules: [{ prompt: 'Second', do: [{ write: 'lib/lib.c', content: '2\n' }, pass] }],
    });
    expect(main.report?.steps[1]?.attempts[0]?.failure, main.log).toMatchObject({
      kind: 'guard',
      message: expect.stringMatching(/^`no_write`: .* it changed `lib\/`/),
    });
  });
});
