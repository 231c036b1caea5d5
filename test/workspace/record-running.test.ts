/** The worktree is recorded while an agent is at work in it. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Snapshot, Workspace } from '../../src/workspace/workspace.js';
import { type Checkout, cloneOf, repository } from './checkout.js';

const agentFiles = {
  settings: ['.claude', '.mcp.json', 'opencode.json'],
  instructions: ['AGENTS.md'],
  completed: [
    { path: 'opencode.json', relevantPart: (text: string) => text.replace(/"\$schema":"[^"]*",?/, '') },
  ],
};

const open = (checkout: Checkout) => checkout.open({ agentFiles });

/** What a re-run finds: the files of another checkout after the snapshot was restored there. */
async function restored(
  source: Checkout,
  workspace: Workspace,
  snapshot: Snapshot,
): Promise<Checkout['files'] extends () => infer T ? T : never> {
  const clone = cloneOf(source);
  const other = await clone.open();
  await other.unpack(await workspace.pack([snapshot]));
  expect(await other.apply(snapshot)).toEqual([]);
  return clone.files();
}

describe('a recording', () => {
  it('contains what the agent did so far, without ignored files and `.gump/out`', async () => {
    const checkout = repository({ 'a.txt': 'a', 'gone.txt': 'g', '.gitignore': 'build\n' });
    const workspace = await open(checkout);
    checkout.write('a.txt', 'changed');
    checkout.write('new/b.txt', 'b');
    checkout.write('build', 'ignored');
    checkout.write('.gump/out/plan.json', '[]');
    checkout.remove('gone.txt');
    const snapshot = await workspace.recordRunning('x');
    expect(await restored(checkout, workspace, snapshot)).toEqual({
      '.gitignore': 'build\n',
      'a.txt': 'changed',
      'new/b.txt': 'b',
    });
  });

  it('changes neither the repository of the user nor what the next snapshot finds', async () => {
    const checkout = repository({ 'a.txt': 'a' });
    const workspace = await open(checkout);
    const state = checkout.gitState();
    const index = () => readdirSync(checkout.privateDirectory()).filter((name) => name === 'index');
    checkout.write('a.txt', 'step');
    const running = await workspace.recordRunning('x');
    expect(await workspace.recordRunning('x')).toEqual(running);
    expect(checkout.gitState()).toBe(state);
    expect(index()).toEqual(['index']);
    // The change is still that of the attempt.
    expect(await workspace.record('y')).toMatchObject({ ...running, changed: true });
    expect(await workspace.record('y')).toMatchObject({ changed: false });
  });

  it('leaves out what gates wrote before the agent started', async () => {
    const checkout = repository({ 'a.txt': 'a' });
    const workspace = await open(checkout);
    checkout.write('gate.txt', 'gate');
    await workspace.disown();
    checkout.write('step.txt', 'step');
    const snapshot = await workspace.recordRunning('x');
    expect(await workspace.changes(workspace.startSnapshot, snapshot)).toEqual([
      { path: 'step.txt', kind: 'added' },
    ]);
    expect(await workspace.takeUnrecorded()).toEqual([{ path: 'step.txt', kind: 'added' }]);
  });
});

describe('settings that are set aside', () => {
  const start = {
    '.claude/settings.json': '{"start":1}',
    '.mcp.json': '{"start":1}',
    'opencode.json': '{"start":1}',
    'AGENTS.md': 'start\n',
    'a.txt': 'a',
  };
  const settingsOnly = { withInstructions: false };

  /** An earlier step changed, added and removed settings; then an agent is at work. */
  async function begin() {
    const checkout = repository(start);
    const workspace = await open(checkout);
    checkout.write('.claude/settings.json', '{"changed":1}');
    checkout.write('.claude/commands/new.md', 'new');
    checkout.write('sub/.mcp.json', '{"changed":1}');
    checkout.remove('.mcp.json');
    await workspace.record('step');
    const files = checkout.files();
    const aside = await workspace.setAsideSettings(settingsOnly);
    expect(checkout.read('.claude/settings.json')).toBe('{"start":1}');
    expect(existsSync(join(checkout.root, '.claude/commands'))).toBe(false);
    expect(checkout.read('.mcp.json')).toBe('{"start":1}');
    return { checkout, workspace, files, aside };
  }

  it('are recorded as the step left them', async () => {
    const { checkout, workspace, files } = await begin();
    checkout.write('a.txt', 'work');
    const snapshot = await workspace.recordRunning('x');
    expect(await restored(checkout, workspace, snapshot)).toEqual({ ...files, 'a.txt': 'work' });
  });

  it('are recorded if the step put a folder in the place of a file', async () => {
    const checkout = repository(start);
    const workspace = await open(checkout);
    checkout.remove('.mcp.json');
    checkout.write('.mcp.json/inside', 'x');
    await workspace.record('step');
    const files = checkout.files();
    await workspace.setAsideSettings(settingsOnly);
    expect(checkout.read('.mcp.json')).toBe('{"start":1}');
    const snapshot = await workspace.recordRunning('x');
    expect(await restored(checkout, workspace, snapshot)).toEqual(files);
  });

  it.each<[string, (checkout: Checkout) => void]>([
    ['changes one', (checkout) => checkout.write('.claude/settings.json', '{"agent":1}')],
    ['removes one', (checkout) => checkout.remove('.claude/settings.json')],
    ['writes one that is set aside', (checkout) => checkout.write('sub/.mcp.json', '{"agent":1}')],
    ['adds one to a folder', (checkout) => checkout.write('.claude/commands/agent.md', 'agent')],
    ['puts a file in the place of a folder', (checkout) => checkout.write('.claude/commands', 'agent')],
    ['writes one that the step removed', (checkout) => checkout.write('.mcp.json', '{"agent":1}')],
    ['removes the folder of one', (checkout) => checkout.remove('sub')],
    ['removes the folder of some', (checkout) => checkout.remove('.claude')],
    [
      'has its own settings completed',
      (checkout) => checkout.write('opencode.json', '{"$schema":"x","start":1}'),
    ],
  ])('and the agent %s: recorded as they will be when it has ended', async (_what, act) => {
    const { checkout, workspace, aside } = await begin();
    act(checkout);
    const running = await workspace.recordRunning('x');
    await aside.putBack();
    const ended = await workspace.record('x');
    expect(await workspace.changes(running, ended)).toEqual([]);
  });
});
