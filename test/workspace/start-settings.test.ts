/** Agents get the settings files of the start tree, and what steps changed in them comes back. */
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { withoutKeys } from '../../src/providers/home-files.js';
import { restoreSetAsideSettings } from '../../src/workspace/clean-leftovers.js';
import type { Workspace } from '../../src/workspace/workspace.js';
import { type Checkout, cloneOf, repository, temporaryDirectory } from './checkout.js';

const agentFiles = {
  settings: ['.claude', '.mcp.json', '.env', '.opencode'],
  instructions: ['AGENTS.md', 'CLAUDE.md'],
};
const settingsOnly = { withInstructions: false };
const withInstructions = { withInstructions: true };

let checkout: Checkout;
let workspace: Workspace;

async function open(): Promise<Workspace> {
  return checkout.open({ agentFiles });
}

beforeEach(async () => {
  checkout = repository({
    'a.txt': 'a\n',
    '.gitignore': '.env\nsettings.local.json\n.gump/out\n',
    '.claude/settings.json': '{"start":1}',
    'AGENTS.md': 'start\n',
    'sub/AGENTS.md': 'start\n',
  });
  checkout.write('.env', 'KEY=start\n');
  checkout.write('.claude/settings.local.json', '{"local":1}');
  workspace = await open();
});

const exists = (path: string) => existsSync(join(checkout.root, path));

function isRestored(): boolean {
  return !existsSync(join(checkout.root, '.git/gump-settings'));
}

test('without a change, nothing is moved and nothing is written', async () => {
  const before = checkout.gitState();
  const aside = await workspace.setAsideSettings(withInstructions);
  expect(aside.paths).toEqual([]);
  expect(checkout.gitState()).toBe(before);
  await aside.putBack();
});

test('an agent sees the files of the start tree, and the changes of earlier steps come back', async () => {
  checkout.write('.claude/settings.json', '{"evil":1}');
  checkout.write('.claude/hooks/run.sh', 'evil\n');
  checkout.write('.mcp.json', '{"evil":1}');
  checkout.write('sub/deep/.mcp.json', '{"evil":1}');
  checkout.write('.env', 'KEY=evil\n');
  checkout.remove('.claude/settings.local.json');
  checkout.write('AGENTS.md', 'changed\n');
  const changed = checkout.files();
  const aside = await workspace.setAsideSettings(settingsOnly);
  expect(aside.paths).toEqual([
    '.claude/hooks',
    '.claude/settings.json',
    '.claude/settings.local.json',
    '.env',
    '.mcp.json',
    'sub/deep/.mcp.json',
  ]);
  expect(checkout.files()).toMatchObject({
    '.claude/settings.json': '{"start":1}',
    '.claude/settings.local.json': '{"local":1}',
    '.env': 'KEY=start\n',
    'AGENTS.md': 'changed\n',
  });
  expect(['.mcp.json', 'sub/deep/.mcp.json', '.claude/hooks'].filter(exists)).toEqual([]);
  await aside.putBack();
  expect(checkout.files()).toEqual(changed);
  expect(isRestored()).toBe(true);
});

test('instructions are those of the start tree only if that is asked for', async () => {
  checkout.write('AGENTS.md', 'changed\n');
  checkout.write('other/CLAUDE.md', 'new\n');
  checkout.remove('sub');
  expect((await workspace.setAsideSettings(settingsOnly)).paths).toEqual([]);
  const aside = await workspace.setAsideSettings(withInstructions);
  expect([checkout.read('AGENTS.md'), exists('other/CLAUDE.md')]).toEqual(['start\n', false]);
  await aside.putBack();
  expect([checkout.read('AGENTS.md'), checkout.read('other/CLAUDE.md')]).toEqual(['changed\n', 'new\n']);
  // Nothing is left that this file was for.
  expect(exists('sub')).toBe(false);
});

