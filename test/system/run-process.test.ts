import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import type { ProcessSpec } from '../../src/system/process.js';
import { isGroupAlive } from '../../src/system/process-group.js';
import { processRunner } from '../../src/system/run-process.js';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'run-process-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

function shell(script: string, more: Partial<ProcessSpec> = {}): ProcessSpec {
  return { file: 'sh', args: ['-c', script], directory, env: { PATH: process.env.PATH ?? '' }, ...more };
}

function program(code: string, more: Partial<ProcessSpec> = {}): ProcessSpec {
  return { ...shell(''), file: process.execPath, args: ['-e', code], ...more };
}

/** The lines of standard output. */
async function linesOf(spec: ProcessSpec): Promise<string[]> {
  const lines: string[] = [];
  await processRunner.run({
    ...spec,
    onLine: (line, stream) => {
      if (stream === 'stdout') lines.push(line);
    },
  });
  return lines;
}

function readNumber(name: string): number {
  return Number(readFileSync(join(directory, name), 'utf8'));
}

/** Whether a process runs. A zombie does not. */
function isRunning(pid: number): boolean {
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    try {
      return process.platform !== 'linux' && process.kill(pid, 0);
    } catch {
      return false;
    }
  }
}

describe('a reader that is busy', () => {
  const flood =
    "const line = 'x'.repeat(999) + '\\n'; for (let i = 0; i < 5000; i++) process.stdout.write(line); process.stdout.write('end')";

  /** Holds the output up after its first part. `begun` resolves when that happens, `release` ends it. */
  function busyReader() {
    let release = (): void => undefined;
    let begin = (): void => undefined;
    const begun = new Promise<void>((resolve) => {
      begin = resolve;
    });
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    let isFree = false;
    void released.then(() => {
      isFree = true;
    });
    const whenReady = () => {
      begin();
      return isFree ? undefined : released;
    };
    return { whenReady, begun, release };
  }

  it('makes the program wait, and gets everything afterwards', async () => {
    const { whenReady, begun, release } = busyReader();
    const lines: string[] = [];
    const run = processRunner.run(program(flood, { whenReady, onLine: (line) => void lines.push(line) }));
    await begun;
    // Longer than the program would take, and than output is waited for after its end.
    await new Promise((resolve) => setTimeout(resolve, 1500));
    expect(lines.length).toBeLessThan(1000);
    release();
    await run;
    expect(lines).toHaveLength(5001);
    expect(lines.at(-1)).toBe('end');
  });

  it('gets the rest of a program that has ended meanwhile', async () => {
    const { whenReady, begun, release } = busyReader();
    const lines: string[] = [];
    const script = 'echo one; sleep 0.1; echo two';
    const run = processRunner.run(shell(script, { whenReady, onLine: (line) => void lines.push(line) }));
    await begun;
    await new Promise((resolve) => setTimeout(resolve, 1500));
    release();
    await run;
    expect(lines).toEqual(['one', 'two']);
  });
});

describe('the input of a program', () => {
  it('is the given environment and nothing else', async () => {
    const env = { PATH: process.env.PATH ?? '', ONLY: 'this' };
    const names = await linesOf(program('console.log(Object.keys(process.env).sort().join())', { env }));
    // macOS adds a variable to every program.
    expect(names.map((line) => line.replace('__CF_USER_TEXT_ENCODING,', ''))).toEqual(['ONLY,PATH']);
  });

  it('includes a PATH on which the program is searched', async () => {
    writeFileSync(join(directory, 'greet'), '#!/bin/sh\necho hello\n', { mode: 0o755 });
    expect(await linesOf({ ...shell(''), file: 'greet', args: [], env: { PATH: directory } })).toEqual([
      'hello',
    ]);
  });

  it('is read from start to end', async () => {
    expect(await linesOf(shell('cat', { stdin: 'first\nsecond é' }))).toEqual(['first', 'second é']);
  });

  it('is empty if none is given', async () => {
    expect(await linesOf(shell('cat; echo over'))).toEqual(['over']);
  });

  it('may stay unread', async () => {
    const exit = await processRunner.run(shell('exit 4', { stdin: 'x'.repeat(5_000_000) }));
    expect(exit).toMatchObject({ reason: 'exited', code: 4 });
  });

  it('includes the working directory', async () => {
    expect(await linesOf(shell('pwd -P; ls', { directory: '/' }))).toContain('/');
  });
});

