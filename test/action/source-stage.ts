/**
 * Runs one stage of the action from `src` in this process. Only the start of the process (`index.ts`, `entry.ts`), its
 * signals and its end differ from `dist/`. Git, gates, CLIs and the cache client are the same.
 */
import { mkdtempSync } from 'node:fs';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createActionContext } from '../../src/action/action-context.js';
import { main } from '../../src/action/main.js';
import { post } from '../../src/action/post-phase.js';
import { hasPostState } from '../../src/action/post-state.js';
import { reportError } from '../../src/action/report-error.js';
import { resumeMain } from '../../src/resume-runs/resume-main.js';
import { stepFilesOf } from '../../src/security/step-files.js';
import { printRunLine } from '../../src/start.js';
import { isConditionMet, type StageExit, type StageInvocation, type Stop } from '../rig/runner/stage.js';

type Variables = Readonly<Record<string, string>>;

export async function runSourceStage({ script, directory, env, stop }: StageInvocation): Promise<StageExit> {
  const before = { env: process.env, directory: process.cwd() };
  const output = capture();
  const cancellation = new AbortController();
  process.env = { ...env };
  process.chdir(directory);
  try {
    const phase = runScript(basename(script), env, cancellation.signal);
    const stopping = stopWhile(phase, stop, output, cancellation);
    const exitCode = await phase;
    return { exitCode, log: output.text(), isStopped: await stopping, isHeldOpen: false };
  } finally {
    output.end();
    process.env = before.env;
    process.chdir(before.directory);
  }
}

function runScript(name: string, env: Variables, signal: AbortSignal): Promise<number> {
  if (name === 'resume-runs.js') return resumeMain(env);
  return name === 'post.js' ? runPost(env) : runMain(env, signal);
}

function runMain(env: Variables, signal: AbortSignal): Promise<number> {
  printRunLine(env);
  const privateDirectory = mkdtempSync(join(env.RUNNER_TEMP ?? '', 'gump-'));
  stepFilesOf(env).saveState('gump', privateDirectory);
  return withErrorReport(env, privateDirectory, () =>
    main(createActionContext(env), privateDirectory, signal),
  );
}

function runPost(env: Variables): Promise<number> {
  const privateDirectory = env.STATE_gump ?? '';
  return withErrorReport(env, privateDirectory, async () => {
    if (hasPostState(privateDirectory)) await post(createActionContext(env), privateDirectory);
    return 0;
  });
}

async function withErrorReport(
  env: Variables,
  privateDirectory: string,
  run: () => Promise<number>,
): Promise<number> {
  try {
    return await run();
  } catch (error) {
    reportError(error, env, privateDirectory);
    return 1;
  }
}

/** Cancels the job. Other ways to end a stage need a separate process. */
async function stopWhile(
  phase: Promise<unknown>,
  stop: Stop | undefined,
  output: Output,
  cancellation: AbortController,
): Promise<boolean> {
  if (stop === undefined) return false;
  if (stop.how !== 'cancel')
    throw new Error(`A stage in this process cannot end by \`${stop.how}\`. Use code 'dist'.`);
  let hasEnded = false;
  const end = phase.finally(() => {
    hasEnded = true;
  });
  while (!hasEnded) {
    if (await isConditionMet(stop.when, output.text())) {
      cancellation.abort();
      return true;
    }
    await Promise.race([end, sleep(20)]);
  }
  return false;
}

interface Output {
  text(): string;
  end(): void;
}

type Write = typeof process.stdout.write;

let sink: ((text: string) => void) | undefined;
let isTapped = false;

/** Collects everything that is printed until `end`. */
function capture(): Output {
  if (sink !== undefined) throw new Error('Two stages cannot run in one process at once.');
  tap();
  let text = '';
  sink = (chunk) => {
    text += chunk;
  };
  return {
    text: () => text,
    end() {
      sink = undefined;
    },
  };
}

/** Stays installed for the whole process, because the action installs its own filter over it, which stays too. */
function tap(): void {
  if (isTapped) return;
  isTapped = true;
  for (const stream of [process.stdout, process.stderr]) {
    const write = stream.write.bind(stream) as Write;
    stream.write = ((chunk: string | Uint8Array, ...rest: never[]) => {
      if (sink === undefined) return write(chunk, ...rest);
      sink(typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString('utf8'));
      const done: unknown = rest.at(-1);
      if (typeof done === 'function') process.nextTick(done as () => void);
      return true;
    }) as Write;
  }
}