describe('what the agent changes in its own turn takes precedence', () => {
  beforeEach(() => {
    checkout.write('.claude/settings.json', '{"earlier":1}');
    checkout.write('.mcp.json', '{"earlier":1}');
    checkout.write('.claude/skills/one/SKILL.md', 'earlier\n');
  });

  test('a changed file stays', async () => {
    const aside = await workspace.setAsideSettings(settingsOnly);
    checkout.write('.claude/settings.json', '{"own":1}');
    checkout.write('.mcp.json', '{"own":1}');
    checkout.write('.claude/skills/two/SKILL.md', 'own\n');
    await aside.putBack();
    expect(checkout.files()).toMatchObject({
      '.claude/settings.json': '{"own":1}',
      '.mcp.json': '{"own":1}',
      '.claude/skills/one/SKILL.md': 'earlier\n',
      '.claude/skills/two/SKILL.md': 'own\n',
    });
  });

  test('a removed file stays removed', async () => {
    const aside = await workspace.setAsideSettings(settingsOnly);
    checkout.remove('.claude/settings.json');
    await aside.putBack();
    expect(exists('.claude/settings.json')).toBe(false);
    expect(checkout.read('.mcp.json')).toBe('{"earlier":1}');
  });

  test('the next agent gets the start tree again', async () => {
    const first = await workspace.setAsideSettings(settingsOnly);
    checkout.write('.claude/settings.json', '{"own":1}');
    await first.putBack();
    const second = await workspace.setAsideSettings(settingsOnly);
    expect(checkout.read('.claude/settings.json')).toBe('{"start":1}');
    await second.putBack();
  });
});

test('snapshots and changes do not show what was set aside', async () => {
  checkout.write('.claude/settings.json', '{"evil":1}');
  checkout.write('.mcp.json', '{"evil":1}');
  const first = await workspace.record('first');
  const aside = await workspace.setAsideSettings(withInstructions);
  await aside.putBack();
  const second = await workspace.record('second');
  expect(second.changed).toBe(false);
  expect(await workspace.changes(first, second)).toEqual([]);
});

test('a restored file of an earlier job does not take effect', async () => {
  checkout.write('.claude/settings.json', '{"evil":1}');
  const snapshot = await workspace.record('evil');
  const pack = await workspace.pack([snapshot]);
  checkout = cloneOf(checkout);
  const later = await open();
  await later.unpack(pack);
  expect(await later.apply(snapshot)).toEqual([]);
  expect(checkout.read('.claude/settings.json')).toBe('{"evil":1}');
  const aside = await later.setAsideSettings(settingsOnly);
  expect(checkout.read('.claude/settings.json')).toBe('{"start":1}');
  await aside.putBack();
});

test('a worktree of a parallel branch has the settings of the start tree', async () => {
  checkout.write('.claude/settings.json', '{"evil":1}');
  checkout.write('.mcp.json', '{"evil":1}');
  const from = await workspace.record('evil');
  const directory = join(temporaryDirectory(), 'branch');
  const branch = await workspace.branchWorktrees.open(directory, from, async (inside) => {
    writeFileSync(join(inside, '.env'), 'KEY=copied\n');
  });
  const read = (path: string) => readFileSync(join(directory, path), 'utf8');
  expect(read('.claude/settings.json')).toBe('{"evil":1}');
  const aside = await branch.workspace.setAsideSettings(settingsOnly);
  expect(read('.claude/settings.json')).toBe('{"start":1}');
  expect(existsSync(join(directory, '.mcp.json'))).toBe(false);
  // Ignored files are not in a branch, unless its setup put them there.
  expect(existsSync(join(directory, '.claude/settings.local.json'))).toBe(false);
  expect(read('.env')).toBe('KEY=start\n');
  await aside.putBack();
  expect([read('.env'), read('.mcp.json')]).toEqual(['KEY=copied\n', '{"evil":1}']);
  await branch.close();
});

