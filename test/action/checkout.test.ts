/** The user's checkout after a run: branch, index, config and hooks are unchanged, and the changes are uncommitted. */
import { chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { git } from '../rig/git.js';
import { type Machine, pullRequestEvent } from '../rig/machine.js';
import type { AgentRule } from '../rig/stand-in.js';
import { createHarness } from './harness.js';

const flow = `
name: flow
steps:
  - name: impl
    type: code
    agent: claude-haiku
    prompt: write it
    gate:
      - bash: 'echo of the gate > gate.txt; echo of the gate >> kept.txt; test -f made.txt'
`;

const files = {
  'kept.txt': 'kept\n',
  'deleted.txt': 'to be deleted\n',
  '.gitignore': '.gump/out/\n*.log\n',
};

/** The user's part of `.git` and the files that no step wrote: content by path. */
type CheckoutState = Readonly<Record<string, string>>;

async function readCheckoutState(machine: Machine): Promise<CheckoutState> {
  const { workspace } = machine;
  const top = join(workspace, '.git');
  const names = [
    'HEAD',
    'index',
    'config',
    'hooks/post-commit',
    'hooks/reference-transaction',
    'info/exclude',
  ];
  const paths = [...names.map((name) => join(top, name)), ...usersFiles.map((name) => join(workspace, name))];
  const contents = await Promise.all(paths.map((path) => readFile(path, 'latin1').catch(() => 'missing')));
  const state = Object.fromEntries(
    paths.map((path, index) => [path.slice(workspace.length), contents[index]]),
  );
  const refs = (await git(workspace, 'for-each-ref')).split('\n');
  const leftovers = (await readdir(top)).filter((name) => /^MERGE|^rebase|lock$/.test(name));
  // A branch that the agent created stays, because it is not part of the user's state.
  const usersRefs = refs.filter((line) => !line.endsWith('refs/heads/elsewhere'));
  return { ...state, refs: usersRefs.join('\n'), leftovers: leftovers.join() } as CheckoutState;
}

const usersFiles = ['.gitignore', 'untracked.txt', 'ignored.log', 'gha-creds-12ab.json', '.env'];

const hooks = ['post-commit', 'reference-transaction', 'post-checkout', 'pre-commit', 'post-index-change'];

/** Changes the checkout as earlier steps of a job could do. */
async function prepareCheckout({ workspace }: Machine): Promise<void> {
  await git(workspace, 'config', 'user.something', 'of the user');
  await writeFile(join(workspace, 'staged.txt'), 'staged by the user\n');
  await git(workspace, 'add', 'staged.txt');
  for (const name of usersFiles.slice(1)) await writeFile(join(workspace, name), `${name} of the user\n`);
  await mkdir(join(workspace, '.git', 'hooks'), { recursive: true });
  for (const name of hooks) {
    const hook = join(workspace, '.git', 'hooks', name);
    await writeFile(hook, `#!/bin/sh\necho ${name} >> "${workspace}/../hooks-that-ran"\n`);
    await chmod(hook, 0o755);
  }
}

interface CheckoutRunOptions {
  readonly rules: readonly AgentRule[];
  readonly inputs?: Readonly<Record<string, string>>;
  readonly checkout?: 'branch' | 'detached' | 'pull-request' | 'whole';
  /** The working directory, which has its own workflow. */
  readonly directory?: string;
  readonly isCancelled?: true;
  readonly code?: 'dist';
  /** Called before the machine is wiped. */
  inspect?(machine: Machine): Promise<void>;
}

/** Runs one job attempt in a prepared checkout and expects that the user's state is unchanged. */
async function runOnCheckout(options: CheckoutRunOptions) {
  const { rules, inputs, checkout = 'branch', directory = '.', isCancelled, code, inspect: look } = options;
  const harness = await createHarness({
    workflow: flow,
    files: { ...files, [`${directory}/${flowFile}`]: flow },
    ...(code === undefined ? {} : { code }),
  });
  const pull = await harness.repository.pullRequest(7, { 'pull.txt': 'of the pull request\n' });
  const kinds = {
    branch: {},
    whole: { checkout: { depth: 0 } },
    detached: { checkout: { commit: harness.repository.sha } },
    'pull-request': {
      event: pullRequestEvent({ number: 7, head: pull.head, headRef: pull.headRef }),
      checkout: { ref: 'refs/pull/7/merge' },
    },
  } as const;
  let before: CheckoutState = {};
  let patch = '';
  const result = await harness.runJob({
    ...kinds[checkout],
    rules,
    ...(isCancelled ? { stop: { when: { log: 'now hanging' }, how: 'cancel' } } : {}),
    inputs: { 'working-directory': directory, ...inputs },
    async prepare(machine) {
      await prepareCheckout(machine);
      before = await readCheckoutState(machine);
    },
    async inspect(machine) {
      expect(await readCheckoutState(machine)).toEqual(before);
      expect(await readdir(join(machine.workspace, directory, '.gump'))).toEqual(['workflows']);
      patch = await readPatch(machine);
      await look?.(machine);
    },
  });
  return { ...result, patch, files: filesIn(patch) };
}

const flowFile = '.gump/workflows/flow.yaml';

/** Must be called before the machine is wiped. */
async function readPatch({ temp }: Machine): Promise<string> {
  const [folder = ''] = (await readdir(temp)).filter((name) => name.startsWith('gump-'));
  return readFile(join(temp, folder, 'changes.patch'), 'utf8');
}

function filesIn(patch: string): readonly string[] {
  return [...patch.matchAll(/^diff --git a\/(\S+) /gm)].map(([, name = '']) => name).sort();
}

const status = (machine: Machine) => git(machine.workspace, 'status', '--porcelain', '--untracked-files=all');
const read = (machine: Machine, name: string) =>
  readFile(join(machine.workspace, name), 'utf8').catch(() => undefined);

const work: AgentRule['do'] = [
  { write: 'kept.txt', content: 'changed\n' },
  { write: 'sub/new.txt', content: 'new\n' },
  { delete: 'deleted.txt' },
];
const done: AgentRule['do'] = [{ write: 'made.txt', content: 'made\n' }];

describe('the checkout after a run contains only the changes of the steps', () => {
  it('if the run failed, and no hook ran', async () => {
    const { main, patch, files } = await runOnCheckout({
      rules: [{ do: work }],
      async inspect(machine) {
        expect(await readdir(join(machine.workspace, '..'))).toEqual(['sample']);
        expect((await status(machine)).split('\n').map((line) => line.trim())).toEqual([
          'D deleted.txt',
          'M kept.txt',
          'A  staged.txt',
          ...['.env', 'gate.txt', 'gha-creds-12ab.json', 'sub/new.txt', 'untracked.txt'].map(
            (name) => `?? ${name}`,
          ),
        ]);
        expect(await read(machine, 'kept.txt')).toBe('changed\nof the gate\n');
      },
    });
    expect(main.outputs).toMatchObject({ status: 'failed', 'failed-step': 'impl' });
    expect(files).toEqual(['deleted.txt', 'kept.txt', 'sub/new.txt']);
    expect(patch).not.toMatch(/of the gate|of the user/);
  });

  it('if the run passed and the agent committed, changed the branch, staged files and left a merge', async () => {
    const gitActions: AgentRule['do'] = [
      ...work,
      { commit: 'by the agent' },
      { run: 'git checkout -q -b elsewhere' },
      ...done,
      { run: 'git add -A; git rev-parse HEAD > .git/MERGE_HEAD; git rm -q --cached untracked.txt' },
    ];
    const { main, files } = await runOnCheckout({
      code: 'dist',
      rules: [{ do: gitActions }],
      inspect: async (machine) => expect(await read(machine, 'made.txt')).toBe('made\n'),
    });
    expect(main.outputs.status).toBe('passed');
    expect(files).toEqual(['deleted.txt', 'kept.txt', 'made.txt', 'sub/new.txt']);
  });

  it('if the job was cancelled', async () => {
    const hanging: AgentRule['do'] = [...work, { say: 'now hanging' }, { hang: true }];
    const { main, files } = await runOnCheckout({
      rules: [{ do: hanging }],
      isCancelled: true,
      code: 'dist',
    });
    expect(main.outputs).toMatchObject({ status: 'waiting', 'failed-step': 'impl' });
    expect(files).toEqual(['deleted.txt', 'kept.txt', 'sub/new.txt']);
  });

  it('not even those if the run passed with `apply: none`', async () => {
    const { main, files } = await runOnCheckout({
      rules: [{ do: [...work, ...done] }],
      inputs: { apply: 'none' },
      async inspect(machine) {
        const changed = (await status(machine)).split('\n').map((line) => line.slice(3));
        // Files that a gate wrote belong to no step and stay.
        expect(changed.filter((name) => !usersFiles.includes(name))).toEqual(['staged.txt', 'gate.txt']);
        expect(await read(machine, 'deleted.txt')).toBe('to be deleted\n');
      },
    });
    expect(main.outputs.status).toBe('passed');
    expect(files).toEqual(['deleted.txt', 'kept.txt', 'made.txt', 'sub/new.txt']);
  });

  it.each(['detached', 'pull-request', 'whole'] as const)('in a %s checkout', async (checkout) => {
    const { main, files } = await runOnCheckout({
      rules: [{ do: [...work, { commit: 'by the agent' }, ...done] }],
      checkout,
    });
    expect(main.outputs).toMatchObject({ status: 'passed', persisted: 'true' });
    expect(files).toEqual(['deleted.txt', 'kept.txt', 'made.txt', 'sub/new.txt']);
  });

  it('with a working directory below the root of the repository', async () => {
    const { main, files } = await runOnCheckout({
      rules: [{ do: [...done, ...work] }],
      directory: 'packages/one',
    });
    expect(main.outputs.status).toBe('passed');
    expect(files).toEqual(['packages/one/kept.txt', 'packages/one/made.txt', 'packages/one/sub/new.txt']);
  });
});

describe('a change to an untracked file', () => {
  it('belongs to the step, unless the file has credentials of another action', async () => {
    const change: AgentRule['do'] = [
      ...done,
      { run: 'echo more >> untracked.txt; echo more >> gha-creds-12ab.json; echo more >> ignored.log' },
      { run: 'mkdir -p .gump/out && echo left > .gump/out/left.txt' },
    ];
    const harness = await createHarness({
      code: 'dist',
      workflow: flow,
      files: { ...files, '.gitignore': '' },
    });
    let patch = '';
    await harness.runJob({
      rules: [{ do: change }],
      prepare: prepareCheckout,
      inspect: async (machine) => {
        patch = await readPatch(machine);
      },
    });
    expect(filesIn(patch)).toEqual(['ignored.log', 'made.txt', 'untracked.txt']);
    expect(patch).toMatch(/^ untracked.txt of the user\n\+more$/m);
  });
});
