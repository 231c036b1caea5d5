/** Programs that left their process group: found by what they inherit, and ended. Programs of others are left alone. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { openLimitRange } from '../../src/system/inherited-limit.js';
import { endLeftovers, findMarkedProcesses, type ProcessMark } from '../../src/system/marked-processes.js';
import type { ProcessSpec } from '../../src/system/process.js';
import { readLockLimit, readProcess } from '../../src/system/process-table.js';
import { processRunner } from '../../src/system/run-process.js';
import { cleanUpAfterTest } from '../fakes/clean-ups.js';

const name = 'GUMP_ATTEMPT';
// Runs of the action in other test processes do not take these programs for theirs.
const job = randomUUID();
vi.stubEnv('RUNNER_TRACKING_ID', job);
afterAll(() => vi.unstubAllEnvs());
const variableMark = (): ProcessMark => ({ name, value: randomUUID() });

/** Marks as one run makes them, for its first and second piece of foreign code. */
function limitMarks(): readonly [ProcessMark, ProcessMark] {
  const range = openLimitRange();
  if (range === undefined) throw new Error('The limit of this process is too low.');
  const markAt = (base: number): ProcessMark => ({ ...variableMark(), limits: { base, count: 1 } });
  return [markAt(range.base), markAt(range.base + 1)];
}

function shell(script: string, mark: ProcessMark, more: Partial<ProcessSpec> = {}): ProcessSpec {
  const env = { PATH: process.env.PATH ?? '', [mark.name]: mark.value };
  return { file: 'sh', args: ['-c', script], directory: process.cwd(), env, mark, ...more };
}

const isRunning = (id: number): boolean => !['Z', 'X', undefined].includes(readProcess(id)?.state);

const pidFile = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'gump-test-'));
  cleanUpAfterTest(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, 'pid');
};

const idIn = async (file: string): Promise<number> => {
  await expect.poll(() => existsSync(file) && readFileSync(file, 'utf8').endsWith('\n')).toBe(true);
  const id = Number(readFileSync(file, 'utf8'));
  cleanUpAfterTest(() => kill(id));
  return id;
};

function kill(id: number): void {
  try {
    process.kill(id, 'SIGKILL');
  } catch {
    // It has ended.
  }
}

/** Runs a script whose last program stays. `launch` starts it: `setsid`, `env -i setsid`, … */
async function leave(mark: ProcessMark, launch: string): Promise<number> {
  const file = pidFile();
  const script = `${launch} sh -c 'echo $$ > ${file}; exec sleep 600' > /dev/null 2>&1 & while ! [ -s ${file} ]; do sleep 0.01; done`;
  expect((await processRunner.run(shell(script, mark))).code).toBe(0);
  return idIn(file);
}

/** An orphan that is not ours. */
async function leaveOther(launch: string, env: Record<string, string> = {}): Promise<number> {
  const file = pidFile();
  const child: ChildProcess = spawn(
    'sh',
    ['-c', `${launch} sh -c 'echo $$ > ${file}; exec sleep 600' > /dev/null 2>&1 &`],
    { env: { PATH: process.env.PATH, ...env }, stdio: 'ignore', detached: true },
  );
  await new Promise((resolve) => child.once('exit', resolve));
  return idIn(file);
}

const stubborn = 'setsid sh -c "trap \\"\\" TERM; echo ready; sleep 600; sleep 600" &';