describe('links', () => {
  test('a folder that became a link is set aside', async () => {
    checkout.write('evil/settings.json', '{"evil":1}');
    renameSync(join(checkout.root, '.claude'), join(checkout.root, 'before'));
    symlinkSync('evil', join(checkout.root, '.claude'));
    const aside = await workspace.setAsideSettings(settingsOnly);
    expect(checkout.read('.claude/settings.json')).toBe('{"start":1}');
    expect(lstatSync(join(checkout.root, '.claude')).isDirectory()).toBe(true);
    await aside.putBack();
    expect(checkout.files()).toMatchObject({ '.claude': '-> evil', 'evil/settings.json': '{"evil":1}' });
  });

  test('the file that a link of the start tree leads to counts like the link', async () => {
    checkout = repository({ 'a.txt': 'a', 'docs/agents.md': 'start\n', 'config/settings.json': '{}' });
    symlinkSync('docs/agents.md', join(checkout.root, 'CLAUDE.md'));
    symlinkSync('config', join(checkout.root, '.claude'));
    workspace = await open();
    checkout.write('docs/agents.md', 'changed\n');
    checkout.write('config/settings.json', '{"evil":1}');
    const aside = await workspace.setAsideSettings(withInstructions);
    expect(checkout.read('CLAUDE.md')).toBe('start\n');
    expect(checkout.read('.claude/settings.json')).toBe('{}');
    await aside.putBack();
    expect(checkout.read('CLAUDE.md')).toBe('changed\n');
  });

  test('nothing is put back through a link that the agent created', async () => {
    checkout.write('sub/.mcp.json', '{"evil":1}');
    const outside = temporaryDirectory();
    const aside = await workspace.setAsideSettings(settingsOnly);
    checkout.remove('sub');
    symlinkSync(outside, join(checkout.root, 'sub'));
    await aside.putBack();
    expect(readdirSync(outside)).toEqual([]);
  });

  test('no agent starts if the working directory is behind a link', async () => {
    const inner = await checkout.open({ agentFiles, directory: join(checkout.root, 'sub') });
    renameSync(join(checkout.root, 'sub'), join(checkout.root, 'moved'));
    symlinkSync('moved', join(checkout.root, 'sub'));
    await expect(inner.setAsideSettings(settingsOnly)).rejects.toThrow('behind a symbolic link');
  });
});

test('names in another case, folders instead of files, and large files are set aside', async () => {
  checkout = repository({ '.mcp.json': '{}', '.opencode/large.bin': Buffer.alloc(2 * 1024 * 1024, 1) });
  workspace = await open();
  checkout.write('.CLAUDE/settings.json', '{"evil":1}');
  checkout.remove('.mcp.json');
  checkout.write('.mcp.json/x', 'x');
  checkout.write('.opencode/large.bin', Buffer.alloc(2 * 1024 * 1024, 2));
  const changed = checkout.files();
  const aside = await workspace.setAsideSettings(settingsOnly);
  // A large file is not copied, so agents run without it.
  expect(checkout.files()).toEqual({ '.mcp.json': '{}', '.gump/out/.settings-set-aside': '' });
  await aside.putBack();
  expect(checkout.files()).toEqual(changed);
});

