import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { endLeftovers, findMarkedProcesses } from '../../src/system/marked-processes.js';
import type { ProcessSpec } from '../../src/system/process.js';
import { processRunner } from '../../src/system/run-process.js';

const markOf = () => ({ name: 'STRAY_TEST', value: randomUUID() });

function shell(
  script: string,
  mark: ReturnType<typeof markOf>,
  more: Partial<ProcessSpec> = {},
): ProcessSpec {
  const env = { PATH: process.env.PATH ?? '', [mark.name]: mark.value };
  return { file: 'sh', args: ['-c', script], directory: process.cwd(), env, mark, ...more };
}

const leaveProcess = 'setsid sh -c "trap \\"\\" TERM; echo ready; sleep 600; sleep 600" &';

describe.runIf(process.platform === 'linux')('a program that left the group', () => {
  it('is ended together with the main program, even if it ignores SIGTERM', async () => {
    const mark = markOf();
    const end = new AbortController();
    const onLine = () => end.abort();
    const spec = shell(`${leaveProcess} sleep 600`, mark, { signal: end.signal, graceMs: 300, onLine });
    expect((await processRunner.run(spec)).reason).toBe('cancelled');
    expect(findMarkedProcesses(mark)).toEqual([]);
  });

  it('keeps running if the main program ends by itself, until leftovers are ended', async () => {
    const mark = markOf();
    await processRunner.run(shell(`setsid sleep 600 > /dev/null 2>&1 & sleep 0.5`, mark));
    expect(findMarkedProcesses(mark)).toHaveLength(1);
    await endLeftovers(mark);
    expect(findMarkedProcesses(mark)).toEqual([]);
  });
});

it('finds nothing for an unused mark', () => {
  expect(findMarkedProcesses(markOf())).toEqual([]);
});
