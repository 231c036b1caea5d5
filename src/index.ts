/**
 * The entry of both phases. It prints the first line of the log before it evaluates anything large. Then `main`
 * replaces itself by a process without the job's secrets in its readable environment (`clean-process.ts`).
 */
import { isPost, printRunLine, reportUncaughtErrors, runMain, runPost } from './entry.js';
import { restartWithCleanEnvironment, restoreEnvironment } from './security/clean-process.js';

reportUncaughtErrors();
if (isPost(process.env, process.argv[1])) {
  await runPost();
} else {
  if (!restoreEnvironment()) {
    printRunLine(process.env);
    if (process.env.RUNNER_TEMP)
      restartWithCleanEnvironment({ directory: process.env.RUNNER_TEMP, debug: () => undefined });
  }
  await runMain();
}
