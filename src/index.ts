/**
 * The entry of both phases. It prints the first line of the log before it loads anything large. Then the process
 * replaces itself by one without the job's secrets in its readable environment (`clean-process.ts`).
 */
import { restartWithCleanEnvironment, restoreEnvironment } from './security/clean-process.js';
import { ownEnvironment } from './security/own-environment.js';
import { canBeUnreadable, copyLoader } from './security/unreadable-launcher.js';
import { createCancelSignal, isPost, printRunLine, reportUncaughtErrors, startProblem } from './start.js';
import type { Environment } from './system/environment.js';

reportUncaughtErrors();
const problem = startProblem(process.versions.node, process.env);
if (problem === undefined) void start(restoreEnvironment());
else {
  process.stdout.write(`::error::${problem}\n`);
  process.exitCode = 1;
}

/** `restored`: the variables of the job, if this process was replaced. */
async function start(restored: Environment | undefined): Promise<void> {
  const isPostPhase = isPost(restored ?? process.env, process.argv[1]);
  if (restored === undefined) {
    if (!isPostPhase) printRunLine(process.env);
    replaceProcess(process.env);
  }
  const environment = { ...(restored ?? process.env) };
  process.env = ownEnvironment(environment);
  const signal = createCancelSignal();
  const { runMain, runPost } = await import(/* webpackIgnore: true */ './entry.js');
  if (isPostPhase) await runPost(environment);
  else await runMain(environment, signal);
}

/** Returns only if that is not possible. */
function replaceProcess({ RUNNER_TEMP, RUNNER_DEBUG }: Environment): void {
  // Outside of a runner there is no directory. `readJob` reports the missing variables.
  if (!RUNNER_TEMP) return;
  restartWithCleanEnvironment({
    directory: RUNNER_TEMP,
    ...(canBeUnreadable() ? { createLoader: copyLoader } : {}),
    debug: (message) => {
      if (RUNNER_DEBUG === '1') process.stdout.write(`::debug::${message.replace(/\s+/g, ' ')}\n`);
    },
  });
}