describe('after a kill', () => {
  const leftover = () => ({
    directory: checkout.root,
    privateDirectory: checkout.privateDirectory(),
    env: checkout.env,
  });

  beforeEach(async () => {
    checkout.write('.claude/settings.json', '{"earlier":1}');
    checkout.write('.mcp.json', '{"earlier":1}');
    checkout.remove('.env');
    await workspace.setAsideSettings(settingsOnly);
    expect(checkout.read('.claude/settings.json')).toBe('{"start":1}');
  });

  test('`post` puts everything back', async () => {
    restoreSetAsideSettings(leftover().privateDirectory);
    expect(checkout.files()).toMatchObject({
      '.claude/settings.json': '{"earlier":1}',
      '.mcp.json': '{"earlier":1}',
    });
    expect([exists('.env'), exists('.gump/out/.settings-set-aside'), isRestored()]).toEqual([
      false,
      false,
      true,
    ]);
  });

  test('`post` keeps what the killed agent changed', async () => {
    checkout.write('.claude/settings.json', '{"own":1}');
    restoreSetAsideSettings(leftover().privateDirectory);
    expect(checkout.read('.claude/settings.json')).toBe('{"own":1}');
  });

  test('the next job puts it back, and it does not take effect there either', async () => {
    const next = await open();
    expect(checkout.files()).toMatchObject({
      '.claude/settings.json': '{"earlier":1}',
      '.mcp.json': '{"earlier":1}',
    });
    expect(isRestored()).toBe(true);
    const aside = await next.setAsideSettings(settingsOnly);
    expect([checkout.read('.claude/settings.json'), exists('.mcp.json')]).toEqual(['{"start":1}', false]);
    await aside.putBack();
  });

  test('the next job adds nothing to a checkout that was cleaned', async () => {
    checkout.git('clean', '-ffdxq');
    checkout.git('reset', '-q', '--hard', 'HEAD');
    const before = checkout.files();
    await open();
    expect(checkout.files()).toEqual(before);
    expect(isRestored()).toBe(true);
  });

  test.each(['moving', 'moved in part'])('in the middle (%s), nothing is lost', async (point) => {
    const folder = join(checkout.root, '.git/gump-settings');
    const list = JSON.parse(readFileSync(join(folder, 'list.json'), 'utf8'));
    writeFileSync(join(folder, 'list.json'), JSON.stringify({ ...list, phase: 'moving' }));
    checkout.remove('.claude/settings.json');
    if (point === 'moved in part') {
      const { number } = list.moved.find(({ path }: { path: string }) => path === '.mcp.json');
      renameSync(join(folder, `${number}`), join(checkout.root, '.mcp.json'));
    }
    restoreSetAsideSettings(leftover().privateDirectory);
    expect(checkout.files()).toMatchObject({
      '.claude/settings.json': '{"earlier":1}',
      '.mcp.json': '{"earlier":1}',
    });
  });

  test('a list with a path outside the worktree is ignored', async () => {
    const folder = join(checkout.root, '.git/gump-settings');
    const list = { version: 1, phase: 'done', moved: [], created: [] };
    const placed = [{ path: '../x', signature: '' }];
    writeFileSync(join(folder, 'list.json'), JSON.stringify({ ...list, placed }));
    restoreSetAsideSettings(leftover().privateDirectory);
    expect(isRestored()).toBe(true);
  });
});

test('what a CLI itself adds to its settings is no change', async () => {
  const completed = [{ path: '.claude/settings.json', relevantPart: withoutKeys('$schema') }];
  workspace = await checkout.open({ agentFiles: { ...agentFiles, completed } });
  const before = await workspace.record('before');
  const aside = await workspace.setAsideSettings(settingsOnly);
  checkout.write('.claude/settings.json', '{ "start": 1, "$schema": "x" }');
  await aside.putBack();
  expect((await workspace.record('after')).changed).toBe(false);
  checkout.write('.claude/settings.json', '{"earlier":1}');
  const again = await workspace.setAsideSettings(settingsOnly);
  checkout.write('.claude/settings.json', '{ "start": 1, "$schema": "x" }');
  await again.putBack();
  expect(checkout.read('.claude/settings.json')).toBe('{"earlier":1}');
  expect(before.changed).toBe(false);
});

test('a folder of git that cannot be written stops the agent and loses nothing', async () => {
  checkout.write('.mcp.json', '{"evil":1}');
  writeFileSync(join(checkout.root, '.git/gump-settings'), '');
  mkdirSync(join(checkout.root, '.gump'), { recursive: true });
  writeFileSync(join(checkout.root, '.gump/out'), '');
  await expect(workspace.setAsideSettings(settingsOnly)).rejects.toThrow('could not be set aside');
  expect(checkout.read('.mcp.json')).toBe('{"evil":1}');
  rmSync(join(checkout.root, '.gump'), { recursive: true });
});