describe('a program that cannot be started', () => {
  it.each([
    ['is not executable', () => join(directory, 'plain'), 'EACCES'],
    ['is a directory', () => directory, 'EACCES'],
    ['is below a file', () => join(directory, 'plain', 'x'), 'ENOTDIR'],
  ])('is not found if it %s', async (_, file, why) => {
    writeFileSync(join(directory, 'plain'), 'echo no', { mode: 0o644 });
    const exit = await processRunner.run({ ...shell(''), file: file() });
    expect(exit).toMatchObject({ reason: 'not-found', stderrTail: expect.stringContaining(why) });
  });

  it('is not found in a missing directory, and the exit names that directory', async () => {
    const missing = join(directory, 'missing');
    const exit = await processRunner.run(shell('true', { directory: missing }));
    expect(exit).toMatchObject({ reason: 'not-found', stderrTail: expect.stringContaining(missing) });
  });

  it('has no exit code if the system rejects its arguments', async () => {
    const exit = await processRunner.run({ ...shell(''), args: ['-c', 'true', 'x'.repeat(20_000_000)] });
    expect(exit).toMatchObject({ reason: 'exited', stderrTail: expect.stringContaining('E2BIG') });
    expect(exit.code).toBeUndefined();
  });
});

describe('output', () => {
  it('keeps the last 16 KB of standard error', async () => {
    const exit = await processRunner.run(program("process.stderr.write('x'.repeat(100_000) + 'end')"));
    expect(exit.stderrTail).toBe(`${'x'.repeat(16 * 1024 - 3)}end`);
  });

  it('is complete after many lines', async () => {
    const lines = await linesOf(program("process.stdout.write('0123456789é\\n'.repeat(200_000))"));
    expect([lines.length, new Set(lines)]).toEqual([200_000, new Set(['0123456789é'])]);
  });

  it('skips a line of standard output above the limit, reports its length, and continues', async () => {
    const skipped: number[] = [];
    const code =
      "process.stdout.write('x'.repeat(3_000_001) + '\\n' + 'y'.repeat(3_000_000) + '\\nafter\\n')";
    const spec = program(code, { longestLine: 3_000_000, onSkippedLine: (bytes) => skipped.push(bytes) });
    expect([await linesOf(spec), skipped]).toEqual([['y'.repeat(3_000_000), 'after'], [3_000_001]]);
  });

  it.each(['stdout', 'stderr'])('delivers the ends of a very long line of %s', async (stream) => {
    const lines: string[] = [];
    const code = `process.${stream}.write('first' + 'x'.repeat(5_000_000) + 'last\\nafter\\n')`;
    await processRunner.run(program(code, { onLine: (line) => lines.push(line) }));
    expect(lines).toEqual([
      expect.stringMatching(/^firstx{31995} \[… 4936009 bytes left out …\] x{31996}last$/),
      'after',
    ]);
  });

  it('rejects with the error of a listener, after the program has ended', async () => {
    const thrown = new Error('error in a listener');
    const script = 'echo $$ >pid; echo line; sleep 600';
    const spec = shell(script, {
      onLine: () => {
        throw thrown;
      },
    });
    await expect(processRunner.run(spec)).rejects.toBe(thrown);
    expect(isGroupAlive(readNumber('pid'))).toBe(false);
  });
});

