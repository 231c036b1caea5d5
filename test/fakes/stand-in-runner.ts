/**
 * Runs the stand-in CLIs of the rig as programs in this process. The environment, working directory and output of
 * the process are replaced during each synchronous part of their work, so that several can run at once.
 */
import { basename } from 'node:path';
import { createLineSplitter } from '../../src/system/line-splitter.js';
import type { ProcessExit, ProcessRunner, ProcessSpec } from '../../src/system/process.js';
import { performAction } from '../rig/cli/actions.mjs';
import { runCli } from '../rig/cli/agent.mjs';
import { chooseRule } from '../rig/cli/calls.mjs';
import { type AgentCall, type AgentRule, readCalls } from '../rig/stand-in.js';

export interface StandInRunnerOptions {
  readonly rules: readonly AgentRule[];
  /** The file in which the stand-ins record their calls. */
  readonly callsFile: string;
  /** Called with `true` when an agent hangs, and with `false` when it was stopped. */
  onHang?(hangs: boolean): void;
}

export function createStandInRunner(options: StandInRunnerOptions): ProcessRunner {
  return { run: (spec) => runStandIn(spec, options) };
}

async function runStandIn(
  spec: ProcessSpec,
  { rules, callsFile, onHang }: StandInRunnerOptions,
): Promise<ProcessExit> {
  const process_ = new FakeProcess(spec);
  const isOver = () => spec.signal?.aborted === true;
  await runCli(basename(spec.file), {
    argv: spec.args,
    stdin: async () => spec.stdin ?? '',
    enter: (work) => process_.enter(work),
    ruleOf: async (call: AgentCall) => chooseRule({ rules }, await readCalls(callsFile), call),
    async performAction(act, agent) {
      const hasEnded = 'usageLimit' in act ? agent.limit(act.usageLimit) : undefined;
      if ('hang' in act || hasEnded === false) {
        onHang?.(true);
        await aborted(spec.signal);
        onHang?.(false);
      }
      return isOver() || hasEnded || performAction(act, agent);
    },
  });
  return process_.end(isOver());
}

function aborted(signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) resolve();
    else signal?.addEventListener('abort', () => resolve(), { once: true });
  });
}

type Write = typeof process.stdout.write;

class FakeProcess {
  readonly #spec: ProcessSpec;
  readonly #stdout;
  readonly #stderr;
  #tail = '';
  #code = 0;

  constructor(spec: ProcessSpec) {
    this.#spec = spec;
    this.#stdout = splitter(spec, 'stdout');
    this.#stderr = splitter(spec, 'stderr');
  }

  /** Runs one synchronous part of the program with its own environment. */
  enter<T>(work: () => T): T {
    const { env, directory } = this.#spec;
    const { env: own, exitCode } = process;
    const before = { directory: process.cwd(), home: own.HOME };
    const writes = [process.stdout.write, process.stderr.write] as const;
    // `homedir()` reads the real environment variables, even if they are replaced in JavaScript.
    own.HOME = env.HOME;
    process.env = { ...env };
    process.chdir(directory);
    process.exitCode = 0;
    process.stdout.write = ((text: string) => this.#print(text)) as Write;
    process.stderr.write = ((text: string) => this.#complain(text)) as Write;
    try {
      return work();
    } finally {
      this.#code = Number(process.exitCode ?? 0) || this.#code;
      [process.stdout.write, process.stderr.write] = writes;
      process.exitCode = exitCode;
      process.chdir(before.directory);
      process.env = own;
      own.HOME = before.home;
    }
  }

  #print(text: string): boolean {
    // After the program was stopped, nobody reads its output.
    if (this.#spec.signal?.aborted !== true) this.#stdout.push(Buffer.from(text));
    return true;
  }

  #complain(text: string): boolean {
    this.#tail += text;
    this.#stderr.push(Buffer.from(text));
    return true;
  }

  end(isCancelled: boolean): ProcessExit {
    this.#stdout.end();
    this.#stderr.end();
    const end = isCancelled
      ? ({ reason: 'cancelled' } as const)
      : ({ reason: 'exited', code: this.#code } as const);
    return { ...end, stderrTail: this.#tail, durationMs: 1 };
  }
}

function splitter(spec: ProcessSpec, stream: 'stdout' | 'stderr') {
  const sink = { line: (line: string) => spec.onLine?.(line, stream), longLine: () => undefined };
  return createLineSplitter(sink, Number.POSITIVE_INFINITY);
}
