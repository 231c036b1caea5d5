/** Runs fake programs. `test/system/process-runner.test.ts` checks what every process runner must do. */

import { createLineSplitter } from '../../src/system/line-splitter.js';
import type { ProcessExit, ProcessRunner, ProcessSpec } from '../../src/system/process.js';

/** What a program does: it prints, standard output first, and then ends or hangs; or it is not found. */
export interface FakeProgram {
  readonly stdout?: string;
  readonly stderr?: string;
  /** The exit code; 0 by default. */
  readonly code?: number;
  readonly ending?: 'by-itself' | 'never' | 'not-found';
}

export interface FakeProcessRunner extends ProcessRunner {
  /** The started programs, in order. */
  readonly calls: readonly ProcessSpec[];
}

/** `runProgram` returns what the program does; `call` counts from 0. */
export function createFakeProcessRunner(
  runProgram: (spec: ProcessSpec, call: number) => FakeProgram | Promise<FakeProgram>,
): FakeProcessRunner {
  const calls: ProcessSpec[] = [];
  return {
    calls,
    async run(spec) {
      if (spec.signal?.aborted) return { reason: 'cancelled', stderrTail: '', durationMs: 0 };
      calls.push(spec);
      const program = await runProgram(spec, calls.length - 1);
      if (program.ending === 'not-found') {
        return { reason: 'not-found', stderrTail: `cannot start "${spec.file}"`, durationMs: 0 };
      }
      print(program.stdout, 'stdout', spec);
      print(program.stderr, 'stderr', spec);
      const end = program.ending === 'never' ? await waitForStop(spec) : exitOf(program);
      return { ...end, stderrTail: (program.stderr ?? '').slice(-16 * 1024), durationMs: 1 };
    },
  };
}

function print(text: string | undefined, stream: 'stdout' | 'stderr', spec: ProcessSpec): void {
  const sink = { line: (line: string) => spec.onLine?.(line, stream), longLine: () => undefined };
  const lines = createLineSplitter(sink, Number.POSITIVE_INFINITY);
  lines.push(Buffer.from(text ?? ''));
  lines.end();
}

function exitOf(program: FakeProgram): Pick<ProcessExit, 'reason' | 'code'> {
  return { reason: 'exited', code: program.code ?? 0 };
}

function waitForStop(spec: ProcessSpec): Promise<Pick<ProcessExit, 'reason' | 'code'>> {
  return new Promise((resolve) => {
    if (spec.signal?.aborted) resolve({ reason: 'cancelled' });
    spec.signal?.addEventListener('abort', () => resolve({ reason: 'cancelled' }), { once: true });
    if (spec.timeoutMs !== undefined) setTimeout(() => resolve({ reason: 'timeout' }), spec.timeoutMs);
  });
}