describe.runIf(process.platform === 'linux')('a program that left the group', () => {
  it('is ended together with the main program, even if it ignores SIGTERM', async () => {
    const mark = variableMark();
    const end = new AbortController();
    const onLine = () => end.abort();
    const spec = shell(`${stubborn} sleep 600`, mark, { signal: end.signal, graceMs: 300, onLine });
    expect((await processRunner.run(spec)).reason).toBe('cancelled');
    expect(findMarkedProcesses(mark)).toEqual([]);
  });

  it.each([
    ['by the variable', variableMark, 'setsid'],
    ['by the limit, with an empty environment', () => limitMarks()[0], 'env -i /usr/bin/setsid'],
    ['by the limit, without the variable', () => limitMarks()[0], `env -u ${name} setsid`],
  ])('is found %s', async (_, markOf, launch) => {
    const mark = markOf();
    const id = await leave(mark, launch);
    expect(findMarkedProcesses(mark)).toEqual([id]);
    await endLeftovers(mark, false);
    expect(isRunning(id)).toBe(false);
  });

  it('is ended with all that it started, even if it ignores SIGTERM', async () => {
    const [mark] = limitMarks();
    const file = pidFile();
    const inner = `trap "" TERM; (trap "" TERM; sleep 600) & echo $! > ${file}; wait`;
    await processRunner.run(
      shell(
        `env -i PATH="$PATH" setsid sh -c '${inner}' > /dev/null 2>&1 & while ! [ -s ${file} ]; do sleep 0.01; done`,
        mark,
      ),
    );
    expect(findMarkedProcesses(mark)).toHaveLength(2);
    await endLeftovers(mark, false);
    expect(findMarkedProcesses(mark)).toEqual([]);
    expect(isRunning(await idIn(file))).toBe(false);
  });

  it('is found if it lowered the limit, but only while no other foreign code runs', async () => {
    const [mark] = limitMarks();
    const id = await leave(
      mark,
      `ulimit -w 1000 2>/dev/null || ulimit -x 1000; env -i RUNNER_TRACKING_ID=${job} /usr/bin/setsid`,
    );
    expect(readLockLimit(id)).toBe(1000);
    await endLeftovers(mark, false);
    expect(isRunning(id)).toBe(true);
    await endLeftovers(mark, true);
    expect(isRunning(id)).toBe(false);
  });

  it('keeps running if another piece of foreign code started it', async () => {
    const [mark, otherMark] = limitMarks();
    const id = await leave(otherMark, 'env -i /usr/bin/setsid');
    await endLeftovers(mark, true);
    expect(isRunning(id)).toBe(true);
  });
});

describe.runIf(process.platform === 'linux')('a program of somebody else', () => {
  it.each([
    ['that this process started', {}, undefined],
    ['that was left meanwhile', {}, 'setsid'],
    ['that was left meanwhile with an empty environment', {}, 'env -i /usr/bin/setsid'],
    ['of another job', { RUNNER_TRACKING_ID: 'github_other' }, 'ulimit -w 1000 || ulimit -x 1000; setsid'],
    ['of another run of this action', { [name]: 'other' }, 'ulimit -w 1000 || ulimit -x 1000; setsid'],
  ])('keeps running: one %s', async (_, env, launch) => {
    const [mark] = limitMarks();
    let id: number;
    if (launch === undefined) {
      const child = spawn('sleep', ['600'], { stdio: 'ignore', detached: true });
      id = child.pid ?? 0;
      cleanUpAfterTest(() => kill(id));
    } else id = await leaveOther(launch, env);
    await endLeftovers(mark, true);
    expect(isRunning(id)).toBe(true);
  });
});

describe.runIf(process.platform === 'linux')('the limit', () => {
  it('is the only difference for the program', async () => {
    const [mark] = limitMarks();
    const lines: string[] = [];
    const script = 'echo "$1"; cat; pwd; grep -E "files|locks" /proc/self/limits; exit 3';
    const exit = await processRunner.run({
      ...shell('', mark, { stdin: 'from the input\n', onLine: (line) => lines.push(line) }),
      args: ['-c', script, 'sh', 'an "argument" $x'],
    });
    expect(exit.code).toBe(3);
    expect(lines.slice(0, 3)).toEqual(['an "argument" $x', 'from the input', process.cwd()]);
    expect(lines.slice(3).join('\n')).toMatch(new RegExp(`Max file locks +${mark.limits?.base} `));
  });

  it('does not hide that a program is missing', async () => {
    const [mark] = limitMarks();
    const exit = await processRunner.run({ ...shell('', mark), file: 'no-such-program' });
    expect(exit.reason).toBe('not-found');
    expect(exit.stderrTail).toContain('no-such-program');
  });
});

it('finds nothing for an unused mark', () => {
  expect(findMarkedProcesses(variableMark())).toEqual([]);
});
