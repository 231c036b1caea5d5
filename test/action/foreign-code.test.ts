/** What happens after each piece of foreign code: agents, gates, `context` commands, `worktree-setup`. */
import { describe, expect, it } from 'vitest';
import { createForeignCode, createRunMarks, type ForeignPiece } from '../../src/action/foreign-code.js';
import type { WatchedChange } from '../../src/security/watch.js';
import type { ProcessExit, ProcessSpec } from '../../src/system/process.js';

const exited: ProcessExit = { reason: 'exited', code: 0, stderrTail: '', durationMs: 1 };
const spec: ProcessSpec = { file: 'x', args: [], directory: '/', env: { A: '1' } };

/** A place with one watch that reports `changes` at its next call. Programs do what `act` does. */
function place(act: (spec: ProcessSpec) => Promise<void> = async () => undefined) {
  const warnings: string[] = [];
  let changes: readonly WatchedChange[] | Error = [];
  let checks = 0;
  let busy = 0;
  let mostBusy = 0;
  const watch = {
    async restore() {
      checks += 1;
      busy += 1;
      mostBusy = Math.max(mostBusy, busy);
      const found = changes;
      changes = [];
      await new Promise((resolve) => setImmediate(resolve));
      busy -= 1;
      if (found instanceof Error) throw found;
      return found;
    },
  };
  const foreignCode = createForeignCode({
    watches: [watch],
    marks: createRunMarks(),
    warn: (text) => void warnings.push(text),
  });
  const started: ProcessSpec[] = [];
  const processes = {
    async run(one: ProcessSpec) {
      started.push(one);
      await act(one);
      return one.signal?.aborted ? ({ ...exited, reason: 'cancelled' } as const) : exited;
    },
  };
  const runPiece = (piece: Partial<ForeignPiece> = {}, count = 1) =>
    foreignCode.run({ who: 'The agent', processes, ...piece }, async (watched) => {
      const exits = [];
      for (let index = 0; index < count; index += 1) exits.push(await watched.run(spec));
      return exits;
    });
  return {
    runPiece,
    warnings,
    started,
    checks: () => checks,
    mostBusy: () => mostBusy,
    change: (what: string, effect: WatchedChange['effect']) => {
      changes = [{ what, effect }];
    },
    breakWatch: () => {
      changes = new Error('no access');
    },
  };
}

describe('a piece of foreign code', () => {
  it('returns what its task returns, and each program has a mark', async () => {
    const { runPiece, started } = place();
    expect(await runPiece()).toEqual({ value: [exited] });
    expect(started[0]?.env).toEqual({ A: '1', GUMP_ATTEMPT: expect.stringMatching(/./) });
    expect(started[0]?.mark?.name).toBe('GUMP_ATTEMPT');
  });

  it('is checked after each of its programs', async () => {
    const { runPiece, checks } = place();
    await runPiece({}, 3);
    expect(checks()).toBeGreaterThanOrEqual(3);
  });

  it('is checked once if it has one program', async () => {
    const { runPiece, checks } = place();
    await runPiece();
    expect(checks()).toBe(1);
  });

  it('stops the run after a change with the effect `run`: nothing more starts', async () => {
    const scene = place();
    scene.change('command files', 'run');
    const failure = {
      kind: 'guard',
      message: 'The agent changed command files. The change was undone. The run stops.',
      isFinal: true,
    };
    expect((await scene.runPiece({}, 2)).failure).toEqual(failure);
    expect(scene.started).toHaveLength(1);
    const next = await scene.runPiece({ who: 'A gate' });
    expect(next.failure).toEqual(failure);
    expect(next.value).toMatchObject([{ reason: 'cancelled' }]);
    expect(scene.started).toHaveLength(1);
  });

  it('stops other pieces that are at work, and names none of them', async () => {
    const scene = place(async ({ file, signal }) => {
      if (file !== 'x') return;
      if (scene.started.length === 1)
        await new Promise((resolve) => signal?.addEventListener('abort', resolve));
      else scene.change('command files', 'run');
    });
    const [first, second] = await Promise.all([scene.runPiece(), scene.runPiece()]);
    expect(first.value).toMatchObject([{ reason: 'cancelled' }]);
    expect(first.failure?.isFinal).toBe(true);
    expect(second.failure?.message).toMatch(/^An agent or a command changed command files\./);
  });

  it('fails only an attempt that must not write, for a change with the effect `read-only`', async () => {
    const scene = place();
    scene.change('`.git/config`', 'read-only');
    expect((await scene.runPiece({ mustNotWrite: true })).failure).toEqual({
      kind: 'guard',
      message: 'The agent changed `.git/config`. The change was undone. The step must not change files.',
    });
    for (let count = 0; count < 2; count += 1) {
      scene.change('`.git/config`', 'read-only');
      expect((await scene.runPiece()).failure).toBeUndefined();
    }
    expect(scene.warnings).toEqual(['The agent changed `.git/config`. The change was undone.']);
  });

  it('fails no attempt for what another one may have done', async () => {
    const scene = place(async () => {
      await new Promise((resolve) => setImmediate(resolve));
      if (scene.started.length === 2) scene.change('`.git/config`', 'read-only');
    });
    const ends = await Promise.all([scene.runPiece({ mustNotWrite: true }), scene.runPiece()]);
    expect(ends.map(({ failure }) => failure)).toEqual([undefined, undefined]);
    expect(scene.warnings).toHaveLength(1);
  });

  it('only warns, once, about a change with the effect `warning`', async () => {
    const scene = place();
    for (let count = 0; count < 2; count += 1) {
      scene.change('settings', 'warning');
      expect((await scene.runPiece({ mustNotWrite: true })).failure).toBeUndefined();
    }
    expect(scene.warnings).toEqual(['The agent changed settings. The change was undone.']);
  });

  it('stops the run if something cannot be restored', async () => {
    const scene = place();
    scene.breakWatch();
    const { failure } = await scene.runPiece();
    expect(failure).toMatchObject({ kind: 'guard', isFinal: true });
    expect(failure?.message).toContain('cannot be restored (Error: no access)');
  });

  it('is checked and restored also after a failure, and if its task fails', async () => {
    const scene = place();
    scene.change('`.git/config`', 'read-only');
    const { failure } = await scene.runPiece({ mustNotWrite: true }, 3);
    expect([failure?.isFinal, scene.checks()]).toEqual([undefined, 3]);
    const broken = place(async () => {
      throw new Error('broken');
    });
    await expect(broken.runPiece()).rejects.toThrow('broken');
    expect(broken.checks()).toBe(1);
  });

  it('is not restored by two at once', async () => {
    const scene = place();
    await Promise.all([scene.runPiece(), scene.runPiece(), scene.runPiece()]);
    expect(scene.mostBusy()).toBe(1);
  });
});