describe('the process group', () => {
  it('lets a cancelled program end by itself', async () => {
    const abort = new AbortController();
    const script = "trap 'echo tidied; exit 7' TERM; echo ready; while :; do sleep 0.01; done";
    const lines: string[] = [];
    const onLine: ProcessSpec['onLine'] = (line, stream) => {
      if (stream === 'stdout') lines.push(line);
      abort.abort();
    };
    const exit = await processRunner.run(shell(script, { signal: abort.signal, onLine }));
    expect([exit.reason, exit.code, lines]).toEqual(['cancelled', 7, ['ready', 'tidied']]);
  });

  it('kills a program that ignores SIGTERM', async () => {
    const abort = new AbortController();
    const script = "trap '' TERM; echo $$ >pid; echo ready; while :; do sleep 0.01; done";
    const requested: string[] = [];
    const graceMs = () => {
      requested.push('grace');
      return 50;
    };
    const spec = shell(script, { signal: abort.signal, graceMs, onLine: () => abort.abort() });
    const exit = await processRunner.run(spec);
    expect([exit.reason, exit.code, requested]).toEqual(['cancelled', undefined, ['grace']]);
    expect(isGroupAlive(readNumber('pid'))).toBe(false);
  });

  const stubborn = "trap 'echo got TERM' TERM; echo $$ >pid; echo ready; while :; do sleep 0.01; done";
  it.each([
    ['a program', stubborn],
    ['a grandchild whose leader has ended', `sh -c "${stubborn.replaceAll('$', '\\$')}" & wait`],
  ])('kills %s earlier if the hurry signal is aborted in the meantime', async (_what, script) => {
    const abort = new AbortController();
    const hurry = new AbortController();
    const exit = await processRunner.run(
      shell(script, {
        signal: abort.signal,
        hurrySignal: hurry.signal,
        // Longer than this test, unless it is called again.
        graceMs: () => (hurry.signal.aborted ? 50 : 600_000),
        onLine: (line) => (line === 'got TERM' ? hurry : abort).abort(),
      }),
    );
    expect([exit.reason, isGroupAlive(readNumber('pid'))]).toEqual(['cancelled', false]);
  });

  it('does not end a program for the hurry signal alone', async () => {
    const hurry = new AbortController();
    hurry.abort();
    const exit = await processRunner.run(shell('echo done; exit 3', { hurrySignal: hurry.signal }));
    expect([exit.reason, exit.code]).toEqual(['exited', 3]);
  });

  it('kills a grandchild that ignores SIGTERM after its leader ended', async () => {
    const grandchild = "trap '' TERM; echo $$ >grandchild; echo ready; while :; do sleep 0.01; done";
    const abort = new AbortController();
    const exit = await processRunner.run(
      shell('', {
        args: ['-c', 'sh -c "$0" & wait', grandchild],
        signal: abort.signal,
        graceMs: 50,
        onLine: () => abort.abort(),
      }),
    );
    expect([exit.reason, isRunning(readNumber('grandchild'))]).toEqual(['cancelled', false]);
  });

  it('ends background programs that a program left running', async () => {
    const exit = await processRunner.run(shell('sleep 600 >/dev/null 2>&1 & echo $! >left; exit 0'));
    expect([exit.reason, exit.code, isRunning(readNumber('left'))]).toEqual(['exited', 0, false]);
  });

  it('does not wait forever for a grandchild that has the output open', async () => {
    const lines = await linesOf(shell("echo first; (trap '' TERM; echo late; sleep 600) & echo $! >left"));
    expect([lines.sort(), isRunning(readNumber('left'))]).toEqual([['first', 'late'], false]);
  });

  it('does not wait for a program that left the group and has the output open', async () => {
    const code = `
      const { spawn } = require('node:child_process');
      const child = spawn('sleep', ['600'], { detached: true, stdio: 'inherit' });
      console.log(child.pid); child.unref();`;
    const [pid] = await linesOf(program(code));
    expect(isRunning(Number(pid))).toBe(true);
    process.kill(Number(pid), 'SIGKILL');
  });

  it('is killed when this process exits', async () => {
    const runner = join(import.meta.dirname, '..', '..', 'src', 'system', 'process-group.ts');
    const code = `
      import { spawn } from 'node:child_process';
      import { registerHooks } from 'node:module';
      registerHooks({ resolve: (name, context, next) => next(name.replace(/^(\\..*)\\.js$/, '$1.ts'), context) });
      const { watchGroup } = await import(${JSON.stringify(runner)});
      const child = spawn('sleep', ['600'], { detached: true, stdio: 'ignore' });
      watchGroup(child.pid);
      console.log(child.pid);
      process.exit(0);`;
    const [pid] = await linesOf({ ...program(code), args: ['--input-type=module', '-e', code] });
    expect(Number(pid)).toBeGreaterThan(1);
    await expect.poll(() => isRunning(Number(pid))).toBe(false);
  });

  it('does not count a zombie as a running member', async () => {
    const abort = new AbortController();
    onTestFinished(() => abort.abort());
    const groups: number[] = [];
    // Node reaps its programs in its event loop, which is blocked here.
    const code = `
      const { spawn } = require('node:child_process');
      const child = spawn('sleep', ['0.2'], { detached: true, stdio: 'ignore' });
      require('node:fs').writeSync(1, child.pid + '\\n');
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);`;
    const parent = processRunner.run(
      program(code, { signal: abort.signal, onLine: (pid) => groups.push(Number(pid)) }),
    );
    await expect.poll(() => groups.some(isGroupAlive), { interval: 10 }).toBe(true);
    await expect.poll(() => groups.some(isGroupAlive), { timeout: 10_000 }).toBe(false);
    abort.abort();
    expect((await parent).reason).toBe('cancelled');
  });
});
