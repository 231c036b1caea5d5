import { describe, expect, it } from 'vitest';
import type { ProcessRunner, ProcessSpec } from '../../src/system/process.js';
import { processRunner } from '../../src/system/run-process.js';
import { createFakeProcessRunner, type FakeProgram } from '../fakes/process-runner.js';

/** The same programs for `sh` and for the fake. */
const programs: Readonly<Record<string, FakeProgram>> = {
  "printf 'one\\ntwo\\r\\n\\nlast'; printf 'problem\\n' >&2; exit 3": {
    stdout: 'one\ntwo\r\n\nlast',
    stderr: 'problem\n',
    code: 3,
  },
  'echo ready; sleep 600': { stdout: 'ready\n', ending: 'never' },
  'echo fine': { stdout: 'fine\n' },
};

const [chatty, endless, quick] = Object.keys(programs) as [string, string, string];

function fakeProgramFor(spec: ProcessSpec): FakeProgram {
  return programs[spec.args[1] ?? ''] ?? { ending: 'not-found' };
}

function shell(script: string): ProcessSpec {
  return { file: 'sh', args: ['-c', script], directory: '/', env: { PATH: process.env.PATH ?? '' } };
}

const runners: readonly [string, () => ProcessRunner][] = [
  ['the real one', () => processRunner],
  ['the fake', () => createFakeProcessRunner(fakeProgramFor)],
];

describe.each(runners)('process runner: %s', (_, create) => {
  it('reports the lines of both streams and the exit code', async () => {
    const lines: Record<'stdout' | 'stderr', string[]> = { stdout: [], stderr: [] };
    const exit = await create().run({ ...shell(chatty), onLine: (line, stream) => lines[stream].push(line) });
    expect(lines).toEqual({ stdout: ['one', 'two', '', 'last'], stderr: ['problem'] });
    expect(exit).toMatchObject({ reason: 'exited', code: 3, stderrTail: 'problem\n' });
  });

  it('runs without a listener', async () => {
    expect(await create().run(shell(quick))).toMatchObject({ reason: 'exited', code: 0, stderrTail: '' });
  });

  it('reports that a program was not found', async () => {
    const exit = await create().run({ ...shell(''), file: 'no-such-program' });
    expect(exit).toMatchObject({
      reason: 'not-found',
      stderrTail: expect.stringContaining('"no-such-program"'),
    });
    expect(exit.code).toBeUndefined();
  });

  it('ends the program when the signal is aborted', async () => {
    const abort = new AbortController();
    const exit = await create().run({ ...shell(endless), signal: abort.signal, onLine: () => abort.abort() });
    expect(exit.reason).toBe('cancelled');
    expect(exit.code).toBeUndefined();
  });

  it('ends the program at its time limit', async () => {
    expect(await create().run({ ...shell(endless), timeoutMs: 50 })).toMatchObject({ reason: 'timeout' });
  });

  it('does not start a program if the signal is already aborted', async () => {
    const lines: string[] = [];
    const spec = { ...shell(quick), signal: AbortSignal.abort(), onLine: (line: string) => lines.push(line) };
    expect(await create().run(spec)).toMatchObject({ reason: 'cancelled' });
    expect(lines).toEqual([]);
  });
});
